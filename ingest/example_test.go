package ingest_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/node"
)

// An intake keeps one verdict on each event: taken, a duplicate, or refused with a reason. One bad event never keeps its
// neighbours out.
func ExampleIntake() {
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

	intake := ingest.NewIntake(k.Into(false))
	for _, event := range []string{
		`{"type": "track", "messageId": "m1", "userId": "42", "event": "Searched"}`,
		`{"type": "track", "messageId": "m1", "userId": "42", "event": "Searched"}`,
		`{"type": "track", "messageId": "m2", "userId": "undefined", "event": "Searched"}`,
		`{"type": "trick", "messageId": "m3", "userId": "42"}`,
	} {
		intake.Take([]byte(event), ingest.Arrival{Received: 1793000000000})
	}
	if err := intake.Deliver(ctx); err != nil {
		log.Fatal(err)
	}
	for _, verdict := range intake.Verdicts() {
		switch verdict.Status {
		case ingest.Accepted:
			fmt.Println("accepted")
		case ingest.Duplicate:
			fmt.Println("duplicate")
		default:
			fmt.Println(verdict.Rejection)
		}
	}
	if err := k.Stop(ctx); err != nil {
		log.Fatal(err)
	}

	// Output:
	// accepted
	// duplicate
	// no_identifier: names nobody: no identifier, or only blocked or invalid ones
	// unknown_type: type: "trick" is no type of event
}
