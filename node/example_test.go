package node_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/node"
)

// A program can run Kindred inside itself, without a server: it takes events in through an intake, and reads live profiles.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "kindred")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	k, err := node.Open(ctx, node.Config{Dir: dir, Shards: 4, Memory: 128 << 20})
	if err != nil {
		log.Fatal(err)
	}

	intake := ingest.NewIntake(k.Into(true))
	for _, event := range []string{
		`{"type": "page", "messageId": "m1", "anonymousId": "3f1c", "timestamp": "2026-11-01T09:00:00Z", "name": "Home"}`,
		`{"type": "identify", "messageId": "m2", "anonymousId": "3f1c", "userId": "42", "timestamp": "2026-11-01T09:10:00Z",
			"traits": {"email": "Ann@Example.com"}}`,
	} {
		intake.Take([]byte(event), ingest.Arrival{Received: time.Now().UnixMilli()})
	}
	if err := intake.Deliver(ctx); err != nil { // returns when the events are durable
		log.Fatal(err)
	}
	if err := k.Engine().Visible(ctx); err != nil { // and now every identifier finds them
		log.Fatal(err)
	}

	id, err := k.Registry().Parse("email:ANN@example.com")
	if err != nil {
		log.Fatal(err)
	}
	profile, err := k.Engine().Profile(ctx, id.Key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(profile.Events, "events")
	for _, i := range profile.Identifiers {
		fmt.Println(i.Namespace, i.Value)
	}
	if err := k.Stop(ctx); err != nil {
		log.Fatal(err)
	}

	// Output:
	// 2 events
	// user_id 42
	// email ann@example.com
	// anonymous_id 3f1c
}
