package run

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// newConfig groups the commands that look at the settings of serve without running it. They have the flags of serve, so
// that a whole command line can be checked as it is.
func newConfig() *cobra.Command {
	return cli.Group("config", "Check the settings of a server, and show where each comes from",
		`A setting has one name in three places: --memory on the command line, KINDRED_MEMORY in the environment, and
memory in the configuration file (--config). The command line takes precedence over the environment, the
environment over the file, and the file over the default.`,
		newConfigCheck(), newConfigShow())
}

// newConfigCheck refuses what serve would refuse before it opens a directory. It writes nothing and connects nowhere.
func newConfigCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration file and every file that it names",
		Long: `Check the settings that kindred serve would have with the same flags, environment and configuration file:
unknown settings are named with their lines, and the rules, the secret and the certificates are read. Nothing
is opened, written or connected to. It says which settings a running server reads again at SIGHUP. Exit code 2
if there is a mistake.`,
		Args: cobra.MaximumNArgs(1),
	}
	f := addServe(cmd)
	nameFile(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.settle(cmd); err != nil {
			return err
		}
		for _, name := range cli.UnknownVariables(cmd.Root(), os.Environ()) {
			fmt.Fprintf(cmd.ErrOrStderr(), "kindred: %s sets nothing: there is no such setting\n", name)
		}
		if err := node.Check(f.node.Settled()); err != nil {
			return cli.Exit(cli.ExitUsage, err)
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "the configuration is valid\nSIGHUP reloads %s; a change of any other setting needs a restart\n", strings.Join(reloaded(cmd), ", "))
		return err
	}
	return cmd
}

// reloaded lists the settings that a running server reads again.
func reloaded(cmd *cobra.Command) (names []string) {
	for _, s := range cli.Settings(cmd) {
		if s.Reload {
			names = append(names, s.Name)
		}
	}
	return names
}

// newConfigShow shows settings even if they contradict each other, so that it helps to find out why.
func newConfigShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show every setting and, with --origin, where its value comes from",
		Long: `Show the settings that kindred serve would have with the same flags, environment and configuration file.
Secrets are not shown, only that they are set.`,
		Args: cobra.MaximumNArgs(1),
	}
	addServe(cmd)
	nameFile(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	origin := cmd.Flags().Bool("origin", false, "show where each value comes from: command line, environment, file and line, or default")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		settings := cli.Settings(cmd)
		return out.Show(cmd.OutOrStdout(), settings, func(w io.Writer) {
			var table cli.Table
			for _, s := range settings {
				cells := []string{s.Name, cli.Printable(s.Value)}
				if *origin {
					cells = append(cells, s.Origin)
				}
				table.Row(cells...)
			}
			table.Write(w, "")
		})
	}
	return cmd
}

// nameFile lets the argument of a command name the configuration file.
func nameFile(cmd *cobra.Command) {
	cmd.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			if cmd.Flags().Changed("config") {
				return cli.UsageError("%s: give FILE or --config, not both", cmd.Name())
			}
			if err := cmd.Flags().Set("config", args[0]); err != nil {
				return err
			}
		}
		return cli.Settle(cmd)
	}
}
