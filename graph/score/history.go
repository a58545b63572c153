package score

import (
	"cmp"
	"slices"
	"strings"
)

// Purchase is one order of the ledger, as far as customer lifetime value needs it. All purchases of
// one ledger are in one currency.
type Purchase struct {
	ID        string
	At        int64 // ms since 1970 UTC
	Net       int64 // minor units: revenue without tax and shipping, after discounts
	Refunded  int64 // minor units; at most Net counts
	Cancelled bool  // as if it had never been placed
}

// History is what the models know of one customer.
//
// An occasion is a UTC calendar day with a purchase: two orders of one day are one occasion, as in all
// published figures. Times are whole UTC days, in weeks.
type History struct {
	X  float64 // repeat occasions: those after the first
	Tx float64 // weeks from the first occasion to the last
	T  float64 // weeks from the first occasion to now
	N  int     // occasions; 0 for a person who has not bought
	Z  float64 // mean net revenue of an occasion, minor units, never negative
}

const (
	dayMillis = 24 * 60 * 60 * 1000
	weekDays  = 7
)

// day numbers the UTC days, 0 being the first of 1970.
func day(at int64) int64 {
	d := at / dayMillis
	if at%dayMillis < 0 {
		d--
	}
	return d
}

// NewHistory sums the purchases up to now (ms since 1970 UTC), in any order and any number of copies. A
// purchase dated on a later day than now has not happened yet, so a history as of a past moment is exact.
//
// A cancelled purchase counts for nothing. A refunded one is an occasion, for the customer came, with
// what is left of its revenue. One of zero revenue is an occasion too. Negative revenue is a return:
// no occasion, but taken off the revenue. Of purchases that share an id and differ, the greatest counts.
//
// Up to 64 purchases nothing allocates.
func NewHistory(purchases []Purchase, now int64) History {
	var room [64]Purchase
	ledger := append(room[:0], purchases...)
	slices.SortFunc(ledger, Purchase.compare)
	var (
		roomDays [len(room)]int64
		days     = roomDays[:0]
		revenue  wideSum
		today    = day(now)
	)
	for i := range ledger {
		p := &ledger[i]
		superseded := i+1 < len(ledger) && ledger[i+1].ID == p.ID
		if superseded || p.Cancelled || day(p.At) > today {
			continue
		}
		revenue.add(p.kept())
		if p.Net >= 0 {
			days = append(days, day(p.At))
		}
	}
	if len(days) == 0 {
		return History{}
	}
	slices.Sort(days)
	occasions := len(slices.Compact(days))
	first, last := days[0], days[occasions-1]
	return History{
		X:  float64(occasions - 1),
		Tx: float64(last-first) / weekDays,
		T:  float64(today-first) / weekDays,
		N:  occasions,
		Z:  max(revenue.value(), 0) / float64(occasions),
	}
}

// compare orders purchases by id, then totally, so that which of two versions counts does not
// depend on the order of the ledger.
func (p Purchase) compare(o Purchase) int {
	if c := cmp.Or(strings.Compare(p.ID, o.ID), cmp.Compare(p.At, o.At), cmp.Compare(p.Net, o.Net), cmp.Compare(p.Refunded, o.Refunded)); c != 0 {
		return c
	}
	switch {
	case p.Cancelled == o.Cancelled:
		return 0
	case o.Cancelled:
		return -1
	}
	return 1
}

// kept is the revenue that is left after refunds.
func (p *Purchase) kept() int64 {
	if p.Net <= 0 {
		return p.Net
	}
	return p.Net - min(max(p.Refunded, 0), p.Net)
}

// wideSum adds up to 2^31 numbers of 64 bits exactly, so a sum has no order, however absurd the amounts.
type wideSum struct{ high, low int64 }

func (s *wideSum) add(v int64) {
	s.high += v >> 32
	s.low += v & 0xffffffff
}

func (s *wideSum) value() float64 { return float64(s.high)*(1<<32) + float64(s.low) }

// timeMax bounds all times, in weeks: beyond it scores would overflow.
const timeMax = 1e100

// bounded replaces what no customer can have, so that the models need not look.
func (h History) bounded() History {
	h.X = bound(h.X, 1e12)
	h.T = bound(h.T, timeMax)
	h.Tx = bound(h.Tx, h.T)
	return h
}

// bound limits v to [0, most]; not-a-number is 0.
func bound(v, most float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, most)
}
