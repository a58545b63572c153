package try

import (
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newScore groups the commands about scores. params, fit and report ask a deployment; golden and replay compute from a
// file alone, for comparison with other programs.
func newScore() *cobra.Command {
	return cli.Group("score", "Fit, show and evaluate the scores", "",
		newScoreGolden(), newScoreReplay(), newScoreParams(), newScoreFit(), newScoreReport())
}
