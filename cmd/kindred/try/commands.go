// Package try holds the commands that generate events and measure speed and scores.
package try

import "github.com/spf13/cobra"

// Commands returns the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newGenerate(), newCompare(), newBench(), newScore()}
}
