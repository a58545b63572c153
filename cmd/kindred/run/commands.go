// Package run holds the commands that run a Kindred: to serve it, to ingest files of events, to demonstrate it, and to look at
// its settings.
package run

import "github.com/spf13/cobra"

// Commands returns the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newServe(), newIngest(), newMap(), newDemo(), newConfig()}
}
