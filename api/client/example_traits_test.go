package client_test

import (
	"context"
	"fmt"
	"log"
)

// A trait names the event that set it, and an order has the lines that were sent.
func ExampleProfiles_Traits() {
	c, stop := start(`
		{"type": "identify", "messageId": "m1", "userId": "ann", "timestamp": "2026-01-01T09:00:00Z", "traits": {"plan": "basic"}},
		{"type": "identify", "messageId": "m2", "userId": "ann", "timestamp": "2026-01-02T09:00:00Z", "traits": {"plan": "pro"}},
		{"type": "track", "event": "Order Completed", "messageId": "m3", "userId": "ann", "timestamp": "2026-01-03T09:00:00Z",
		 "properties": {"order_id": "o1", "revenue": 20, "tax": 4.2, "currency": "EUR", "products": [{"name": "Wine", "price": 10, "quantity": 2}]}}`)
	defer stop()
	traits, err := c.Profiles.Traits(context.Background(), "user_id:ann", "")
	if err != nil {
		log.Fatal(err)
	}
	plan := traits.Traits["plan"]
	fmt.Printf("%s since %s, by event %s\n", plan.Value, plan.UpdatedAt, plan.MessageID)
	orders, err := c.Profiles.OrderDetails(context.Background(), "user_id:ann", "")
	if err != nil {
		log.Fatal(err)
	}
	for _, o := range orders.Orders {
		fmt.Println(o.ID, "tax", o.Tax, o.Lines[0].Quantity, "×", o.Lines[0].Name, "at", o.Lines[0].Price)
	}

	// Output:
	// "pro" since 2026-01-02T09:00:00.000Z, by event m2
	// o1 tax 4.20 2 × Wine at 10
}
