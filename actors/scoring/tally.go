package scoring

import (
	"math"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// Tally sums people up, by group and by band.
type Tally struct {
	population *score.Population
	control    score.Control
	from, now  int64
	groups     [2][score.Bands]sums // the rest, and the control group
}

const dayMillis = 24 * 60 * 60 * 1000

// newTally makes an empty tally of the days before now (ms since 1970 UTC).
func newTally(population *score.Population, control score.Control, now int64, days int) *Tally {
	return &Tally{population: population, control: control, from: now - int64(days)*dayMillis, now: now}
}

// sums are the sums over people of one group and band.
type sums struct {
	Group
	revenue map[graph.Currency]*score.Outcomes // of people who ordered in the currency; padded adds the others
}

// Add counts one person. Add each once.
func (t *Tally) Add(p *graph.Profile) {
	var id [16]byte
	group := 0
	if t.control.Holds(p.ID.AppendBinary(id[:0])) {
		group = 1
	}
	s := &t.groups[group][t.band(p)]
	s.People++
	s.addOrders(p.Orders, t.within)
	for _, offer := range p.Offers.AppendOffers(nil) {
		if t.within(offer.Sent) {
			s.OffersSent++
			if offer.Accepted != 0 && offer.Accepted <= t.now {
				s.OffersAccepted++
			}
		}
	}
}

// within reports whether a time is in the window.
func (t *Tally) within(at int64) bool { return at > t.from && at <= t.now }

// band is what was known of a person as the window began.
func (t *Tally) band(p *graph.Profile) score.Band {
	scoring := p.Scoring()
	counts := scoring.Ledger.Counts(t.from, t.population.Decay())
	return t.population.Affinity(&counts).Band
}

// addOrders counts a person's orders of the window, except cancelled ones.
func (s *sums) addOrders(orders []graph.OrderState, within func(int64) bool) {
	var spent map[graph.Currency]int64
	for i := range orders {
		o := &orders[i]
		if o.Status == graph.OrderStateCancelled || !within(o.PlacedAt) {
			continue
		}
		if spent == nil {
			spent = map[graph.Currency]int64{}
		}
		spent[o.Currency] = saturatedSum(spent[o.Currency], o.Net-o.Refunded)
		s.Orders++
		if o.Coupon != "" {
			s.CouponOrders++
		}
	}
	if len(spent) > 0 {
		s.Buyers++
	}
	for currency, amount := range spent {
		s.outcomes(currency).Add(amount)
	}
}

// saturatedSum adds amounts that are not negative, and stops at the greatest number: a sum that has no order.
func saturatedSum(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxInt64
}

// outcomes are those of a currency.
func (s *sums) outcomes(currency graph.Currency) *score.Outcomes {
	o := s.revenue[currency]
	if o == nil {
		if s.revenue == nil {
			s.revenue = map[graph.Currency]*score.Outcomes{}
		}
		o = &score.Outcomes{}
		s.revenue[currency] = o
	}
	return o
}

// padded are the outcomes of a currency, with a 0 for each person who ordered nothing in it.
func (s *sums) padded(currency graph.Currency) score.Outcomes {
	var o score.Outcomes
	if known := s.revenue[currency]; known != nil {
		o = *known
	}
	o.AddZeros(s.People - o.N())
	return o
}

func (s *sums) merge(o *sums) {
	s.People += o.People
	s.Buyers += o.Buyers
	s.Orders += o.Orders
	s.CouponOrders += o.CouponOrders
	s.OffersSent += o.OffersSent
	s.OffersAccepted += o.OffersAccepted
	for currency, outcomes := range o.revenue {
		s.outcomes(currency).Merge(outcomes)
	}
}

// Merge adds a tally of other people, of the same window.
func (t *Tally) Merge(o *Tally) {
	for group := range t.groups {
		for band := range t.groups[group] {
			t.groups[group][band].merge(&o.groups[group][band])
		}
	}
}

// Report compares the groups.
func (t *Tally) Report() *Report {
	r := &Report{AsOf: t.now, From: t.from}
	var all [2]sums
	for band := range r.Bands {
		rest, control := &t.groups[0][band], &t.groups[1][band]
		r.Bands[band] = compare(control, rest)
		all[0].merge(rest)
		all[1].merge(control)
	}
	r.All = compare(&all[1], &all[0])
	return r
}
