// Package try holds the commands that make events, and measure speed and scores.
package try

import "github.com/spf13/cobra"

// Commands are the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newGenerate(), newCompare(), newBench(), newScore()}
}
