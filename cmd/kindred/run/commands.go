// Package run holds the commands that run a Kindred: a server, files of events, a demonstration.
package run

import "github.com/spf13/cobra"

// Commands are the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newServe(), newIngest(), newDemo()}
}
