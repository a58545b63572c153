package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/kindred-id/kindred/api/document"
)

// A visitor browses, and logs in later, in another batch: the visit turns out to be the customer's. It makes no difference
// which batch comes first.
func ExampleProfiles_Get_merge() {
	c, stop := start(`
		{"type": "page", "messageId": "m1", "anonymousId": "cookie", "timestamp": "2026-11-01T09:00:00Z"},
		{"type": "track", "messageId": "m2", "userId": "42", "timestamp": "2026-10-01T12:00:00Z", "event": "Order Completed",
			"properties": {"order_id": "o1", "revenue": 59.90, "currency": "EUR"}}`)
	defer stop()
	show := func() {
		text, err := c.Profiles.Get(context.Background(), "user_id:42")
		if err != nil {
			log.Fatal(err)
		}
		var p document.Profile
		if err := json.Unmarshal(text, &p); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("identifiers: %d, events: %d, orders: %d\n", len(p.Identifiers), p.Events, p.Orders)
	}

	show()
	send(c, `{"type": "identify", "messageId": "m3", "anonymousId": "cookie", "userId": "42", "timestamp": "2026-11-01T09:10:00Z"}`)
	show()

	// Output:
	// identifiers: 1, events: 1, orders: 1
	// identifiers: 2, events: 3, orders: 1
}
