package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
)

// A search goes on until Next is empty: a page may be short, or empty, and not the last.
func ExampleProfiles_Search() {
	c, stop := start(sharedTablet)
	defer stop()
	o := client.SearchOptions{Identifiers: []string{"user_id:"}, SeenUntil: "2026-11-01T10:00:00Z", Fields: "identifiers,events", Limit: 1}
	for {
		page, err := c.Profiles.Search(context.Background(), o)
		if err != nil {
			log.Fatal(err)
		}
		for _, text := range page.Profiles {
			var p document.Profile
			if err := json.Unmarshal(text, &p); err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s: events %d\n", p.Identifiers[0].Value, p.Events)
		}
		if o.Cursor = string(page.Next); o.Cursor == "" {
			return
		}
	}

	// Output:
	// ann: events 2
}
