package fit

import (
	"fmt"

	"github.com/kindred-id/kindred/graph/score"
)

// betaBinomial fits the distribution of a chance over customers: a beta distribution with parameters
// a and b, of mean a/(a+b). How much customers differ is told by those with two trials or more; without any,
// a and b say the mean and little else.
func betaBinomial(sample *trialCells, o Options) (a, b float64, q Quality, err error) {
	const name = "Beta-Binomial"
	cells, err := sample.sorted()
	if err != nil {
		return 0, 0, Quality{}, fmt.Errorf("fit %s: %w", name, err)
	}
	var customers, trials float64
	for _, c := range cells {
		customers += c.weight
		trials += c.weight * c.cell.N
	}
	if trials == 0 {
		return 0, 0, Quality{}, fmt.Errorf("fit %s: %w: no trial of any of %v customers", name, ErrSample, customers)
	}
	s := newSearch(name, []parameter{{name: "a", start: 1}, {name: "b", start: 1}}, customers, o, func(theta []float64) float64 {
		sum := 0.0
		for _, c := range cells {
			sum += c.weight * score.BetaBinomialLogLikelihood(theta[0], theta[1], c.cell.N, c.cell.D)
		}
		return sum
	})
	theta, quality, err := s.run()
	quality.Cells = len(cells)
	if err != nil {
		return 0, 0, quality, err
	}
	return theta[0], theta[1], quality, nil
}
