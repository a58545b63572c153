package score

import (
	"errors"
	"fmt"
	"maps"
)

// Parameters is all that the scores know of the population: a snapshot that a fit makes of a sample of customers
// (fit.Sample), never changed afterwards. Scores that were computed under one version are computed the same by
// anybody who has it.
type Parameters struct {
	Version  uint64 // 0: the cold start, measured nowhere; each fit that succeeds makes the next
	FittedAt int64  // ms since 1970 UTC: as of when the sample was taken; 0 for the cold start

	Identities uint64 // with an event, when the sample was drawn
	Sampled    uint64 // of them in the sample
	Customers  uint64 // of the sampled with an order

	Orders   ParetoNBD
	Spend    GammaGamma // of minor units
	Affinity AffinityParameters
	RFM      RFMEdges

	// Dealings with each category in the sample, at most categoriesMax of them, and for how many dealings of a
	// customer they count; 0 is 100.
	Dealings              map[string]uint64
	InterestConcentration float64

	// Log-likelihoods of the sample under Orders and Spend; 0 until fitted.
	OrdersLogLikelihood float64
	SpendLogLikelihood  float64
	// ClosedOffers is over how many closed offers the intercept of Affinity is an average.
	ClosedOffers uint64
}

// categoriesMax bounds the categories of a population: those of the most dealings stay.
const categoriesMax = 1000

// ColdStart are the parameters of version 0, in use until a sample of a deployment's own customers has been fitted. They
// claim little: half of all customers buy again within about ten weeks of their first order, half have left
// after about as long, and what an order is worth is the customer's own mean from the first order on (a population
// mean of 50.00 counts for a tenth of an order).
func ColdStart() Parameters {
	return Parameters{
		Orders: ParetoNBD{R: 1, Alpha: 10, S: 1, Beta: 10},
		Spend:  GammaGamma{P: 4, Q: 1.4, Gamma: 500},
		RFM: RFMEdges{
			Days:  [quintiles - 1]int64{30, 90, 180, 365},
			Count: [quintiles - 1]int64{1, 2, 4, 8},
			Money: [quintiles - 1]int64{25_00, 50_00, 100_00, 250_00},
		},
	}
}

// Validate says all that is wrong with the parameters.
func (p *Parameters) Validate() error {
	_, err := NewScorer(*p, Terms{})
	return err
}

// WithDefaults puts in the cold-start values that stand where a part was not measured.
func (p Parameters) WithDefaults() Parameters {
	p.Affinity = p.Affinity.withDefaults()
	setDefault(&p.InterestConcentration, interestConcentrationDefault)
	return p
}

// Scorer computes scores under one snapshot of parameters. It never changes, and serves any number of readers at once.
type Scorer struct {
	parameters  Parameters
	terms       Terms // with defaults
	clv         *clvModel
	population  *Population
	interests   *InterestPopulation
	expectWeeks float64 // horizon of expected orders and value
}

// expectDays is the horizon of what is expected where that of the terms is all the future: over that no number of orders
// need be finite.
const expectDays = defaultHorizonDays

// NewScorer makes parameters ready. The error tells all that is wrong with them, or with the terms.
func NewScorer(p Parameters, terms Terms) (*Scorer, error) {
	clv, clvErr := newCLV(p.Orders, p.Spend, terms)
	population, populationErr := NewPopulation(p.Affinity)
	interests, interestsErr := newInterestPopulation(p.Dealings, p.InterestConcentration, p.Affinity.HalfLife)
	if err := errors.Join(clvErr, populationErr, interestsErr); err != nil {
		return nil, fmt.Errorf("parameters of version %d: %w", p.Version, err)
	}
	p.Affinity.Classes, p.Dealings = maps.Clone(p.Affinity.Classes), maps.Clone(p.Dealings)
	weeks := clv.discount.horizon
	if weeks >= timeMax {
		weeks = expectDays / float64(weekDays)
	}
	return &Scorer{parameters: p, terms: terms.WithDefaults(), clv: clv, population: population, interests: interests, expectWeeks: weeks}, nil
}

// Parameters are what the scorer computes with. Their maps are the scorer's own: not to be changed.
func (s *Scorer) Parameters() *Parameters { return &s.parameters }

// Terms are what of the future counts as lifetime value, with the defaults put in.
func (s *Scorer) Terms() Terms { return s.terms }

// Population is the part that reads what customers answer to discounts.
func (s *Scorer) Population() *Population { return s.population }
