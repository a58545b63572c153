package try

import (
	"github.com/kindred-id/kindred/bench/golden"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newScoreGolden computes one column of a table, which bench/golden describes. The table is read whole before the file
// is made, so an unreadable row leaves no file.
func newScoreGolden() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "golden IN.csv",
		Short: "Compute the values of a table of lifetime-value models, for comparison",
		Long: `Compute a value for each row of a table of lifetime-value models, and write the table with one more column, got.

Columns, found by name in the header: model (bgnbd, mbgnbd, pnbd, gg), fn (ll, palive, cond, dert),
p1 to p4 (r, alpha, a, b; for pnbd r, alpha, s, beta; for gg p, q, gamma), x, tx_or_zbar, T, t, delta.

  ll      log-likelihood of one customer
  palive  probability that the customer has not left
  cond    expected occasions in (T, T+t]; for gg, the expected value of an occasion
  dert    expected future occasions, discounted at the continuous rate delta, up to t if it is given

Other columns are kept. A row that cannot be computed is an error that names its line.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file to write; \"-\" is standard output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in, err := cli.OpenInfile(args[0])
		if err != nil {
			return err
		}
		defer in.Close()
		table, err := golden.ReadGolden(in)
		if err != nil {
			return err
		}
		o, err := cli.CreateOutfile(out, cmd.OutOrStdout())
		if err != nil {
			return err
		}
		return o.Finish(table.WriteGot(o))
	}
	return cmd
}
