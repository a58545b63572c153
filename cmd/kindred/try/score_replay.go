package try

import (
	"fmt"

	"github.com/kindred-id/kindred/bench/replay"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newScoreReplay answers the queries of a recorded stream, as a deployment would have answered at each moment: no
// query sees a later row. Evaluations of the scores run through it. A fit that fails is a note on standard error, and
// the parameters before stay in use.
func newScoreReplay() *cobra.Command {
	var out string
	var o replay.Options
	cmd := &cobra.Command{
		Use:   "replay STREAM.csv",
		Short: "Compute the scores for the queries in a stream of orders and offers",
		Long: `Read a stream of orders, offers and merges, and write the scores of each query in it, one per line, in order.
A query sees only the rows before it. No data directory is read or written.

Columns, found by name in the header: ts, kind, profile, order_id, gross, discount, coupon, ref, offer_class,
until. By kind:

  order   an order of value gross before reductions; discount is the sum of all reductions, coupon the part due to a coupon
  offer   offer ref, of class offer_class, was made to the profile; it is open until the time in until (30 days if empty)
  redeem  the profile accepted offer ref
  merge   profile and ref are one person from now on
  fit     fit all parameters to the profiles as of ts; before the first fit, the cold start applies
  query   write the scores of the profile as of ts, ref first; offer_class is the class for offer_prob

Times are RFC 3339, YYYY-MM-DD, YYYY-MM-DD hh:mm:ss (UTC), or seconds or milliseconds since 1970. Rows with the same
order_id are the same order; rows with the same ref are the same offer and its redemption. The order of rows matters
only for queries. A fit runs when the next query needs it, on all rows before that query.

Columns of the answer: query; x, t_x, T (repeat days with an order, weeks to the last of them, weeks to ts); p_alive;
exp_orders and exp_value over the horizon, undiscounted; discount_affinity; offer_prob; uplift_ratio; and the counts
n_orders, n_disc, n_coupon (orders, those with a reduction, those with a coupon), n_offers, n_accepted (offers accepted
or closed, those accepted).

A row that cannot be read ends the command with exit code 1 and an error that names its line.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file to write; \"-\" is standard output")
	cmd.Flags().Float64Var(&o.HorizonWeeks, "horizon-weeks", 39, "horizon of expected orders and value, in weeks, above 0")
	o.Model = replay.DefaultModel
	cmd.Flags().Var(cli.Choose(&o.Model, replay.Models()), "model", "model of when customers buy: pareto-nbd, bg-nbd, mbg-nbd or nbd")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !(o.HorizonWeeks > 0) {
			return cli.UsageError("score replay: --horizon-weeks %v: want more than 0", o.HorizonWeeks)
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
