package score

import (
	"cmp"
	"math"
	"slices"
)

// Calibration finds the intercept that makes predictions of offers right on average of late: over the newest
// CalibrationMax closed offers of the sample, the sum of the predictions is the number of acceptances. What was
// predicted for an offer is computed anew, as of the moment that it was sent, under the parameters at hand.
//
// It is a set: its content depends on which offers were added, never on when or how often, and of two sets of different
// customers the union is the same as if all had been added to one. So the intercept of a snapshot can be recomputed
// by anyone who has the sample and the parameters.
type Calibration struct {
	closed []closedOffer // newest first; distinct; at most CalibrationMax
}

// CalibrationMax is how many closed offers the intercept is an average over.
const CalibrationMax = 5000

// closedOffer is one prediction and what became of it. The prediction is a whole number of 1/predictionUnit log-odds,
// so that equal offers are equal.
type closedOffer struct {
	at         int64  // ms; when it closed
	key        uint64 // hash of customer and offer
	prediction int32
	accepted   bool
}

const predictionUnit = 1 << 16

func compareClosed(a, b closedOffer) int {
	return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.key, b.key), cmp.Compare(a.prediction, b.prediction), compareBool(a.accepted, b.accepted))
}

// Add adds the offers of one customer that have closed by now; what became of the others is not known yet (an early
// acceptance is no exception: those that will let the offer pass are still silent). id tells customers apart; it is
// hashed, not kept.
func (c *Calibration) Add(p *Population, id []byte, l *PriceLedger, now int64) {
	for i := range l.offers {
		o := &l.offers[i]
		if !o.closedBy(now) {
			continue
		}
		counts := l.Counts(o.start(), &p.decay)
		logit := min(max(p.offerLogit(&counts, o.Class), -1000), 1000)
		c.insert(closedOffer{
			at: o.end(), key: hash64(id, o.ID),
			prediction: int32(math.Round(logit * predictionUnit)), accepted: o.acceptedBy(now),
		})
	}
}

func (c *Calibration) insert(o closedOffer) {
	at, found := slices.BinarySearchFunc(c.closed, o, compareClosed)
	if found || at >= CalibrationMax {
		return
	}
	if len(c.closed) == CalibrationMax {
		c.closed = c.closed[:CalibrationMax-1]
	}
	c.closed = slices.Insert(c.closed, at, o)
}

// Merge adds the offers of other customers.
func (c *Calibration) Merge(o *Calibration) {
	for _, closed := range o.closed {
		c.insert(closed)
	}
}

// Offers is how many closed offers the calibration holds.
func (c *Calibration) Offers() int { return len(c.closed) }

// Intercept is the most likely intercept, given that large ones are unlikely (a standard normal prior): 0 without
// evidence, and finite when every offer was accepted, or none.
func (c *Calibration) Intercept() float64 {
	low, high := -20.0, 20.0
	for range 60 {
		b := (low + high) / 2
		slope := -b
		for _, o := range c.closed {
			slope -= sigmoid(float64(o.prediction)/predictionUnit + b)
			if o.accepted {
				slope++
			}
		}
		if slope > 0 {
			low = b
		} else {
			high = b
		}
	}
	return (low + high) / 2
}
