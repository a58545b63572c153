package try

import (
	"github.com/kindred-id/kindred/bench/golden"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

func newScoreGolden() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "golden IN.csv",
		Short: "Compute the rows of a table of CLV values, to compare",
		Long: `Compute the rows of a table of CLV values, and write the table with one more column, got.

Columns, found by name in the header: model (bgnbd, mbgnbd, pnbd, gg), fn (ll, palive, cond, dert),
p1 to p4 (r, alpha, a, b; of pnbd r, alpha, s, beta; of gg p, q, gamma), x, tx_or_zbar, T, t, delta.

  ll      log-likelihood of one customer
  palive  chance that the customer has not left
  cond    expected occasions in (T, T+t]; of gg: expected value of an occasion
  dert    expected occasions to come, discounted at the continuous rate delta, until t where it is given

Other columns are kept. A row that can't be computed is an error that names its line.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file to write; - is standard output")
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
