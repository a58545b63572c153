// Package ask holds the commands that ask who is who: of a server, or of a directory.
package ask

import "github.com/spf13/cobra"

// Commands are the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newGet(), newWhy(), newHow(), newTimeline(), newExport(), newTail(), newStats(), newRules()}
}
