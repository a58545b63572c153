package fit

import "errors"

// ridges are tried one after another, for a sample whose likelihood is flat has its optimum only with a pull.
var ridges = [...]float64{0, 1e-5, 1e-3}

// WithRidges fits with Options.Ridge as it is by default, and where that finds no optimum (ErrNoOptimum) with
// stronger ones: a small or uniform sample does not tell all parameters, and what it does not tell matters little to
// what is foretold. Other errors, and the last, come back.
func WithRidges[S, M any](fit func(S, Options) (M, Quality, error), sample S) (m M, q Quality, err error) {
	for _, ridge := range ridges {
		if m, q, err = fit(sample, Options{Ridge: ridge}); !errors.Is(err, ErrNoOptimum) {
			break
		}
	}
	return m, q, err
}
