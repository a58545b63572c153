package try

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newScoreReport prints what offers changed, by the control group beside the rest. The figures are of this moment: the
// command keeps none.
func newScoreReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Compare the purchases of the control group with those of everyone else",
		Long: `Compare the control group (--control-share of the server, or of this command with --data) with everyone else over the
last days: how many bought, how much they spent in each currency, and which offers they received. A difference is
the value of the rest minus that of the control group, with a 95 % interval.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	days := cmd.Flags().Int("window-days", scoring.DaysDefault, "length of the window that ends now, in days, 1 to 3660")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *days < 1 || *days > scoring.DaysMax {
			return cli.UsageError("score report: --window-days %d: want 1 to %d", *days, scoring.DaysMax)
		}
		return t.With(cmd, func(c *client.Client) error {
			r, err := c.Scores.Report(cmd.Context(), *days)
			if err != nil {
				return err
			}
			if !r.Settled {
				fmt.Fprintln(cmd.ErrOrStderr(), "kindred: events kept arriving: the newest may be missing from the report")
			}
			return out.Show(cmd.OutOrStdout(), r, func(w io.Writer) { scoreReportTable(w, &r) })
		})
	}
	return cmd
}

// scoreReportTable prints the two groups, the differences with their intervals, and the groups by discount affinity at
// the start of the window, the highest band first. Without a control group there is nothing to subtract, and it says
// how to get one.
func scoreReportTable(w io.Writer, r *document.ScoreReport) {
	fmt.Fprintf(w, "%s to %s, %s; control group of %s\n\n", cli.When(r.From), cli.When(r.AsOf), cli.Plural(r.WindowDays, "day"), percentage(&r.ControlShare))
	var t cli.Table
	t.Row("group", "people", "bought", "orders", "with a coupon", "offers sent", "accepted")
	groupRow(&t, "control", &r.Control)
	groupRow(&t, "rest", &r.Rest)
	t.Write(w, "")

	fmt.Fprintln(w, "\neffect of offers, rest minus control")
	t = cli.Table{}
	t.Row("", "control", "rest", "difference", fmt.Sprintf("%.0f %% interval", 100*r.Confidence))
	if r.Bought == nil {
		t.Row("bought", percentage(r.Control.BoughtShare), percentage(r.Rest.BoughtShare), "none: a group is empty")
	} else {
		d := r.Bought
		t.Row("bought", percentage(r.Control.BoughtShare), percentage(r.Rest.BoughtShare),
			fmt.Sprintf("%+.1f points", 100*d.Difference), fmt.Sprintf("%+.1f to %+.1f", 100*d.Low, 100*d.High))
	}
	for i := range r.Revenue {
		revenueRow(&t, &r.Revenue[i])
	}
	t.Write(w, "  ")

	fmt.Fprintln(w, "\nby discount affinity at the start of the window")
	t = cli.Table{}
	t.Row("band", "group", "people", "bought", "revenue per person")
	for i := len(r.Bands) - 1; i >= 0; i-- {
		b := &r.Bands[i]
		bandRow(&t, b.Band, "control", &b.Control, b.Revenue, func(r *document.Revenue) float64 { return r.ControlPerPerson })
		bandRow(&t, "", "rest", &b.Rest, b.Revenue, func(r *document.Revenue) float64 { return r.RestPerPerson })
	}
	t.Write(w, "  ")
	if r.Control.People == 0 {
		fmt.Fprintln(w, "\nThe control group is empty, so the effect of offers cannot be measured; start kindred serve with --control-share.")
	}
}

// groupRow is one group: how many people, how many bought, and what they did.
func groupRow(t *cli.Table, name string, g *document.Group) {
	t.Row(name, cli.Number(g.People), bought(g), cli.Number(g.Orders), cli.Number(g.CouponOrders)+" "+percentage(g.CouponShare), cli.Number(g.OffersSent), cli.Number(g.OffersAccepted))
}

func bought(g *document.Group) string { return cli.Number(g.Buyers) + " " + percentage(g.BoughtShare) }

// percentage formats a share to a tenth of a percent, and an unknown share as a dash.
func percentage(share *float64) string {
	if share == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100**share)
}

// revenueRow has two rows for one currency: per person, where the groups can be compared, and in total. The difference
// is of the means, so it has an interval; totals depend on how large the groups are.
func revenueRow(t *cli.Table, r *document.Revenue) {
	difference, interval := "unknown: too few people, or no variance", ""
	if d := r.Incremental; d != nil {
		difference, interval = fmt.Sprintf("%+.2f", d.Difference), fmt.Sprintf("%+.2f to %+.2f", d.Low, d.High)
	}
	t.Row(r.Currency+" per person", fmt.Sprintf("%.2f", r.ControlPerPerson), fmt.Sprintf("%.2f", r.RestPerPerson), difference, interval)
	t.Row(r.Currency+" in total", r.ControlTotal.String(), r.RestTotal.String())
}

// bandRow is one group within one band. Sums of several currencies stand side by side and are not added.
func bandRow(t *cli.Table, band, group string, g *document.Group, revenue []document.Revenue, mean func(*document.Revenue) float64) {
	spent := ""
	for i := range revenue {
		spent += fmt.Sprintf("%.2f %s  ", mean(&revenue[i]), revenue[i].Currency)
	}
	t.Row(band, group, cli.Number(g.People), bought(g), spent)
}
