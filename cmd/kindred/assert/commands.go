// Package assert holds the commands that assert who is who.
package assert

import "github.com/spf13/cobra"

// Commands are the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newForce(), newCannot(), newRetract(), newForget()}
}
