package ask

import (
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newRules groups the commands about rules. By itself it does nothing, and is refused as wrong usage.
func newRules() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Show the rules of a deployment",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.UsageError("rules: no subcommand; use kindred rules show")
		},
	}
	show := newRulesShow()
	show.Args = cli.UsageArgs(show.Args)
	cmd.AddCommand(show)
	return cmd
}

// newRulesShow prints the rules that a deployment stores. They are complete: a later change of a preset, or of the
// file that they came from, does not change them.
func newRulesShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the rules in force, as a complete rules file",
		Long: `Print the rules in force as YAML, including those inherited through extends. The output is itself a rules
file. A deployment keeps its rules until --rules of serve or ingest replaces them.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	formats := []string{"yaml", cli.FormatJSON}
	format := formats[0]
	cmd.Flags().VarP(cli.Choose(&format, formats), "output", "o", "output format: yaml or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			rules, err := c.Admin.Rules(cmd.Context())
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if format == cli.FormatJSON {
				return cli.WriteJSON(w, rules)
			}
			_, err = io.WriteString(w, rules.Text)
			return err
		})
	}
	return cmd
}
