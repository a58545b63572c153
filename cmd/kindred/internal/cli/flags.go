package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Group returns a command that only holds subcommands, and prints its help. Wrong arguments of theirs are usage errors.
func Group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range commands {
		c.Args = UsageArgs(c.Args)
		group.AddCommand(c)
	}
	return group
}

// UsageArgs wraps check so that wrong arguments are usage errors.
func UsageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return Exit(ExitUsage, fmt.Errorf("%s: %w; usage: %s", cmd.Name(), err, cmd.UseLine()))
		}
		return nil
	}
}
