package fit

import (
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph/score"
)

// ParetoNBD fits the Pareto/NBD model.
func ParetoNBD(sample *Timings, o Options) (score.ParetoNBD, Quality, error) {
	return family[score.ParetoNBD]{
		name: "Pareto/NBD",
		parameters: []parameter{
			{name: "r", start: 1},
			{name: "alpha", start: ageScaled / 4, time: true},
			{name: "s", start: 1},
			{name: "beta", start: ageScaled / 4, time: true},
		},
		model: func(p []float64) score.ParetoNBD { return score.ParetoNBD{R: p[0], Alpha: p[1], S: p[2], Beta: p[3]} },
	}.fit(sample, o)
}

// BGNBD fits the BG/NBD model.
func BGNBD(sample *Timings, o Options) (score.BGNBD, Quality, error) {
	return family[score.BGNBD]{
		name:       "BG/NBD",
		parameters: betaGeometric,
		model:      func(p []float64) score.BGNBD { return score.BGNBD{R: p[0], Alpha: p[1], A: p[2], B: p[3]} },
	}.fit(sample, o)
}

// MBGNBD fits the MBG/NBD model.
func MBGNBD(sample *Timings, o Options) (score.MBGNBD, Quality, error) {
	return family[score.MBGNBD]{
		name:       "MBG/NBD",
		parameters: betaGeometric,
		model:      func(p []float64) score.MBGNBD { return score.MBGNBD{R: p[0], Alpha: p[1], A: p[2], B: p[3]} },
	}.fit(sample, o)
}

var betaGeometric = []parameter{
	{name: "r", start: 1},
	{name: "alpha", start: ageScaled / 4, time: true},
	{name: "a", start: 1},
	{name: "b", start: 2},
}

// NBD fits the NBD model.
func NBD(sample *Timings, o Options) (score.NBD, Quality, error) {
	return family[score.NBD]{
		name: "NBD",
		parameters: []parameter{
			{name: "r", start: 1},
			{name: "alpha", start: ageScaled / 4, time: true},
		},
		model: func(p []float64) score.NBD { return score.NBD{R: p[0], Alpha: p[1]} },
	}.fit(sample, o)
}

// BGBB fits the BG/BB model. The sample's times count opportunities.
func BGBB(sample *Timings, o Options) (score.BGBB, Quality, error) {
	return family[score.BGBB]{
		name: "BG/BB",
		parameters: []parameter{
			{name: "alpha", start: 1},
			{name: "beta", start: 1},
			{name: "gamma", start: 1},
			{name: "delta", start: 2},
		},
		model: func(p []float64) score.BGBB { return score.BGBB{Alpha: p[0], Beta: p[1], Gamma: p[2], Delta: p[3]} },
	}.fit(sample, o)
}

// ageScaled is the mean age of a customer in scaled time.
const ageScaled = 10

// parameter is a parameter and where the search for it starts, in scaled time where it is one.
type parameter struct {
	name  string
	start float64
	time  bool
}

// family is a model with its parameters open.
type family[M score.Model] struct {
	name       string
	parameters []parameter
	model      func(theta []float64) M
}

func (f family[M]) fit(sample *Timings, o Options) (M, Quality, error) {
	var none M
	cells, err := sample.sorted()
	if err != nil {
		return none, Quality{}, fmt.Errorf("fit %s: %w", f.name, err)
	}
	var customers, repeats, age float64
	for _, c := range cells {
		customers += c.weight
		repeats += c.weight * c.cell.X
		age += c.weight * c.cell.T
	}
	if repeats == 0 {
		return none, Quality{}, fmt.Errorf("fit %s: %w: none of %v customers bought again", f.name, ErrSample, customers)
	}
	if age == 0 {
		return none, Quality{}, fmt.Errorf("fit %s: %w: no time has passed since the first purchase of any of %v customers", f.name, ErrSample, customers)
	}
	unit := 1.0
	if f.hasTime() {
		unit = ageScaled * customers / age
	}
	histories := make([]score.History, len(cells))
	for i, c := range cells {
		histories[i] = score.History{X: c.cell.X, Tx: c.cell.Tx * unit, T: c.cell.T * unit}
	}
	s := newSearch(f.name, f.parameters, customers, o, func(theta []float64) float64 {
		m := f.model(theta)
		sum := 0.0
		for i := range histories {
			sum += cells[i].weight * m.LogLikelihood(histories[i])
		}
		return sum
	})
	theta, quality, err := s.run()
	quality.Cells = len(cells)
	// Each purchase's density is per unit of time.
	quality.LogLikelihood += repeats * math.Log(unit)
	if err != nil {
		return none, quality, err
	}
	for i, p := range f.parameters {
		if p.time {
			theta[i] /= unit
		}
	}
	return f.model(theta), quality, nil
}

// hasTime reports whether time is continuous, so that its unit is free.
func (f family[M]) hasTime() bool {
	for _, p := range f.parameters {
		if p.time {
			return true
		}
	}
	return false
}
