package client_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
)

// An export has a line for every person. The sequence of lines follows public ids, which depend on a deployment's secret.
func ExampleProfiles_Export() {
	c, stop := start(sharedTablet)
	defer stop()
	export, err := c.Profiles.Export(context.Background(), client.ExportOptions{Fields: "identifiers,events"})
	if err != nil {
		log.Fatal(err)
	}
	defer export.Close()
	for lines := bufio.NewScanner(export); lines.Scan(); {
		var p document.Profile
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: events %d\n", p.Identifiers[0].Value, p.Events)
	}

	// Unordered output:
	// ann: events 2
	// bob: events 1
}
