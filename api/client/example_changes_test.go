package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/kindred-id/kindred/api/document"
)

// The change feed reports how identities change, from its start or from any cursor. Each entry is a CloudEvent. The order of
// entries about different people may vary, so this example asks for one kind.
func ExampleFeed_Changes() {
	c, stop := start(`
		{"type": "page", "messageId": "m1", "anonymousId": "cookie"},
		{"type": "track", "messageId": "m2", "userId": "42", "event": "Searched"}`)
	defer stop()
	send(c, `{"type": "identify", "messageId": "m3", "anonymousId": "cookie", "userId": "42"}`)

	changes, err := c.Feed.Changes(context.Background(), "start", "merged", false, false)
	if err != nil {
		log.Fatal(err)
	}
	defer changes.Close()
	for {
		text, err := changes.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		var change document.Change
		if err := json.Unmarshal(text, &change); err != nil {
			log.Fatal(err)
		}
		var merged document.Merged
		if err := json.Unmarshal(change.Data, &merged); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d person became another, linked by %s\n", change.Type, len(merged.Losers), merged.Cause.Verb)
	}

	// Output:
	// kindred.identity.merged: 1 person became another, linked by identify
}
