package score

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// PricedOrder is one order, as far as its price says what the customer answers to. Cancelled orders do
// not count. Amounts are in minor units; all orders of one ledger are in one currency.
type PricedOrder struct {
	ID       string
	At       int64 // ms since 1970 UTC
	Gross    int64 // before any reduction
	Discount int64 // all that was taken off; at most Gross counts
	Coupon   int64 // the part of Discount that a coupon took off
	Voucher  bool  // a coupon code was given, whatever it took off
}

func (o *PricedOrder) couponed() bool { return o.Voucher || o.Coupon > 0 }
func (o *PricedOrder) reduced() bool  { return o.Discount > 0 || o.couponed() }

// unite adds what p says of the same order: the earliest time, and the greatest price.
func (o *PricedOrder) unite(p *PricedOrder) {
	at := min(o.At, p.At)
	if comparePrices(o, p) < 0 {
		*o = *p
	}
	o.At = at
}

func comparePrices(a, b *PricedOrder) int {
	return cmp.Or(cmp.Compare(a.Gross, b.Gross), cmp.Compare(a.Discount, b.Discount), cmp.Compare(a.Coupon, b.Coupon),
		compareBool(a.Voucher, b.Voucher))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// PriceLedger is what is known of one customer's orders and offers: a set of each, by id.
//
// The ledger of two sets of evidence is the same whether they are united before or after it is made: equal ids unite by
// minima and maxima. Hence, for all that is read of it and gathered from it:
//   - A1: counts and scores depend on the set of orders and offers, not on order, repetition, splits and merges, to the last bit.
//   - A2: no score is NaN, infinite or out of its range, whatever the evidence and the clock, under parameters that
//     NewPopulation admits.
//   - A3: samples of parts of the customers add up to the sample of all, exactly.
type PriceLedger struct {
	since  int64 // ms; from when on the customer was watched; meaningless in an empty ledger
	empty  bool
	orders []PricedOrder // by time, then id; ids are distinct
	offers []Offer       // by start, then id; ids are distinct
}

// timeLimit bounds all times, so that differences do not overflow: about 140,000 years from 1970.
const timeLimit = 1 << 52

func clampTime(at int64) int64 { return min(max(at, -timeLimit), timeLimit) }

// NewPriceLedger makes a ledger, of which the two slices become part. since is when the customer was first
// seen (ms since 1970 UTC), 0 when that is not known: then the first order or offer says it, and so it
// does if it is earlier.
func NewPriceLedger(since int64, orders []PricedOrder, offers []Offer) PriceLedger {
	clampTimes(orders, offers) // before the united times of an id are chosen
	orders = unite(orders, func(a, b *PricedOrder) int { return strings.Compare(a.ID, b.ID) }, (*PricedOrder).unite)
	offers = unite(offers, func(a, b *Offer) int { return strings.Compare(a.ID, b.ID) }, (*Offer).unite)
	return newLedger(since, orders, offers)
}

func clampTimes(orders []PricedOrder, offers []Offer) {
	for i := range orders {
		orders[i].At = clampTime(orders[i].At)
	}
	for i := range offers {
		o := &offers[i]
		o.Sent, o.Until, o.Accepted = clampTime(o.Sent), clampTime(o.Until), clampTime(o.Accepted)
	}
}

// DistinctPriceLedger is NewPriceLedger where no two orders and no two offers share an id. It is fastest with what is
// in order of time already.
func DistinctPriceLedger(since int64, orders []PricedOrder, offers []Offer) PriceLedger {
	clampTimes(orders, offers)
	return newLedger(since, orders, offers)
}

// newLedger puts what has distinct ids and clamped times in its order.
func newLedger(since int64, orders []PricedOrder, offers []Offer) PriceLedger {
	slices.SortFunc(orders, func(a, b PricedOrder) int { return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID)) })
	slices.SortFunc(offers, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(a.start(), b.start()), strings.Compare(a.ID, b.ID))
	})
	first := int64(math.MaxInt64)
	if since != 0 {
		first = clampTime(since)
	}
	if len(orders) > 0 {
		first = min(first, orders[0].At)
	}
	if len(offers) > 0 {
		first = min(first, offers[0].start())
	}
	return PriceLedger{since: first, empty: first == math.MaxInt64, orders: orders, offers: offers}
}

// Merge is the ledger of the evidence of both. It leaves both as they are.
func (l *PriceLedger) Merge(o *PriceLedger) PriceLedger {
	since := int64(0)
	switch {
	case l.empty:
		since = o.sinceOrZero()
	case o.empty:
		since = l.since
	default:
		since = min(l.since, o.since)
	}
	return NewPriceLedger(since, slices.Concat(l.orders, o.orders), slices.Concat(l.offers, o.offers))
}

func (l *PriceLedger) sinceOrZero() int64 {
	if l.empty {
		return 0
	}
	return l.since
}

// unite sorts by id and folds what shares one into its first.
func unite[T any](all []T, compare func(a, b *T) int, both func(a, b *T)) []T {
	slices.SortFunc(all, func(a, b T) int { return compare(&a, &b) })
	kept := 0
	for i := range all {
		if kept > 0 && compare(&all[kept-1], &all[i]) == 0 {
			both(&all[kept-1], &all[i])
			continue
		}
		all[kept] = all[i]
		kept++
	}
	clear(all[kept:])
	return all[:kept]
}
