package score

import (
	"cmp"
	"math"
	"slices"
)

// Uplift is what offers do to one customer: the rate of orders while an offer is open, over the rate while none is.
// The customer is their own control, so how often they buy anyway cancels out (the self-controlled case series of
// Farrington, Biometrics 1995), and the ratio is shrunk to the population's.
//
// It is a cause only where the timing of offers does not follow what customers are about to do. A Control group
// is what tells.
type Uplift struct {
	Ratio     float64 // above 0; Population where the customer says nothing
	Offered   Exposure
	Unoffered Exposure
	Own       bool // the customer's own orders moved the ratio
}

// exposureMin is the least time with, and without, an open offer that says anything of a customer: two rates over
// minutes compare accidents.
const exposureMin = dayMillis

func (c *PriceCounts) exposed() bool {
	return c.Offered.Millis >= exposureMin && c.Unoffered.Millis >= exposureMin && c.Offered.Orders+c.Unoffered.Orders > 0
}

// Uplift reads a customer's counts.
//
// Of n orders of a customer like the population, the share q = RX/(RX+Y) would fall into the X days with an open offer,
// with R the population's ratio and Y the days without. With D of them there and U elsewhere the ratio is
// R [(D+κq)/q] / [(U+κ(1-q))/(1-q)]: κ orders of a customer like the population are added.
func (p *Population) Uplift(c *PriceCounts) Uplift {
	u := Uplift{Ratio: p.parameters.Lift, Offered: c.Offered, Unoffered: c.Unoffered}
	if !c.exposed() {
		return u
	}
	u.Own = true
	lift, k := p.parameters.Lift, p.parameters.LiftConcentration
	q := offeredShare(lift, float64(c.Offered.Millis)/float64(c.Offered.Millis+c.Unoffered.Millis))
	with := (float64(c.Offered.Orders) + k*q) / q
	without := (float64(c.Unoffered.Orders) + k*(1-q)) / (1 - q)
	u.Ratio = lift * with / without
	return u
}

// offeredShare is the share of orders that fall into a share of the time, if they come lift times as often there.
func offeredShare(lift, timeShare float64) float64 {
	with := lift * timeShare
	return with / (with + 1 - timeShare)
}

// breakEven is the ratio above which an offer of a depth pays: without it a unit of sales earns the margin m; with it
// m-d, but more often. Depth and margin are shares of the full price. It returns false when no ratio is enough, for the offer eats up the
// margin, and when the two are no such shares.
func breakEven(margin, depth float64) (float64, bool) {
	if !(margin > 0 && margin <= 1 && depth >= 0 && depth < margin) {
		return 0, false
	}
	ratio := margin / (margin - depth)
	return ratio, !math.IsInf(ratio, 1)
}

// Pays reports whether to send an offer of a depth to this customer at a margin: Ratio > m/(m-d).
func (u Uplift) Pays(margin, depth float64) bool {
	ratio, possible := breakEven(margin, depth)
	return possible && u.Ratio > ratio
}

// ExposureSample is what the population's part of Uplift is fitted to. Samples of different customers add up exactly.
type ExposureSample struct {
	offeredOrders, unofferedOrders   uint64
	offeredMinutes, unofferedMinutes uint64
	cells                            map[exposureCell]uint64
}

// exposureCell is customers with equal orders, and nearly equal shares of time with an open offer.
type exposureCell struct {
	offered, unoffered uint32
	share              uint8 // of 256
}

// Add adds a customer whose exposure says anything.
func (s *ExposureSample) Add(c *PriceCounts) {
	const minuteMillis = 60 * 1000
	if !c.exposed() {
		return
	}
	s.offeredOrders += uint64(c.Offered.Orders)
	s.unofferedOrders += uint64(c.Unoffered.Orders)
	s.offeredMinutes += uint64(c.Offered.Millis / minuteMillis)
	s.unofferedMinutes += uint64(c.Unoffered.Millis / minuteMillis)
	share := float64(c.Offered.Millis) / float64(c.Offered.Millis+c.Unoffered.Millis)
	s.add(exposureCell{c.Offered.Orders, c.Unoffered.Orders, uint8(min(share*256, 255))}, 1)
}

func (s *ExposureSample) add(k exposureCell, customers uint64) {
	if s.cells == nil {
		s.cells = make(map[exposureCell]uint64)
	}
	s.cells[k] += customers
}

// Merge adds a sample of other customers.
func (s *ExposureSample) Merge(o *ExposureSample) {
	s.offeredOrders += o.offeredOrders
	s.unofferedOrders += o.unofferedOrders
	s.offeredMinutes += o.offeredMinutes
	s.unofferedMinutes += o.unofferedMinutes
	for k, customers := range o.cells {
		s.add(k, customers)
	}
}

// Fit finds the population's ratio of rates and how alike customers are in it, by the likelihood of where their
// orders fell given how many there were. A sample of fewer than 50 customers says nothing: 1 and 10.
func (s *ExposureSample) Fit() (lift, concentration float64) {
	var customers uint64
	for _, n := range s.cells {
		customers += n
	}
	if customers < fitMin || s.offeredMinutes == 0 || s.unofferedMinutes == 0 {
		return 1, liftConcentrationDefault
	}
	// Half an order on each side keeps a ratio of few orders finite, and moves one of many by nothing.
	lift = (float64(s.offeredOrders) + 0.5) / float64(s.offeredMinutes) / ((float64(s.unofferedOrders) + 0.5) / float64(s.unofferedMinutes))
	lift = min(max(lift, 1/liftMax), liftMax)
	cells := s.list()
	logLikelihood := func(logK float64) float64 {
		k, sum := math.Exp(logK), 0.0
		for _, c := range cells {
			q := offeredShare(lift, (float64(c.share)+0.5)/256)
			orders := float64(c.offered) + float64(c.unoffered)
			sum += float64(s.cells[c]) * BetaBinomialLogLikelihood(k*q, k*(1-q), orders, float64(c.offered))
		}
		// A weak ridge decides where the likelihood is flat.
		off := logK - math.Log(liftConcentrationDefault)
		return sum/float64(customers) - 1e-3*off*off
	}
	concentration = math.Exp(maximise(logLikelihood, math.Log(liftConcentrationMin), math.Log(liftConcentrationMax)))
	return lift, min(max(concentration, liftConcentrationMin), liftConcentrationMax)
}

// list is the cells in one order, so that sums of floats are the same every time.
func (s *ExposureSample) list() []exposureCell {
	cells := make([]exposureCell, 0, len(s.cells))
	for c := range s.cells {
		cells = append(cells, c)
	}
	slices.SortFunc(cells, func(a, b exposureCell) int {
		return cmp.Or(cmp.Compare(a.offered, b.offered), cmp.Compare(a.unoffered, b.unoffered), cmp.Compare(a.share, b.share))
	})
	return cells
}
