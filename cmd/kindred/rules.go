package main

import (
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/spf13/cobra"
)

func newRules() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Show the rules that a deployment runs under",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError("rules: what of them? kindred rules show")
		},
	}
	show := newRulesShow()
	show.Args = usageArgs(show.Args)
	cmd.AddCommand(show)
	return cmd
}

func newRulesShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the rules in force, as a whole rules file",
		Long: `Print the rules in force, as YAML: all of them, what their file extended included. The output is a rules
file itself. A deployment keeps its rules; --rules, of serve or ingest, replaces them.`,
		Args: cobra.NoArgs,
	}
	t := addTarget(cmd)
	formats := []string{"yaml", formatJSON}
	format := formats[0]
	cmd.Flags().VarP(&choice{&format, formats}, "output", "o", "yaml or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.with(cmd, func(c *client.Client) error {
			rules, err := c.Rules(cmd.Context())
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if format == formatJSON {
				return writeJSON(w, rules)
			}
			_, err = io.WriteString(w, rules.Text)
			return err
		})
	}
	return cmd
}
