package fit

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph/score"
)

// Sample gathers all that the parameters of the scores are fitted to, customer by customer. Samples of different
// customers add up exactly, so shards can gather theirs apart.
type Sample struct {
	Timings   Timings
	Spends    Spends
	Affinity  score.AffinitySample
	RFM       []score.RFMValues
	Interests score.InterestSample
	halfLife  int
	decay     score.Decay
	sampled   uint64
	customers uint64
}

// NewSample makes an empty sample. halfLife is that of the evidence for discounts and interests, in days; 0 is 365.
// Samples that are to be merged have the same.
func NewSample(halfLife int) *Sample {
	return &Sample{halfLife: halfLife, decay: score.NewDecay(halfLife)}
}

// Add adds one customer as of now (ms since 1970 UTC). Add each once.
func (s *Sample) Add(c *score.Customer, now int64) {
	s.sampled++
	if h := score.NewHistory(c.Purchases, now); h.N > 0 {
		s.customers++
		s.Timings.Add(TimingOf(h), 1)
		if spend, ok := SpendOf(h); ok {
			s.Spends.Add(spend, 1)
		}
	}
	s.Affinity.Add(&c.Prices, now, &s.decay)
	if values, ok := c.Prices.RFM(now); ok {
		s.RFM = append(s.RFM, values)
	}
	if c.Interests != nil {
		s.Interests.Add(c.Interests)
	}
}

// Merge adds a sample of other customers.
func (s *Sample) Merge(o *Sample) {
	s.Timings.Merge(&o.Timings)
	s.Spends.Merge(&o.Spends)
	s.Affinity.Merge(&o.Affinity)
	s.RFM = append(s.RFM, o.RFM...)
	s.Interests.Merge(&o.Interests)
	s.sampled += o.sampled
	s.customers += o.customers
}

// Customers is how many of those added have an order.
func (s *Sample) Customers() uint64 { return s.customers }

// customersMin is how many customers with an order a fit of their orders needs: fewer say nothing of how customers differ,
// and a ridge would make parameters of next to nothing.
const customersMin = 50

// Enough fails with ErrSample where there are too few customers to fit when they buy and what they spend.
func (s *Sample) Enough() error {
	if s.customers < customersMin {
		return fmt.Errorf("%w: %d customers with an order; want at least %d", ErrSample, s.customers, customersMin)
	}
	return nil
}

// Discounts fits the parameters of the affinity scores, but for the intercept (Calibrated), with ridges where it needs them.
func (s *Sample) Discounts() (score.AffinityParameters, error) {
	p, err := affinity(&s.Affinity, func(t *trialCells) (score.Beta, Quality, error) { return WithRidges(betaOf, t) })
	p.HalfLife = s.halfLife
	return p, err
}

// Parameters fits all parameters as of now (ms since 1970 UTC), but for the intercept of offers, which Calibrated
// adds. A part that can't be fitted keeps its values from before, and the error says why; where no customer has an order,
// or the result is no set of parameters, the parameters are those from before, version and all.
func (s *Sample) Parameters(before score.Parameters, now int64) (score.Parameters, error) {
	if s.customers == 0 {
		return before, fmt.Errorf("%w: no identity of %d has an order", ErrSample, s.sampled)
	}
	next := before
	next.Version++
	next.FittedAt, next.Sampled, next.Customers = now, s.sampled, s.customers
	var errs []error
	part := func(name string, err error) bool {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		return err == nil
	}
	if part("when customers buy, and what they spend", s.Enough()) {
		orders, quality, err := WithRidges(ParetoNBD, &s.Timings)
		if part("when customers buy", err) {
			next.Orders, next.OrdersLogLikelihood = orders, quality.LogLikelihood
		}
		spend, quality, err := WithRidges(GammaGamma, &s.Spends)
		if part("what an order is worth", err) {
			next.Spend, next.SpendLogLikelihood = spend, quality.LogLikelihood
		}
	}
	discounts, err := s.Discounts()
	if part("what discounts do", err) {
		next.Affinity = discounts
	}
	edges, err := score.NewRFMEdges(s.RFM)
	if part("fifths of customers", err) {
		next.RFM = edges
	}
	interests, err := s.Interests.Fit(s.halfLife)
	if part("interests", err) {
		next.Dealings, next.InterestConcentration = s.Interests.Dealings(), interests.Concentration()
	}
	if err := next.Validate(); err != nil { // a fit that ran away
		return before, errors.Join(append(errs, err)...)
	}
	return next, errors.Join(errs...)
}

// Calibrated puts the intercept in that a calibration of the same customers under the parameters found.
func Calibrated(p score.Parameters, c *score.Calibration) score.Parameters {
	p.Affinity.Intercept = c.Intercept()
	p.ClosedOffers = uint64(c.Offers()) //nolint:gosec // a count
	return p
}
