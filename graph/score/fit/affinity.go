package fit

import (
	"fmt"

	"github.com/kindred-id/kindred/graph/score"
)

// Affinity fits the parameters of the affinity scores, but for the intercept, which a score.Calibration finds. A
// parameter that the sample is too small for keeps its cold-start value. The error says which distribution could not be fitted.
func Affinity(sample *score.AffinitySample, o Options) (score.AffinityParameters, error) {
	return affinity(sample, func(t *trialCells) (score.Beta, Quality, error) { return betaOf(t, o) })
}

// betaOf is betaBinomial with its result as a score.Beta.
func betaOf(t *trialCells, o Options) (score.Beta, Quality, error) {
	a, b, q, err := betaBinomial(t, o)
	return score.Beta{A: a, B: b}, q, err
}

func affinity(sample *score.AffinitySample, fit func(*trialCells) (score.Beta, Quality, error)) (score.AffinityParameters, error) {
	p, err := sample.Fit(func(cells []score.TrialCell) (score.Beta, error) {
		var trials trialCells
		for _, c := range cells {
			trials.Add(trialCell{N: float64(c.Of), D: float64(c.Won)}, c.Customers)
		}
		fitted, _, err := fit(&trials)
		return fitted, err
	})
	if err != nil {
		return score.AffinityParameters{}, fmt.Errorf("affinity: %w", err)
	}
	return p, nil
}
