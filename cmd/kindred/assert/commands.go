// Package assert holds the commands by which an operator asserts which identifiers belong together.
package assert

import "github.com/spf13/cobra"

// Commands returns the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newForce(), newCannot(), newRetract(), newForget()}
}
