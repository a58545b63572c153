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

func newScoreReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Compare the control group with everybody else: who bought, and what they spent",
		Long: `Compare the control group (--control-share of the server, or of this command with --data) with everybody else, over the last
days: who bought, what they spent in each currency, and which offers they got. Differences are the rest less the control group, with intervals of 95 %.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	days := cmd.Flags().Int("window-days", scoring.DaysDefault, "how many days before now count")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *days < 1 || *days > scoring.DaysMax {
			return cli.UsageError("report: --window-days %d: want 1 to %d", *days, scoring.DaysMax)
		}
		return t.With(cmd, func(c *client.Client) error {
			r, err := c.ScoreReport(cmd.Context(), *days)
			if err != nil {
				return err
			}
			if !r.Settled {
				fmt.Fprintln(cmd.ErrOrStderr(), "kindred: events were under way all the time: the newest may be missing from the report")
			}
			return out.Show(cmd.OutOrStdout(), r, func(w io.Writer) { scoreReportTable(w, &r) })
		})
	}
	return cmd
}

func scoreReportTable(w io.Writer, r *document.ScoreReport) {
	fmt.Fprintf(w, "%s to %s, %s; control group of %s\n\n", cli.When(r.From), cli.When(r.AsOf), cli.Plural(r.WindowDays, "day"), percentage(&r.ControlShare))
	var t cli.Table
	t.Row("group", "people", "bought", "orders", "with a coupon", "offers sent", "accepted")
	groupRow(&t, "control", &r.Control)
	groupRow(&t, "rest", &r.Rest)
	t.Write(w, "")

	fmt.Fprintln(w, "\nwhat offers changed, rest less control")
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

	fmt.Fprintln(w, "\nby discount affinity, as it was when the window began")
	t = cli.Table{}
	t.Row("band", "group", "people", "bought", "revenue a person")
	for i := len(r.Bands) - 1; i >= 0; i-- {
		b := &r.Bands[i]
		bandRow(&t, b.Band, "control", &b.Control, b.Revenue, func(r *document.Revenue) float64 { return r.ControlPerPerson })
		bandRow(&t, "", "rest", &b.Rest, b.Revenue, func(r *document.Revenue) float64 { return r.RestPerPerson })
	}
	t.Write(w, "  ")
	if r.Control.People == 0 {
		fmt.Fprintln(w, "\nNobody is in a control group, so what offers change can't be told: start kindred serve with --control-share.")
	}
}

func groupRow(t *cli.Table, name string, g *document.Group) {
	t.Row(name, cli.Number(g.People), bought(g), cli.Number(g.Orders), cli.Number(g.CouponOrders)+" "+percentage(g.CouponShare), cli.Number(g.OffersSent), cli.Number(g.OffersAccepted))
}

func bought(g *document.Group) string { return cli.Number(g.Buyers) + " " + percentage(g.BoughtShare) }

// percentage is a share with a tenth of a percent; of nothing it is a dash.
func percentage(share *float64) string {
	if share == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100**share)
}

func revenueRow(t *cli.Table, r *document.Revenue) {
	difference, interval := "can't be told: too few people, or all alike", ""
	if d := r.Incremental; d != nil {
		difference, interval = fmt.Sprintf("%+.2f", d.Difference), fmt.Sprintf("%+.2f to %+.2f", d.Low, d.High)
	}
	t.Row(r.Currency+" a person", fmt.Sprintf("%.2f", r.ControlPerPerson), fmt.Sprintf("%.2f", r.RestPerPerson), difference, interval)
	t.Row(r.Currency+" in all", r.ControlTotal.String(), r.RestTotal.String())
}

func bandRow(t *cli.Table, band, group string, g *document.Group, revenue []document.Revenue, mean func(*document.Revenue) float64) {
	spent := ""
	for i := range revenue {
		spent += fmt.Sprintf("%.2f %s  ", mean(&revenue[i]), revenue[i].Currency)
	}
	t.Row(band, group, cli.Number(g.People), bought(g), spent)
}
