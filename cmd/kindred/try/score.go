package try

import (
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

func newScore() *cobra.Command {
	return cli.Group("score", "Fit, show and evaluate the scores", "",
		newScoreGolden(), newScoreReplay(), newScoreParams(), newScoreFit(), newScoreReport())
}
