package score

// Trials counts how often something could have happened and how often it did.
type Trials struct {
	Of, Won uint32 // all that was seen

	weighedOf, weighedWon uint64 // the same, faded by age, in units of 1/decayUnit
}

func (t *Trials) add(won bool, weight uint64) {
	t.Of++
	t.weighedOf += weight
	if won {
		t.Won++
		t.weighedWon += weight
	}
}

// Weighed is how many trials and successes are left after they faded by their age.
func (t *Trials) Weighed() (of, won float64) {
	return float64(t.weighedOf) / decayUnit, float64(t.weighedWon) / decayUnit
}

// Exposure is how many orders came in how much time.
type Exposure struct {
	Orders uint32
	Millis int64
}

// PriceCounts is all that the affinity scores read of a ledger: exact integers, as of one moment.
type PriceCounts struct {
	Offers     Trials // offers accepted, of those that were accepted or have closed
	Coupons    Trials // orders with a coupon, of all orders
	Reductions Trials // orders with any reduction, of all orders

	Occasions uint32 // UTC days with an order
	Age       int64  // ms since the customer was first seen

	weighedOccasions uint64 // the occasions faded by age, in units of 1/decayUnit

	ReducedGross    int64 // minor units: gross of the orders with a reduction
	ReducedDiscount int64 // minor units: what was taken off them

	Offered   Exposure // while an offer was open
	Unoffered Exposure // while none was, from after the first sight on
}

// Counts counts what the ledger says as of now (ms since 1970 UTC): what is later has not happened yet. So
// the counts as of a past moment are those that could have been known then.
func (l *PriceLedger) Counts(now int64, decay *Decay) PriceCounts {
	var c PriceCounts
	now = clampTime(now)
	if l.empty || now < l.since {
		return c
	}
	c.Age = now - l.since
	today := day(now)
	c.countOffers(l.offers, now, today, decay)
	c.countOrders(l, now, today, decay)
	c.Unoffered.Millis = c.Age - c.Offered.Millis
	return c
}

// countOffers counts answers, and the time in which at least one offer was open.
func (c *PriceCounts) countOffers(offers []Offer, now, today int64, decay *Decay) {
	covered := int64(-timeLimit) // all before it is counted
	for i := range offers {
		o := &offers[i]
		start, end := o.start(), o.end()
		if start > now {
			break
		}
		if from, to := max(start, covered), min(end, now); to > from {
			c.Offered.Millis += to - from
		}
		covered = max(covered, end)
		switch {
		case o.acceptedBy(now):
			c.Offers.add(true, decay.weight(today-day(o.Accepted)))
		case end <= now:
			c.Offers.add(false, decay.weight(today-day(end)))
		}
	}
}

func (c *PriceCounts) countOrders(l *PriceLedger, now, today int64, decay *Decay) {
	started, openUntil := 0, int64(-timeLimit) // the offers that have begun, and the last end of any of them
	lastDay := int64(-timeLimit)
	for i := range l.orders {
		o := &l.orders[i]
		if o.At > now {
			break
		}
		placed := day(o.At)
		weight := decay.weight(today - placed)
		if placed != lastDay {
			lastDay = placed
			c.Occasions++
			c.weighedOccasions += weight
		}
		c.Coupons.add(o.couponed(), weight)
		c.Reductions.add(o.reduced(), weight)
		if o.reduced() {
			gross := max(o.Gross, 0)
			c.ReducedGross = addSaturated(c.ReducedGross, gross)
			c.ReducedDiscount = addSaturated(c.ReducedDiscount, min(max(o.Discount, o.Coupon, 0), gross))
		}
		if o.At == l.since {
			continue // the order that began the watch says nothing of its rate
		}
		for started < len(l.offers) && l.offers[started].start() <= o.At {
			openUntil = max(openUntil, l.offers[started].end())
			started++
		}
		if openUntil > o.At {
			c.Offered.Orders++
		} else {
			c.Unoffered.Orders++
		}
	}
}

// addSaturated adds amounts that are not negative, and stops at the greatest number: a sum that has no order.
func addSaturated(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<63 - 1
}
