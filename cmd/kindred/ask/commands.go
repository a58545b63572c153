// Package ask holds the commands that read identities, from a running server or from a data directory.
package ask

import "github.com/spf13/cobra"

// Commands returns the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newGet(), newSearch(), newWhy(), newHow(), newTimeline(), newGroup(), newGroups(), newExport(), newTail(), newStats(), newRules()}
}
