package score

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Calibration finds the intercept that makes predictions of offers right on average of late: over the newest closed
// offers of the sample (calibrationMax), the sum of the predictions is the number of acceptances. The
// prediction for an offer is computed anew, as of the moment that it was sent, under the parameters at hand.
//
// It is a histogram: its content depends on which customers were added, never on when, in which order or under which
// name, and calibrations of different customers add up exactly. So the intercept of a snapshot can be recomputed
// by anyone who has the sample and the parameters, and is the same however identities were put together.
type Calibration struct {
	cells map[closedOffer]uint64
	trim  int // how many cells there may be before old ones are dropped
}

// calibrationMax is how many closed offers the intercept is an average over. Those that closed at the same moment
// as the last of them count too: a mailing closes for all at once, and none of its offers is newer than the others.
const calibrationMax = 5000

// closedOffer is one prediction and what became of it. The prediction is a whole number of 1/predictionUnit log-odds,
// so that equal offers are equal.
type closedOffer struct {
	at         int64 // ms; when it closed
	prediction int32
	accepted   bool
}

const predictionUnit = 1 << 16

func compareClosed(a, b closedOffer) int {
	return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.prediction, b.prediction), compareBool(a.accepted, b.accepted))
}

// Add adds the offers of one customer that have closed by now; what became of the others is not known yet (an early
// acceptance is no exception: those that will let the offer pass are still silent). Add each customer once.
func (c *Calibration) Add(p *Population, l *PriceLedger, now int64) {
	for i := range l.offers {
		o := &l.offers[i]
		if !o.closedBy(now) {
			continue
		}
		counts := l.Counts(o.start(), &p.decay)
		logit := min(max(p.offerLogit(&counts, o.Class), -1000), 1000)
		c.count(closedOffer{
			at: o.end(), prediction: int32(math.Round(logit * predictionUnit)), accepted: o.acceptedBy(now),
		}, 1)
	}
}

func (c *Calibration) count(o closedOffer, n uint64) {
	if c.cells == nil {
		c.cells, c.trim = make(map[closedOffer]uint64), 2*calibrationMax
	}
	c.cells[o] += n
	if len(c.cells) <= c.trim {
		return
	}
	// Newer offers only ever push the older ones farther back, so what is too old now stays so.
	kept := c.newest()
	c.cells = make(map[closedOffer]uint64, len(kept))
	for _, k := range kept {
		c.cells[k.closedOffer] = k.n
	}
	c.trim = max(2*calibrationMax, 2*len(kept))
}

type closedOffers struct {
	closedOffer
	n uint64
}

// newest are the offers that count, the newest first.
func (c *Calibration) newest() []closedOffers {
	var newest []closedOffers
	sum := uint64(0)
	for _, o := range slices.SortedFunc(maps.Keys(c.cells), compareClosed) {
		if sum >= calibrationMax && o.at != newest[len(newest)-1].at {
			break
		}
		newest = append(newest, closedOffers{o, c.cells[o]})
		sum += c.cells[o]
	}
	return newest
}

// Merge adds the offers of other customers.
func (c *Calibration) Merge(o *Calibration) {
	for offer, n := range o.cells {
		c.count(offer, n)
	}
}

// Offers is over how many closed offers the intercept is an average.
func (c *Calibration) Offers() int {
	sum := uint64(0)
	for _, o := range c.newest() {
		sum += o.n
	}
	return int(min(sum, math.MaxInt)) //nolint:gosec // bounded in this line
}

// Intercept is the most likely intercept, given that large ones are unlikely (a standard normal prior): 0 without
// evidence, and finite when every offer was accepted, or none.
func (c *Calibration) Intercept() float64 {
	newest := c.newest()
	if len(newest) == 0 {
		return 0
	}
	low, high := -20.0, 20.0
	for range 60 {
		b := (low + high) / 2
		slope := -b
		for _, o := range newest {
			did := 0.0
			if o.accepted {
				did = 1
			}
			slope += float64(o.n) * (did - sigmoid(float64(o.prediction)/predictionUnit+b))
		}
		if slope > 0 {
			low = b
		} else {
			high = b
		}
	}
	return (low + high) / 2
}
