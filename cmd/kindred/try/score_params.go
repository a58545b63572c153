package try

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/spf13/cobra"
)

// newScoreParams prints the snapshot of parameters that scores are computed with at the moment.
func newScoreParams() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "params",
		Short: "Show the parameters that scores are computed with",
		Long: `Show the parameters that scores are computed with: the snapshot in use, its sample, when it was fitted, and
the settings of the deployment.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Scores.Parameters(cmd.Context())
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), d, func(w io.Writer) { parametersTable(w, &d) })
		})
	}
	return cmd
}

// newScoreFit has the deployment fit its parameters, and waits. The answer is the same document as that of params,
// with what became of the fit; fitted turns that into an exit code.
func newScoreFit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fit",
		Short: "Fit the parameters of the scores to the live profiles now",
		Long: `Fit the parameters of the scores to a sample of the live profiles, and use them from now on. A server does this by
itself once a day, and when the number of customers with an order has grown by 5 %.

Parameters that cannot be fitted keep their values, and the exit code is 5. If none can be fitted, it is 4.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Scores.Fit(cmd.Context())
			if err != nil {
				return err
			}
			return fitted(cmd, out, &d)
		})
	}
	return cmd
}

// fitted shows the parameters of a fit, and reports those that could not be fitted.
func fitted(cmd *cobra.Command, out *cli.Output, d *document.Parameters) error {
	if scoring.Result(d.Result) == scoring.Failed {
		return cli.Exit(cli.ExitRefused, fmt.Errorf("nothing was fitted, and version %d stays in use: %s", d.Parameters.Version, d.Kept))
	}
	err := out.Show(cmd.OutOrStdout(), d, func(w io.Writer) { parametersTable(w, d) })
	if err == nil && d.Kept != "" {
		err = cli.Exit(cli.ExitPartial, fmt.Errorf("some parameters keep their values: %s", d.Kept))
	}
	return err
}

// parametersTable has a row for each part of the snapshot: where it comes from, its parameters as the papers name
// them, and what they mean for this shop in words.
func parametersTable(w io.Writer, d *document.Parameters) {
	var head, t cli.Table
	p := &d.Parameters
	if p.FittedAt == nil {
		head.Row("version", "0: the cold start, based on no data; run kindred score fit")
	} else {
		head.Row("version", fmt.Sprintf("%d, fitted %s UTC", p.Version, p.FittedAt.Format(time.DateTime)))
		head.Row("sample", fmt.Sprintf("%s of %s, %s with an order", cli.Number(p.Sample.Sampled), cli.Plural(p.Sample.Identities, "identity"), cli.Number(p.Sample.Customers)))
	}
	head.Row("settings", settings(&d.Settings))
	head.Write(w, "")
	fmt.Fprintln(w)

	t.Row("part", "from", "parameters", "meaning")
	o, v, a := &p.Orders, &p.Spend, &p.Affinity
	t.Row("buying", origin(o.LogLikelihood != nil), fmt.Sprintf("Pareto/NBD r %.4g, alpha %.4g, s %.4g, beta %.4g weeks", o.R, o.Alpha, o.S, o.Beta),
		fmt.Sprintf("an order every %.3g weeks while a customer; half have left after %.3g weeks%s", o.Alpha/o.R, halfLeft(o.S, o.Beta), likelihood(o.LogLikelihood)))
	t.Row("value", origin(v.LogLikelihood != nil), fmt.Sprintf("Gamma-Gamma p %.4g, q %.4g, gamma %.4g", v.P, v.Q, v.Gamma),
		fmt.Sprintf("an order is worth %.0f minor units, such as cents%s", score.GammaGamma{P: v.P, Q: v.Q, Gamma: v.Gamma}.Population(), likelihood(v.LogLikelihood)))
	t.Row("offers", origin(a.Offers.Measured), beta(a.Offers), share(a.Offers, "of closed offers were accepted"))
	t.Row("coupons", origin(a.Coupons.Measured), beta(a.Coupons), share(a.Coupons, "of orders have a coupon"))
	t.Row("reductions", origin(a.Reductions.Measured), beta(a.Reductions), share(a.Reductions, "of orders are reduced"))
	t.Row("depth", origin(a.Depth > 0), fmt.Sprintf("%.3g", a.Depth), fmt.Sprintf("a reduced order is %.1f %% off", 100*a.Depth))
	t.Row("offer base", origin(a.ClosedOffers > 0), fmt.Sprintf("intercept %.4g", a.Intercept),
		fmt.Sprintf("log-odds that calibrate offer probability over %s of %s", cli.Plural(a.ClosedOffers, "closed offer"), cli.Plural(len(a.Classes), "kind")))
	t.Row("uplift", origin(a.Lift != 1), fmt.Sprintf("ratio %.4g, concentration %.4g", a.Lift, a.LiftConcentration),
		fmt.Sprintf("%.3g times as many orders a day with an offer open as without", a.Lift))
	t.Row("interests", origin(len(p.Interests.Dealings) > 0), fmt.Sprintf("concentration %.4g", p.Interests.Concentration),
		fmt.Sprintf("%s; a customer's own dealings weigh half once there are %.0f", cli.Plural(len(p.Interests.Dealings), "category"), p.Interests.Concentration))
	t.Row("RFM", origin(p.Version > 0), fmt.Sprintf("days %v, orders %v, money %v", p.RFM.Days, p.RFM.Orders, p.RFM.Money), "edges of the fifths of customers; money in minor units")
	t.Write(w, "")
}

// origin names the source of a parameter: fitted to data, or the cold start that stands in for data.
func origin(measured bool) string {
	if measured {
		return "fitted"
	}
	return "cold start"
}

// halfLeft returns the weeks after which half of all customers have left: the median of a Pareto distribution of the
// second kind.
func halfLeft(s, beta float64) float64 { return beta * math.Expm1(math.Ln2/s) }

// settings describes what of the future counts as lifetime value. A missing horizon is an infinite one: JSON has no
// number for it.
func settings(s *document.ScoreSettings) string {
	horizon := "an infinite horizon"
	if s.HorizonDays != nil {
		horizon = fmt.Sprintf("%v days", *s.HorizonDays)
	}
	return fmt.Sprintf("lifetime value over %s, margin %v, discount %v a year", horizon, s.Margin, s.AnnualDiscount)
}

// likelihood is the quality of a fit, for comparison with another fit of the same sample; nothing for a part that was
// not fitted.
func likelihood(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("; log-likelihood %.1f", *v)
}

func beta(b document.Beta) string { return fmt.Sprintf("beta %.4g, %.4g", b.A, b.B) }

// share describes a rate. The rate of a cold start was not measured, so it shows no number.
func share(b document.Beta, of string) string {
	if !b.Measured {
		return "not known yet: the share " + of
	}
	return fmt.Sprintf("%.1f %% %s", 100*b.Mean, of)
}
