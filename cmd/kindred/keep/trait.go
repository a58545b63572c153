package keep

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/spf13/cobra"
)

// newTrait groups what is done with computed traits.
func newTrait() *cobra.Command {
	return cli.Group("trait", "Define computed traits, and see their values", `Define computed traits, and see their values.

A computed trait is a named value that follows from the events or orders of a person: how often, when last, which most.
It is as of now, always.`,
		newTraitApply(), newTraitList(), newTraitOf())
}

// newTraitApply defines the computed traits of a file. All of them are defined, or none.
func newTraitApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Define the computed traits of a YAML file: keys with values",
		Long: `Define the computed traits of a YAML file: keys with values.

All are defined, or none. Those of other keys stay as they are, unless --prune is given.
Those that are new serve once the stored events were looked through; until then those of before do.`,
		Args: cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	prune := cmd.Flags().Bool("prune", false, "delete the computed traits that the file does not name")
	wait := cmd.Flags().Bool("wait", true, "wait until they serve")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		list, err := readDefinitions(args[0], "traits")
		if err != nil {
			return err
		}
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Traits.Apply(cmd.Context(), document.ComputedTraitsRequest{Traits: list, Prune: *prune})
			if err != nil {
				return err
			}
			version := d.Version
			for attempt := 0; *wait && d.Filled < version; attempt++ {
				if err := backoff.Sleep(cmd.Context(), lookAgain.Wait(attempt)); err != nil {
					return err
				}
				if d, err = c.Traits.List(cmd.Context()); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "version %d: %s\n", version, cli.Plural(len(d.Traits), "computed trait"))
			return nil
		})
	}
	return cmd
}

func newTraitList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List computed traits with what they measure", Args: cobra.NoArgs}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Traits.List(cmd.Context())
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), d, func(w io.Writer) {
				if len(d.Traits) == 0 {
					fmt.Fprintln(w, "there are no computed traits")
				}
				var t cli.Table
				for i := range d.Traits {
					t.Row(d.Traits[i].Key, serves(d.Traits[i].Serves), cli.Printable(d.Traits[i].Text))
				}
				t.Write(w, "")
			})
		})
	}
	return cmd
}

// newTraitOf prints the values of a person.
func newTraitOf() *cobra.Command {
	cmd := &cobra.Command{
		Use: "of ID", Short: "List the computed traits of a person", Long: "List the computed traits of a person that have a value.\n" + cli.IDHelp,
		Args: cli.IDArgs(1), ValidArgsFunction: cli.CompleteIDs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			values, err := c.Traits.Of(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), values, func(w io.Writer) {
				var t cli.Table
				for _, key := range slices.Sorted(maps.Keys(values)) {
					t.Row(key, cli.TraitText(values[key]))
				}
				t.Write(w, "")
			})
		})
	}
	return cmd
}
