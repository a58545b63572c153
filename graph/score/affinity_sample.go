package score

import (
	"cmp"
	"math"
	"slices"
)

// AffinitySample is what the parameters of the affinity scores are fitted to: sums and histograms over customers, all
// of them integers, so that samples of different customers add up exactly in any order.
type AffinitySample struct {
	Offers     TrialCells
	Coupons    TrialCells
	Reductions TrialCells
	classes    map[string]classTrials
	customers  uint64
	ordering   uint64 // customers with an order
	logRates   int64  // sum of their logRate, in units of 1/logRateUnit
	orders     uint64
	gross      int64 // of all orders, minor units
	reduced    int64 // gross of the reduced ones
	discount   int64 // what was taken off them
	exposure   ExposureSample
}

// classTrials counts the closed offers of a class, and those accepted.
type classTrials struct{ Of, Won uint64 }

const (
	logRateUnit = 1 << 20
	classesMax  = 1000 // offers of further classes count for the population, not for their class
)

// Add adds one customer as of now. Evidence does not fade here: how customers differ is asked of all that was seen.
func (s *AffinitySample) Add(l *PriceLedger, now int64, decay *Decay) {
	counts := l.Counts(now, decay)
	s.customers++
	s.Coupons.Add(counts.Coupons.Of, counts.Coupons.Won)
	s.Reductions.Add(counts.Reductions.Of, counts.Reductions.Won)
	if counts.Occasions > 0 {
		s.ordering++
		s.logRates += int64(math.Round(logRate(&counts, decay) * logRateUnit))
	}
	s.orders += uint64(counts.Reductions.Of)
	s.reduced = addSaturated(s.reduced, counts.ReducedGross)
	s.discount = addSaturated(s.discount, counts.ReducedDiscount)
	for i := range l.orders {
		if l.orders[i].At <= now {
			s.gross = addSaturated(s.gross, max(l.orders[i].Gross, 0))
		}
	}
	s.addOffers(l, now)
	s.exposure.Add(&counts)
}

// addOffers counts the offers that have closed. An offer that is accepted but still open is left out: the open ones
// that will be refused can't be counted yet, so the rates of an offer's first days would be far too high.
func (s *AffinitySample) addOffers(l *PriceLedger, now int64) {
	var of, won uint32
	for i := range l.offers {
		o := &l.offers[i]
		if !o.closedBy(now) {
			continue
		}
		t := classTrials{Of: 1}
		of++
		if o.acceptedBy(now) {
			t.Won = 1
			won++
		}
		s.addClass(o.Class, t)
	}
	s.Offers.Add(of, won)
}

func (s *AffinitySample) addClass(class string, t classTrials) {
	if s.classes == nil {
		s.classes = make(map[string]classTrials)
	}
	sum := s.classes[class]
	s.classes[class] = classTrials{Of: sum.Of + t.Of, Won: sum.Won + t.Won}
}

// Merge adds a sample of other customers.
func (s *AffinitySample) Merge(o *AffinitySample) {
	s.Offers.Merge(&o.Offers)
	s.Coupons.Merge(&o.Coupons)
	s.Reductions.Merge(&o.Reductions)
	for class, t := range o.classes {
		s.addClass(class, t)
	}
	s.customers += o.customers
	s.ordering += o.ordering
	s.logRates += o.logRates
	s.orders += o.orders
	s.gross = addSaturated(s.gross, o.gross)
	s.reduced = addSaturated(s.reduced, o.reduced)
	s.discount = addSaturated(s.discount, o.discount)
	s.exposure.Merge(&o.exposure)
}

// Customers is how many customers were added.
func (s *AffinitySample) Customers() uint64 { return s.customers }

// FitBeta finds the beta distribution under which cells of trials are most likely. Package fit has one, and does the whole in fit.Affinity.
type FitBeta func(cells []TrialCell) (Beta, error)

const (
	// fitMin is how many customers must have had a trial before the distribution of a kind of trial is fitted: fewer
	// say nothing of how customers differ.
	fitMin = 50
	// classShrink is how many offers the population's rate counts for in the rate of a class.
	classShrink = 20
	// depthBaskets is how many mean baskets the population's depth counts for in a customer's.
	depthBaskets = 3
)

// Fit makes parameters of the sample. A parameter that it is too small for keeps its cold-start value. Intercept is left at 0: a
// Calibration finds it once the other parameters are known. The error is the fitter's.
func (s *AffinitySample) Fit(fitBeta FitBeta) (AffinityParameters, error) {
	var p AffinityParameters
	for _, trial := range []struct {
		cells *TrialCells
		beta  *Beta
	}{{&s.Offers, &p.Offers}, {&s.Coupons, &p.Coupons}, {&s.Reductions, &p.Reductions}} {
		if trial.cells.Customers() < fitMin {
			continue
		}
		beta, err := fitBeta(trial.cells.Cells())
		if err != nil {
			return AffinityParameters{}, err
		}
		*trial.beta = beta
	}
	p.OffersKnown = s.Offers.Customers() >= fitMin
	if p.OffersKnown {
		p.Classes = s.classRates(p.Offers.Mean())
	}
	if s.ordering > 0 {
		p.MeanLogRate = float64(s.logRates) / float64(s.ordering) / logRateUnit
	}
	if s.reduced > 0 {
		p.Depth = float64(s.discount) / float64(s.reduced)
	}
	if s.orders > 0 && s.gross > 0 {
		p.DepthWeight = depthBaskets * float64(s.gross) / float64(s.orders)
	}
	p.Lift, p.LiftConcentration = s.exposure.Fit()
	return p, nil
}

// classRates are the rates of the classes with the most offers, shrunk to the population's.
func (s *AffinitySample) classRates(mean float64) map[string]float64 {
	type entry struct {
		class string
		classTrials
	}
	entries := make([]entry, 0, len(s.classes))
	for class, t := range s.classes {
		entries = append(entries, entry{class, t})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(b.Of, a.Of), cmp.Compare(a.class, b.class)) })
	rates := make(map[string]float64)
	for _, e := range entries[:min(len(entries), classesMax)] {
		rate := (float64(e.Won) + classShrink*mean) / (float64(e.Of) + classShrink)
		rates[e.class] = min(max(rate, betaMin), 1-betaMin)
	}
	return rates
}
