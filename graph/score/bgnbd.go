package score

import "math"

// BGNBD is the BG/NBD model (Fader, Hardie and Lee, Marketing Science 24, 2005): a customer buys at a rate
// of their own, spread by a gamma distribution (R, Alpha), and leaves after a repeat purchase with a
// chance of their own, spread by a beta distribution (A, B).
//
// A customer with one purchase can't have left in this model: Alive is 1. Don't show it as churn.
type BGNBD struct {
	R     float64 // shape of the buying rates
	Alpha float64 // weeks
	A     float64
	B     float64
}

var _ Model = BGNBD{}

// Validate implements Model.
func (m BGNBD) Validate() error {
	return positive("BG/NBD", parameter{"r", m.R}, parameter{"alpha", m.Alpha}, parameter{"a", m.A}, parameter{"b", m.B})
}

// leaving are the odds of having left at the last purchase, against having stayed, before the
// time since is looked at.
func (m BGNBD) leaving(h History) float64 {
	if h.X < 1 {
		return 0
	}
	return m.A / (m.B + h.X - 1)
}

// LogLikelihood implements Model.
//
// The likelihood is a product, with p the chance of leaving after a purchase and x the repeat purchases:
//
//	times of the x purchases · E[(1-p)^x] · (e^-fall + A/(B+x-1))
//	                           stayed x times  waits, or left at the last: E[p(1-p)^(x-1)] / E[(1-p)^x]
func (m BGNBD) LogLikelihood(h History) float64 {
	h = h.bounded()
	fall := waitingFall(m.R, m.Alpha, h)
	return timesLogLikelihood(m.R, m.Alpha, h) + lnRising(m.B, h.X) - lnRising(m.A+m.B, h.X) +
		waitingOrLeft(fall, m.leaving(h))
}

// Alive implements Model.
func (m BGNBD) Alive(h History) float64 {
	h = h.bounded()
	return aliveAgainst(m.leaving(h), waitingFall(m.R, m.Alpha, h))
}

// stayer is what is known of a customer who is alive.
func (m BGNBD) stayer(h History) stayer {
	return stayer{a: m.A, b: m.B + h.X, shape: m.R + h.X, rate: m.Alpha + h.T}
}

// Orders implements Model.
func (m BGNBD) Orders(h History, t float64) float64 {
	h = h.bounded()
	return m.Alive(h) * m.stayer(h).orders(bound(t, timeMax))
}

// BuysWithin implements Model.
func (m BGNBD) BuysWithin(h History, t float64) float64 {
	h = h.bounded()
	return m.Alive(h) * m.stayer(h).buysWithin(bound(t, timeMax))
}

// Discounted implements Model.
func (m BGNBD) Discounted(h History, d Discount) float64 {
	h = h.bounded()
	return m.Alive(h) * m.stayer(h).discounted(d)
}

// Count is the chance that a new customer makes n repeat purchases in their first t weeks.
func (m BGNBD) Count(n int, t float64) float64 {
	t = bound(t, timeMax)
	if n < 0 {
		return 0
	}
	x := float64(n)
	// The n-th purchase of a customer that never leaves: a negative binomial distribution.
	lnZ, lnRest := -math.Log1p(m.Alpha/t), -math.Log1p(t/m.Alpha)
	exactly := math.Exp(lnRising(m.R, x) - lnGamma(x+1) + m.R*lnRest)
	if n > 0 {
		exactly *= math.Exp(x * lnZ)
	}
	chance := math.Exp(lnRising(m.B, x)-lnRising(m.A+m.B, x)) * exactly
	if n > 0 && t > 0 {
		// They made n or more, and left at the n-th.
		atLeast := exactly * hypergeometric1(m.R+x, x+1, t/(m.Alpha+t))
		chance += math.Exp(lnRising(m.B, x-1)-lnRising(m.A+m.B, x)) * m.A * atLeast
	}
	return chance
}
