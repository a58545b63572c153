package fit

import (
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph/score"
)

// GammaGamma fits the Gamma-Gamma model. Take all occasions of every customer: in the textbook the first
// is left out, which tells less.
//
// Its q is kept above 1, where the population has a mean.
func GammaGamma(sample *Spends, o Options) (score.GammaGamma, Quality, error) {
	const name = "Gamma-Gamma"
	cells, err := sample.sorted()
	if err != nil {
		return score.GammaGamma{}, Quality{}, fmt.Errorf("fit %s: %w", name, err)
	}
	var customers, occasions, lnMean float64
	for _, c := range cells {
		customers += c.weight
		occasions += c.weight * c.cell.N
		lnMean += c.weight * math.Log(c.cell.Z)
	}
	if occasions <= customers {
		return score.GammaGamma{}, Quality{}, fmt.Errorf("fit %s: %w: none of %v customers bought more than once, so nothing tells how one customer's orders differ from how customers do", name, ErrSample, customers)
	}
	unit := math.Exp(-lnMean / customers)
	model := func(theta []float64) score.GammaGamma {
		return score.GammaGamma{P: theta[0], Q: 1 + theta[1], Gamma: theta[2]}
	}
	parameters := []parameter{{name: "p", start: 2}, {name: "q - 1", start: 2}, {name: "gamma", start: 1}}
	s := newSearch(name, parameters, customers, o, func(theta []float64) float64 {
		m := model(theta)
		sum := 0.0
		for _, c := range cells {
			sum += c.weight * m.LogLikelihood(c.cell.N, c.cell.Z*unit)
		}
		return sum
	})
	theta, quality, err := s.run()
	quality.Cells = len(cells)
	quality.LogLikelihood += customers * math.Log(unit) // the density of each mean is per unit of money
	if err != nil {
		return score.GammaGamma{}, quality, err
	}
	theta[2] /= unit
	return model(theta), quality, nil
}
