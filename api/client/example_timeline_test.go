package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
)

// A timeline has a person's events, the newest first, in pages.
func ExampleProfiles_Timeline() {
	c, stop := start(sharedTablet)
	defer stop()
	o := client.TimelineOptions{Limit: 1}
	for page := 1; ; page++ {
		timeline, err := c.Profiles.Timeline(context.Background(), "user_id:ann", o)
		if err != nil {
			log.Fatal(err)
		}
		for _, text := range timeline.Events {
			var e document.Event
			if err := json.Unmarshal(text, &e); err != nil {
				log.Fatal(err)
			}
			fmt.Printf("page %d: %s %s\n", page, e.Type, e.MessageID)
		}
		if o.Cursor = string(timeline.Next); o.Cursor == "" {
			break
		}
	}

	// Output:
	// page 1: identify m2
	// page 2: page m1
}
