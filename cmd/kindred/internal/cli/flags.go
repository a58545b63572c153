package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// envAnnotation is the key under which a flag carries the name of its variable, from WithEnv to FromEnvironment.
const envAnnotation = "kindred_env"

// WithEnv lets an environment variable KINDRED_NAME set each of these flags if the command line does not.
func WithEnv(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f := flags.Lookup(name)
		variable := "KINDRED_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		f.Annotations = map[string][]string{envAnnotation: {variable}}
		f.Usage += " [" + variable + "]"
	}
}

// FromEnvironment sets the flags of WithEnv that the command line did not set.
//
// The command line wins over the environment, and both win over the default. WithEnv only marks a flag and adds the
// variable to its help; the root calls FromEnvironment after it parsed the command line, when Changed is known.
func FromEnvironment(flags *pflag.FlagSet) (err error) {
	// An empty variable counts as one that is not set, so a caller can switch it off. Flags are visited by name, and
	// the first wrong value is the error: the same environment always gives the same message.
	flags.VisitAll(func(f *pflag.Flag) {
		variable, ok := f.Annotations[envAnnotation]
		if !ok || f.Changed || err != nil {
			return
		}
		if value := os.Getenv(variable[0]); value != "" {
			if wrong := f.Value.Set(value); wrong != nil {
				err = UsageError("%s=%q: %w", variable[0], value, wrong)
			}
		}
	})
	return err
}

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
