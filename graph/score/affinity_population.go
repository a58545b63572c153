package score

import (
	"errors"
	"fmt"
	"maps"
	"math"
)

// Beta is a beta distribution: how the rate of one kind of trial differs between customers.
type Beta struct{ A, B float64 }

// Mean is the population's rate.
func (b Beta) Mean() float64 { return b.A / (b.A + b.B) }

// AffinityParameters is what the affinity scores know of the population: data, which a fit makes
// (AffinitySample) and a deployment keeps in versions. The zero value of a field stands for its cold-start value, which
// claims as little as possible.
type AffinityParameters struct {
	HalfLife int // days in which evidence fades to half; 0: 365

	OffersKnown bool // offers have closed in this population; else affinity is about reductions alone, but for customers who had offers since
	Offers      Beta // how acceptance differs between customers; zero: Beta(1, 1)
	Coupons     Beta // share of orders with a coupon; zero: Beta(1, 1)
	Reductions  Beta // share of orders with any reduction; zero: Beta(1, 1)

	Classes     map[string]float64 // rate of acceptance by class of offer, inside (0, 1); of others it is the mean of Offers
	MeanLogRate float64            // mean of ln((occasions+1)/(days+30)) over customers; zero: ln(1/30), one occasion in 30 days
	Intercept   float64            // log-odds that make predictions right on average (Calibration); 0 until measured

	Depth       float64 // mean share taken off a reduced order, 0 to 1; 0 until measured
	DepthWeight float64 // minor units of reduced orders that Depth counts for; zero: 1, next to nothing

	Lift              float64 // population's rate of orders with an open offer, over that without; zero: 1, offers do nothing
	LiftConcentration float64 // how alike customers are in that; zero: 10
}

const (
	betaMin, betaMax = 1e-6, 1e9
	liftMax          = 100.0 // a ratio of rates beyond it, or below its inverse, is an accident

	liftConcentrationDefault = 10
	liftConcentrationMin     = 0.1
	liftConcentrationMax     = 1e4
)

// Weights of the kinds of trials, in log-odds: acceptance of offers speaks for itself; coupons and reductions overlap.
var (
	weightsWithOffers    = [trialKinds]float64{trialOffers: 1, trialCoupons: 0.5, trialReductions: 0.5}
	weightsWithoutOffers = [trialKinds]float64{trialReductions: 1}
)

// errPopulation is returned for parameters that describe no population.
var errPopulation = errors.New("population: invalid parameter")

// withDefaults puts the cold-start values in.
func (p AffinityParameters) withDefaults() AffinityParameters {
	for _, beta := range []*Beta{&p.Offers, &p.Coupons, &p.Reductions} {
		if *beta == (Beta{}) {
			*beta = Beta{A: 1, B: 1}
		}
	}
	setDefault(&p.HalfLife, halfLifeDays)
	setDefault(&p.MeanLogRate, math.Log(1.0/30))
	setDefault(&p.DepthWeight, 1)
	setDefault(&p.Lift, 1)
	setDefault(&p.LiftConcentration, liftConcentrationDefault)
	p.Classes = maps.Clone(p.Classes)
	return p
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (p *AffinityParameters) validate() error {
	within := func(name string, v, low, high float64) error {
		if !(v >= low && v <= high) {
			return fmt.Errorf("%w: %s is %v; give one from %v to %v", errPopulation, name, v, low, high)
		}
		return nil
	}
	errs := []error{
		within("HalfLife", float64(p.HalfLife), 1, halfLifeMax),
		within("Offers.A", p.Offers.A, betaMin, betaMax), within("Offers.B", p.Offers.B, betaMin, betaMax),
		within("Coupons.A", p.Coupons.A, betaMin, betaMax), within("Coupons.B", p.Coupons.B, betaMin, betaMax),
		within("Reductions.A", p.Reductions.A, betaMin, betaMax), within("Reductions.B", p.Reductions.B, betaMin, betaMax),
		within("MeanLogRate", p.MeanLogRate, -50, 50), within("Intercept", p.Intercept, -50, 50),
		within("Depth", p.Depth, 0, 1), within("DepthWeight", p.DepthWeight, 1e-9, 1e18),
		within("Lift", p.Lift, 1/liftMax, liftMax),
		within("LiftConcentration", p.LiftConcentration, liftConcentrationMin, liftConcentrationMax),
	}
	for class, rate := range p.Classes {
		errs = append(errs, within("the rate of class "+class, rate, betaMin, 1-betaMin))
	}
	return errors.Join(errs...)
}

// Population is a set of parameters made ready for reading: one for all customers, never changed, safe for
// any number of readers.
type Population struct {
	parameters  AffinityParameters
	decay       Decay
	priors      [trialKinds]trialPrior
	classLogits map[string]float64
}

type trialPrior struct {
	Beta
	mean, logit float64
}

// NewPopulation checks parameters and makes them ready. It returns errPopulation with all that is wrong.
func NewPopulation(parameters AffinityParameters) (*Population, error) {
	p := &Population{parameters: parameters.withDefaults()}
	if err := p.parameters.validate(); err != nil {
		return nil, err
	}
	p.decay = NewDecay(p.parameters.HalfLife)
	for kind, beta := range [trialKinds]Beta{p.parameters.Offers, p.parameters.Coupons, p.parameters.Reductions} {
		p.priors[kind] = trialPrior{Beta: beta, mean: beta.Mean(), logit: math.Log(beta.A / beta.B)}
	}
	p.classLogits = make(map[string]float64, len(p.parameters.Classes))
	for class, rate := range p.parameters.Classes {
		p.classLogits[class] = logit(rate)
	}
	return p, nil
}

// weights are how much each kind of trial says of a customer, and the kind from whose rate the score starts. Reductions
// speak alone where no offers are known: neither of the population, which under the cold start is not known either, nor of
// the customer.
func (p *Population) weights(c *PriceCounts) (*[trialKinds]float64, Trial) {
	if p.parameters.OffersKnown || c.Offers.Of > 0 {
		return &weightsWithOffers, trialOffers
	}
	return &weightsWithoutOffers, trialReductions
}

// Parameters are what the population was made of, with the cold-start values put in.
func (p *Population) Parameters() AffinityParameters {
	parameters := p.parameters
	parameters.Classes = maps.Clone(parameters.Classes)
	return parameters
}

// Decay is how the population's evidence fades.
func (p *Population) Decay() *Decay { return &p.decay }
