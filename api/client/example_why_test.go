package client_test

import (
	"context"
	"fmt"
	"log"
)

// Why explains that two identifiers are one person, and also that they are not: here the limit of one user_id a person
// refused the link that came later.
func ExampleProfiles_Why() {
	c, stop := start(sharedTablet)
	defer stop()
	for _, user := range []string{"user_id:ann", "user_id:bob"} {
		why, err := c.Profiles.Why(context.Background(), "anonymous_id:tablet", user)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user, why.Same)
		for _, reason := range why.Path {
			fmt.Println(" ", reason.Text)
		}
	}

	// Output:
	// user_id:ann true
	//   user_id:ann and anonymous_id:tablet were named together by an identify call, in event m2 of 2026-11-01T09:10:00.000Z.
	// user_id:bob false
	//   user_id:bob and anonymous_id:tablet were named together by an identify call, in event m3 of 2026-11-01T11:00:00.000Z. Refused: one person would have more than 1 user_id.
}
