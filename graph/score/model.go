package score

import (
	"errors"
	"fmt"
	"math"
)

// Model is a model of when a customer buys and leaves. Its times are in weeks, or in whatever unit
// its parameters were fitted in.
//
// All methods take any history, and any time: what is negative or not a number counts as 0. They
// REQUIRE that Validate returns nil.
type Model interface {
	// LogLikelihood of one customer's history.
	LogLikelihood(h History) float64
	// Alive is the chance that the customer has not left for good.
	Alive(h History) float64
	// Orders is the expected number of occasions in the next t weeks.
	Orders(h History, t float64) float64
	// BuysWithin is the chance of at least one occasion in the next t weeks.
	BuysWithin(h History, t float64) float64
	// Discounted is the expected number of occasions to come, each worth less the later it comes.
	Discounted(h History, d Discount) float64
	// Validate says which parameter is no parameter of this model.
	Validate() error
}

// Discount says for how long the future counts, and how fast it fades. The zero value counts nothing.
type Discount struct {
	rate    float64
	horizon float64
}

// errDiscount is returned when a future would be worth an infinite amount, or none.
var errDiscount = errors.New("discount: invalid")

// rateMin is the least rate that keeps an infinite future finite in floating point.
const rateMin = 1e-12

// NewDiscount makes a discount with a continuous rate per week (0 to let nothing fade) and a horizon in weeks
// (math.Inf(1) for all the future, which needs a rate of at least 1e-12).
func NewDiscount(rate, horizon float64) (Discount, error) {
	switch {
	case !(rate >= 0) || rate > 1e9:
		return Discount{}, fmt.Errorf("%w: a rate of %v a week; give one from 0 to 1e9", errDiscount, rate)
	case !(horizon > 0):
		return Discount{}, fmt.Errorf("%w: a horizon of %v weeks; give one above 0", errDiscount, horizon)
	case math.IsInf(horizon, 1) && rate < rateMin:
		return Discount{}, fmt.Errorf("%w: all the future at a rate of %v a week; give a rate of at least %v, or a horizon", errDiscount, rate, rateMin)
	}
	return Discount{rate: rate, horizon: min(horizon, timeMax)}, nil
}

// effective is the horizon beyond which nothing is left of the value.
func (d Discount) effective() float64 {
	const faded = 50 // e^-50
	if d.rate*d.horizon > faded {
		return faded / d.rate
	}
	return d.horizon
}

// errParameter is returned for a parameter that its model does not admit.
var errParameter = errors.New("model: invalid parameter")

// parameter is a model's parameter as an error speaks of it.
type parameter struct {
	name  string
	value float64
}

const parameterMax = 1e12

// positive checks the parameters of a model.
func positive(model string, parameters ...parameter) error {
	for _, p := range parameters {
		if !(p.value > 0 && p.value <= parameterMax) {
			return fmt.Errorf("%w: %s of %s is %v; give one above 0 and up to %v", errParameter, p.name, model, p.value, parameterMax)
		}
	}
	return nil
}
