package keep

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newAudiencePreview counts the people whom conditions hold for, and defines nothing.
func newAudiencePreview() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preview CONDITIONS",
		Short: "Count the people whom an audience would have, before it is defined",
		Long: `Count the people whom an audience would have, before it is defined, and for how many each condition holds.

About 20,000 people are looked at, the same ones every time, and the counts are estimates where there are more.
With --exact everybody is.`,
		Example: `  kindred audience preview 'events("Product Viewed").last("7d").count() >= 3 && !(orders().count() >= 1)' --data ./data`,
		Args:    cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	exact := cmd.Flags().Bool("exact", false, "look at everybody")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Audiences.Preview(cmd.Context(), document.AudiencePreviewRequest{Text: args[0], Exact: *exact})
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), d, func(w io.Writer) { showPreview(w, &d) })
		})
	}
	return cmd
}

func showPreview(w io.Writer, d *document.AudiencePreview) {
	fmt.Fprintf(w, "%s of %s people, of whom %s of %s are known by more than a cookie or a device\n",
		people(d.Members.All), people(d.People.All), people(d.Members.Known), people(d.People.Known))
	if !d.Exact {
		fmt.Fprintf(w, "an estimate of %d people; --exact looks at everybody\n", d.LookedAt)
	}
	var t cli.Table
	t.Row("condition", "holds for", "left", "")
	for i := range d.Conditions {
		c := &d.Conditions[i]
		t.Row(c.ID, people(c.Alone), people(c.Kept), cli.Printable(c.Text))
	}
	t.Write(w, "")
	list := func(title string, ids int, id func(int) string) {
		for i := range ids {
			if i == 0 {
				fmt.Fprintln(w, title)
			}
			fmt.Fprintln(w, "  "+id(i))
		}
	}
	list("for example", len(d.Sample), func(i int) string { return d.Sample[i] })
	list("kept out by one condition", len(d.Misses), func(i int) string { return d.Misses[i].ID + " by " + d.Misses[i].Condition })
}

// people is a number, with its bounds where it is an estimate.
func people(n document.PreviewNumber) string {
	if n.Low == n.High {
		return fmt.Sprint(n.Estimate)
	}
	return fmt.Sprintf("about %d (%d to %d)", n.Estimate, n.Low, n.High)
}
