package score

import (
	"errors"
	"slices"
)

// RFMValues is what recency, frequency and monetary value are made of: exact integers.
type RFMValues struct {
	Days  int64  // since the last order
	Count uint32 // orders in the window
	Money int64  // minor units: what was paid for them, without reductions
}

// rfmBuckets is the window of frequency and money, in periods of 30 days: the one at hand and the twelve before it, so at
// least 360 days and less than 390. Whole periods add up exactly wherever they were counted.
const rfmBuckets = 13

// RFM reads a ledger as of now (ms since 1970 UTC); false when there was no order.
func (l *PriceLedger) RFM(now int64) (RFMValues, bool) {
	var v RFMValues
	now = clampTime(now)
	first := bucket(now) - rfmBuckets + 1
	last := -1
	for i := range l.orders {
		o := &l.orders[i]
		if o.At > now {
			break
		}
		last = i
		if bucket(o.At) >= first {
			v.Count++
			v.Money = addSaturated(v.Money, max(o.Gross, 0)-min(max(o.Discount, o.Coupon, 0), max(o.Gross, 0)))
		}
	}
	if last < 0 {
		return RFMValues{}, false
	}
	v.Days = day(now) - day(l.orders[last].At)
	return v, true
}

// RFM is the three scores, 1 to 5, 5 being the best fifth: the latest, the most frequent, the most spending. The zero value is
// no customer yet.
type RFM struct{ Recency, Frequency, Money uint8 }

// RFMEdges divides customers into fifths, by what a sample of them was when it was drawn. It is a snapshot: edges
// do not move with every event, so a customer's scores change for what they do and not for what others do.
//
// Each holds the greatest values of the first four fifths, in ascending order.
type RFMEdges struct {
	Days  [quintiles - 1]int64
	Count [quintiles - 1]int64
	Money [quintiles - 1]int64 // minor units
}

const quintiles = 5

// errRFMSample is returned for a sample without customers.
var errRFMSample = errors.New("no customer with an order in the sample; give at least one")

// NewRFMEdges divides a sample of customers with orders; the order of the sample does not matter.
func NewRFMEdges(sample []RFMValues) (RFMEdges, error) {
	if len(sample) == 0 {
		return RFMEdges{}, errRFMSample
	}
	return RFMEdges{
		Days:  edges(sample, func(v *RFMValues) int64 { return v.Days }),
		Count: edges(sample, func(v *RFMValues) int64 { return int64(v.Count) }),
		Money: edges(sample, func(v *RFMValues) int64 { return v.Money }),
	}, nil
}

// edges are the greatest values of the first four fifths.
func edges(sample []RFMValues, value func(*RFMValues) int64) [quintiles - 1]int64 {
	values := make([]int64, len(sample))
	for i := range sample {
		values[i] = value(&sample[i])
	}
	slices.Sort(values)
	var e [quintiles - 1]int64
	for i := range e {
		e[i] = values[max((i+1)*len(values)/quintiles, 1)-1]
	}
	return e
}

// Score places a customer. Equal values get equal scores, so a fifth may be larger or empty: where most customers
// bought once, all of them have the same frequency.
func (e *RFMEdges) Score(v RFMValues) RFM {
	return RFM{
		Recency:   quintiles + 1 - fifth(&e.Days, v.Days),
		Frequency: fifth(&e.Count, int64(v.Count)),
		Money:     fifth(&e.Money, v.Money),
	}
}

// fifth is 1 and how many edges lie below the value.
func fifth(edges *[quintiles - 1]int64, value int64) uint8 {
	n := uint8(1)
	for _, edge := range edges {
		if value > edge {
			n++
		}
	}
	return n
}
