package main

import (
	"fmt"
	"io"
	"time"

	"github.com/kindred-id/kindred/api"
	"github.com/kindred-id/kindred/internal/client"
	"github.com/kindred-id/kindred/internal/scorekeeper"
	"github.com/spf13/cobra"
)

func newScoreParams() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "params",
		Short: "Show the parameters that scores are computed with",
		Long: `Show the parameters that scores are computed with: the snapshot in use, of which sample it was made, and when; and the settings
of the deployment.`,
		Args: cobra.NoArgs,
	}
	t := addTarget(cmd)
	out := addOutput(cmd, formatTable, formatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.with(cmd, func(c *client.Client) error {
			d, err := c.Parameters(cmd.Context())
			if err != nil {
				return err
			}
			return out.show(cmd.OutOrStdout(), d, func(w io.Writer) { parametersTable(w, &d) })
		})
	}
	return cmd
}

func newScoreFit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fit",
		Short: "Fit the parameters of the scores to the live profiles now",
		Long: `Fit the parameters of the scores to a sample of the live profiles, and use them from now on. A server does so by itself,
once a day and when there are 5 % more customers with an order.

What can't be fitted keeps its values, and it ends with exit code 5; where nothing can be, with 4.`,
		Args: cobra.NoArgs,
	}
	t := addTarget(cmd)
	out := addOutput(cmd, formatTable, formatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.with(cmd, func(c *client.Client) error {
			d, err := c.Fit(cmd.Context())
			if err != nil {
				return err
			}
			return fitted(cmd, out, &d)
		})
	}
	return cmd
}

// fitted shows what a fit brought, and says what it did not.
func fitted(cmd *cobra.Command, out *output, d *api.ParametersDocument) error {
	if scorekeeper.Result(d.Result) == scorekeeper.Failed {
		return &exitError{exitRefused, fmt.Errorf("nothing is fitted, and version %d stays in use: %s", d.Parameters.Version, d.Kept)}
	}
	err := out.show(cmd.OutOrStdout(), d, func(w io.Writer) { parametersTable(w, d) })
	if err == nil && d.Kept != "" {
		err = &exitError{exitPartial, fmt.Errorf("some parameters keep their values: %s", d.Kept)}
	}
	return err
}

func parametersTable(w io.Writer, d *api.ParametersDocument) {
	var t table
	p := &d.Parameters
	if p.FittedAt == nil {
		t.row("version", "0: the cold start, measured nowhere")
	} else {
		t.row("version", fmt.Sprintf("%d, fitted %s", p.Version, p.FittedAt.Format(time.DateTime)))
		t.row("sample", fmt.Sprintf("%s of %s, %s with an order", number(p.Sample.Sampled), plural(p.Sample.Identities, "identity"), number(p.Sample.Customers)))
	}
	t.row("settings", settings(&d.Settings))
	t.row("buying", fmt.Sprintf("Pareto/NBD r %.4g, alpha %.4g, s %.4g, beta %.4g weeks", p.Orders.R, p.Orders.Alpha, p.Orders.S, p.Orders.Beta), likelihood(p.Orders.LogLikelihood))
	t.row("value", fmt.Sprintf("Gamma-Gamma p %.4g, q %.4g, gamma %.4g minor units", p.Spend.P, p.Spend.Q, p.Spend.Gamma), likelihood(p.Spend.LogLikelihood))
	a := &p.Affinity
	t.row("offers", beta(a.Offers), fmt.Sprintf("%s; intercept %.4g of %s closed", plural(len(a.Classes), "kind"), a.Intercept, number(a.ClosedOffers)))
	t.row("coupons", beta(a.Coupons))
	t.row("reductions", beta(a.Reductions), fmt.Sprintf("depth %.3g", a.Depth))
	t.row("uplift", fmt.Sprintf("ratio %.4g, concentration %.4g", a.Lift, a.LiftConcentration))
	t.row("interests", plural(len(p.Interests.Dealings), "category"), fmt.Sprintf("concentration %.4g", p.Interests.Concentration))
	t.row("RFM edges", fmt.Sprintf("days %v, orders %v, money %v", p.RFM.Days, p.RFM.Orders, p.RFM.Money))
	t.write(w, "")
}

func settings(s *api.ScoreSettings) string {
	horizon := "all the future"
	if s.HorizonDays != nil {
		horizon = fmt.Sprintf("%v days", *s.HorizonDays)
	}
	return fmt.Sprintf("lifetime value over %s, margin %v, discount %v a year", horizon, s.Margin, s.AnnualDiscount)
}

func likelihood(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("log-likelihood %.1f", *v)
}

func beta(b api.BetaDocument) string {
	if !b.Measured {
		return "not measured"
	}
	return fmt.Sprintf("beta %.4g, %.4g: %.1f %% on average", b.A, b.B, 100*b.Mean)
}
