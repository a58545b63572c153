package keep

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newAudienceDraw writes the people who were drawn to standard output, and how many were held back to standard error.
func newAudienceDraw() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "draw KEY",
		Short: "Draw members of an audience by chance",
		Long: `Draw members of an audience by chance: their public ids, one a line.

Those who are in an audience of --suppress are held back; how many is said on standard error.
A seed draws the same people again, as far as they are still there.`,
		Args: cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	ask := document.DrawRequest{Limit: 100}
	cmd.Flags().IntVarP(&ask.Limit, "limit", "n", ask.Limit, "maximum number of people")
	cmd.Flags().Uint32Var(&ask.Seed, "seed", 0, "the same seed draws the same people")
	cmd.Flags().StringSliceVar(&ask.Suppress, "suppress", nil, "audiences whose members are held back")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Audiences.Draw(cmd.Context(), args[0], ask)
			if err != nil {
				return err
			}
			if err := out.Show(cmd.OutOrStdout(), d, func(w io.Writer) {
				for _, id := range d.IDs {
					fmt.Fprintln(w, id)
				}
			}); err != nil {
				return err
			}
			for _, held := range d.HeldBack {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s holds back %s\n", held.Key, cli.Plural(int(held.People), "member"))
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d drawn of %d who may be, of %s\n", len(d.IDs), d.Free, cli.Plural(int(d.Members), "member"))
			return nil
		})
	}
	return cmd
}
