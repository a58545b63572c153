package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
)

// An operator knows better: the tablet is not Ann's. The assertion is evidence like any other, so it lasts through restarts
// and later merges; withdrawn, it leaves no trace.
func ExampleAssertions_Make() {
	c, stop := start(sharedTablet)
	defer stop()
	ctx := context.Background()
	notHers := document.AssertionRequest{Verb: "cannot", A: "user_id:ann", B: "anonymous_id:tablet", By: "support", Note: "it is Bob's"}

	fmt.Println("before: the tablet is", owner(c))
	if _, err := c.Assertions.Make(ctx, &notHers); err != nil {
		log.Fatal(err)
	}
	fmt.Println("asserted: the tablet is", owner(c))
	notHers.Withdraw = true
	if _, err := c.Assertions.Make(ctx, &notHers); err != nil {
		log.Fatal(err)
	}
	fmt.Println("withdrawn: the tablet is", owner(c))

	// Output:
	// before: the tablet is ann's
	// asserted: the tablet is bob's
	// withdrawn: the tablet is ann's
}

// owner is the user to whom the tablet belongs. Identifiers come with the highest-ranked first.
func owner(c *client.Client) string {
	text, err := c.Profiles.Get(context.Background(), "anonymous_id:tablet")
	if err != nil {
		log.Fatal(err)
	}
	var p document.Profile
	if err := json.Unmarshal(text, &p); err != nil {
		log.Fatal(err)
	}
	return p.Identifiers[0].Value + "'s"
}
