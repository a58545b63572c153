package score

import "math"

// stayer is what is known of a customer of the BG/NBD family who is alive: the chance of leaving
// after a purchase is spread by a beta distribution, the buying rate by a gamma distribution.
type stayer struct {
	a, b        float64 // of leaving
	shape, rate float64 // of buying
}

func (s stayer) orders(t float64) float64 {
	return betaLomaxCount(s.a, s.b, s.shape, t/s.rate)
}

// buysWithin does not look at leaving: nobody leaves without buying once more.
func (s stayer) buysWithin(t float64) float64 {
	return -math.Expm1(-s.shape * math.Log1p(t/s.rate))
}

// discounted integrates the rate of buying, which falls as customers leave, over the horizon. Its
// variable is the logarithm of time from the expected time between purchases on, where leaving begins to tell.
func (s stayer) discounted(d Discount) float64 {
	if d.rate == 0 {
		return s.orders(d.horizon)
	}
	pause := s.rate / (s.shape + 1)
	fall := func(v float64) float64 { return d.rate * pause * math.Expm1(v) }
	weight := func(v float64) float64 {
		return math.Exp(v) * betaLomax(s.a, s.b, s.shape+1, pause*math.Expm1(v)/s.rate)
	}
	return s.shape / s.rate * pause * integrateDecay(math.Log1p(d.effective()/pause), fall, weight)
}

// waitingFall is -ln of the chance of no purchase since the last, were the customer alive.
func waitingFall(r, alpha float64, h History) float64 {
	return (r + h.X) * math.Log1p((h.T-h.Tx)/(alpha+h.Tx))
}

// timesLogLikelihood is that of the times of the purchases, up to the last.
func timesLogLikelihood(r, alpha float64, h History) float64 {
	return lnRising(r, h.X) - r*math.Log1p(h.Tx/alpha) - h.X*math.Log(alpha+h.Tx)
}

// waitingOrLeft is ln(e^-fall + left): no purchase since the last, for either reason.
func waitingOrLeft(fall, left float64) float64 {
	switch {
	case left == 0:
		return -fall
	case fall < 1:
		return math.Log1p(math.Expm1(-fall) + left)
	}
	return math.Log(math.Exp(-fall) + left)
}

// aliveAgainst is the chance of being alive, given the odds of having left at the last purchase and
// the fall of the chance of waiting since.
func aliveAgainst(leaving, fall float64) float64 {
	waiting := math.Exp(-fall)
	if leaving == 0 {
		return 1
	}
	return waiting / (waiting + leaving)
}
