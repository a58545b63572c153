package try

import (
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

func newScore() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "score",
		Short: "Fit, show and evaluate the scores",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newScoreGolden(), newScoreReplay(), newScoreParams(), newScoreFit(), newScoreReport())
	for _, c := range cmd.Commands() {
		c.Args = cli.UsageArgs(c.Args)
	}
	return cmd
}
