// Package run holds the commands that run a Kindred: to serve it, to ingest files of events, and to demonstrate it.
package run

import "github.com/spf13/cobra"

// Commands returns the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newServe(), newIngest(), newDemo()}
}
