package try

import (
	"fmt"

	"github.com/kindred-id/kindred/bench/replay"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

func newScoreReplay() *cobra.Command {
	var out string
	var o replay.Options
	cmd := &cobra.Command{
		Use:   "replay STREAM.csv",
		Short: "Answer the queries in a stream of orders and offers with scores",
		Long: `Read a stream of orders, offers and merges, and write the scores of every query in it, one line each, in order.
A query sees the rows before it and none after. Nothing else is read or kept: no data directory.

Columns, found by name in the header: ts, kind, profile, order_id, gross, discount, coupon, ref, offer_class,
until. By kind:

  order   an order of gross (before any reduction), less discount (all reductions), of which coupon is a coupon's part
  offer   offer ref, of class offer_class, was made to the profile; open until until (30 days where that is empty)
  redeem  the profile accepted offer ref
  merge   profile and ref are one person from now on
  fit     fit all parameters to the profiles as of ts; before the first fit they are those of the cold start
  query   write the scores of the profile as of ts, ref first; offer_class is the class for offer_prob

Times are RFC 3339, YYYY-MM-DD, YYYY-MM-DD hh:mm:ss (UTC), or seconds or milliseconds since 1970. An order is the same
whenever its order_id comes again, and so are an offer and its redemption by ref; the order of rows does not matter, but for
queries. A fit is made when the next query needs it, of all rows before that query.

Answers: query, x, t_x, T (repeat days with an order, weeks to the last and to ts), p_alive, exp_orders and exp_value over the horizon,
undiscounted, discount_affinity, offer_prob, uplift_ratio, and the counts n_orders, n_disc, n_coupon (orders; with a
reduction; with a coupon), n_offers, n_accepted (offers that were accepted or have closed; accepted).

A row that is none ends it with exit code 1 and its line.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file to write; - is standard output")
	cmd.Flags().Float64Var(&o.HorizonWeeks, "horizon-weeks", 39, "how far expected orders and value look")
	o.Model = replay.DefaultModel
	cmd.Flags().Var(cli.Choose(&o.Model, replay.Models()), "model", "model of when customers buy: pareto-nbd, bg-nbd, mbg-nbd or nbd")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !(o.HorizonWeeks > 0) {
			return cli.UsageError("--horizon-weeks %v: want more than 0", o.HorizonWeeks)
		}
		o.Note = func(err error) { fmt.Fprintf(cmd.ErrOrStderr(), "kindred: %s: %v\n", args[0], err) }
		in, err := cli.OpenInfile(args[0])
		if err != nil {
			return err
		}
		defer in.Close()
		to, err := cli.CreateOutfile(out, cmd.OutOrStdout())
		if err != nil {
			return err
		}
		if err := replay.Run(in, to, o); err != nil {
			return to.Finish(fmt.Errorf("%s: %w", args[0], err))
		}
		return to.Finish(nil)
	}
	return cmd
}
