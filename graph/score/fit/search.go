package fit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// Errors of a fit. The parameters in use before stay right to use.
var (
	// ErrCell is returned when a cell holds what no customer can have.
	ErrCell = errors.New("customer: impossible history")
	// ErrSample is returned when the sample does not say enough, whatever its size.
	ErrSample = errors.New("the sample says too little")
	// ErrNoOptimum is returned when the search ended elsewhere than at an optimum.
	ErrNoOptimum = errors.New("no optimum found")
)

// Options of a fit. The zero value is the default.
type Options struct {
	// Ridge pulls parameters back to where the search began: Ridge · Σ (ln θ - ln start)² is taken off
	// the mean log-likelihood of a customer. 0 means 1e-6; a negative value means no penalty.
	//
	// At the default it only tells where the likelihood does not. Stronger, it moves what the data do tell: 1e-3
	// moves beta of Pareto/NBD on the CDNOW sample by 15 % (TestRidgeOnPublished).
	Ridge float64
}

const defaultRidge = 1e-6

// Quality says how a fit went.
type Quality struct {
	LogLikelihood float64 // of the sample, without the ridge
	Customers     uint64
	Cells         int
	Evaluations   int      // of the sample's likelihood
	AtBound       []string // parameters that ran to a bound: the sample can't tell them from infinity, or 0
}

// lnBound bounds the logarithms of the scaled parameters.
const lnBound = 8

// search is one search for parameters.
type search struct {
	model         string
	parameters    []parameter
	logLikelihood func(theta []float64) float64 // of the sample
	customers     float64
	ridge         float64
	evaluations   int
}

const (
	simplexEvaluationsMax = 500
	newtonIterationsMax   = 60
	gradientStep          = 1e-5
	hessianStep           = 1e-3
	gradientEnough        = 1e-9 // the search stops
	gradientOptimum       = 1e-7 // and is taken to have ended at an optimum
)

func newSearch(model string, parameters []parameter, customers float64, o Options, logLikelihood func(theta []float64) float64) *search {
	s := &search{model: model, parameters: parameters, logLikelihood: logLikelihood, customers: customers, ridge: o.Ridge}
	switch {
	case o.Ridge == 0:
		s.ridge = defaultRidge
	case o.Ridge < 0:
		s.ridge = 0
	}
	return s
}

// run finds the parameters. Nelder and Mead's simplex comes near, from wherever; Newton's method
// finishes, with derivatives by central differences: the likelihood is smooth to 1e-14.
func (s *search) run() (theta []float64, q Quality, err error) {
	w := make([]float64, len(s.parameters))
	for i, p := range s.parameters {
		w[i] = free(math.Log(p.start))
	}
	near, err := optimize.Minimize(optimize.Problem{Func: s.objective}, w, &optimize.Settings{
		FuncEvaluations: simplexEvaluationsMax,
		Converger:       &optimize.FunctionConverge{Absolute: 1e-6, Iterations: 20},
	}, &optimize.NelderMead{SimplexSize: 0.5})
	if err != nil {
		return nil, Quality{}, fmt.Errorf("fit %s: %w: the simplex: %w", s.model, ErrNoOptimum, err)
	}
	end := near.X
	found, err := optimize.Minimize(optimize.Problem{Func: s.objective, Grad: s.gradient, Hess: s.hessian}, near.X, &optimize.Settings{
		MajorIterations:   newtonIterationsMax,
		GradientThreshold: gradientEnough,
		Converger:         optimize.NeverTerminate{},
	}, &optimize.Newton{})
	if found != nil {
		end = found.X
	}
	// A line search that finds nothing better is an error to the optimizer, and what happens at an
	// optimum known to the last digit. The slope says which it was.
	slope := make([]float64, len(end))
	s.gradient(slope, end)
	if steepest := max(slices.Max(slope), -slices.Min(slope)); !(steepest <= gradientOptimum) {
		stopped := "the limit of iterations"
		if err != nil {
			stopped = err.Error()
		}
		return nil, Quality{}, fmt.Errorf("fit %s: %w: a slope of %.2g is left at %s after %d evaluations (%s); a larger sample or Options.Ridge helps",
			s.model, ErrNoOptimum, steepest, s.describe(s.theta(end)), s.evaluations, stopped)
	}
	theta = s.theta(end)
	return theta, Quality{
		LogLikelihood: s.logLikelihood(theta),
		Customers:     uint64(s.customers),
		Evaluations:   s.evaluations,
		AtBound:       s.atBound(theta),
	}, nil
}

// free maps a bounded logarithm to the whole line, which is what is searched.
func free(ln float64) float64 { return lnBound * math.Atanh(ln/lnBound) }

// bounded is the inverse of free.
func bounded(w float64) float64 { return lnBound * math.Tanh(w/lnBound) }

// theta gives the scaled parameters at a point of the search.
func (s *search) theta(w []float64) []float64 {
	theta := make([]float64, len(w))
	for i := range w {
		theta[i] = math.Exp(bounded(w[i]))
	}
	return theta
}

// objective is what is minimised.
func (s *search) objective(w []float64) float64 {
	s.evaluations++
	pull := 0.0
	for i := range w {
		d := bounded(w[i]) - math.Log(s.parameters[i].start)
		pull += d * d
	}
	return s.ridge*pull - s.logLikelihood(s.theta(w))/s.customers
}

func (s *search) gradient(gradient, w []float64) {
	at := slices.Clone(w)
	for i := range at {
		at[i] = w[i] + gradientStep
		above := s.objective(at)
		at[i] = w[i] - gradientStep
		gradient[i] = (above - s.objective(at)) / (2 * gradientStep)
		at[i] = w[i]
	}
}

func (s *search) hessian(hessian *mat.SymDense, w []float64) {
	const h = hessianStep
	at := slices.Clone(w)
	value := func(i, j int, di, dj float64) float64 {
		at[i] += di
		at[j] += dj
		v := s.objective(at)
		at[i], at[j] = w[i], w[j]
		return v
	}
	centre := s.objective(w)
	for i := range w {
		hessian.SetSym(i, i, (value(i, i, h/2, h/2)+value(i, i, -h/2, -h/2)-2*centre)/(h*h))
		for j := range i {
			hessian.SetSym(i, j, (value(i, j, h, h)-value(i, j, h, -h)-value(i, j, -h, h)+value(i, j, -h, -h))/(4*h*h))
		}
	}
}

// atBound names the parameters that ran to a bound.
func (s *search) atBound(theta []float64) []string {
	var names []string
	for i, v := range theta {
		if math.Abs(math.Log(v)) > 0.98*lnBound {
			names = append(names, s.parameters[i].name)
		}
	}
	return names
}

// describe gives the scaled parameters for an error.
func (s *search) describe(theta []float64) string {
	parts := make([]string, len(theta))
	for i, v := range theta {
		parts[i] = fmt.Sprintf("%s %.4g", s.parameters[i].name, v)
	}
	return strings.Join(parts, ", ") + " (scaled)"
}
