package score

import "math"

// BGBB is the BG/BB model (Fader, Hardie and Shang, Marketing Science 29, 2010) for purchases at discrete
// opportunities, such as yearly donations: at each, a customer who is alive buys with one chance and
// leaves before it with another, spread by beta distributions (Alpha, Beta) and (Gamma, Delta).
//
// Its time unit is one opportunity: in a History, T counts the opportunities so far, X the purchases
// and Tx says at which opportunity the last one was. A future counts whole opportunities only, and a
// discount rate is continuous, per opportunity.
type BGBB struct {
	Alpha, Beta  float64 // of buying
	Gamma, Delta float64 // of leaving
}

var _ Model = BGBB{}

// Validate implements Model.
func (m BGBB) Validate() error {
	return positive("BG/BB", parameter{"alpha", m.Alpha}, parameter{"beta", m.Beta}, parameter{"gamma", m.Gamma}, parameter{"delta", m.Delta})
}

// opportunitiesMax bounds the loops over opportunities: later ones don't count.
const opportunitiesMax = 1 << 16

// opportunities is what of a history this model takes.
func (h History) opportunities() History {
	h.T = math.Floor(bound(h.T, opportunitiesMax))
	h.Tx = math.Floor(bound(h.Tx, h.T))
	h.X = math.Floor(bound(h.X, h.Tx))
	return h
}

// explanations weighs what may have happened since the last purchase.
type explanations struct {
	stayed float64 // alive at the last opportunity
	all    float64 // that, or having left before one since the last purchase
	lnUnit float64 // logarithm of what both are multiples of
}

// explain sums over the opportunity at which the customer left, backwards: one that was not lived to
// see takes a refusal and a survival out of the likelihood.
//
// The terms are relative to having stayed, so the sum begins with 1. One history may have 65,536 of them, each a
// product of as many factors, so all three numbers are scaled down together before they overflow; lnUnit has what
// was taken out.
func (m BGBB) explain(h History) explanations {
	e := explanations{
		stayed: 1,
		all:    1,
		lnUnit: lnRising(m.Alpha, h.X) + lnRising(m.Beta, h.T-h.X) - lnRising(m.Alpha+m.Beta, h.T) +
			lnRising(m.Delta, h.T) - lnRising(m.Gamma+m.Delta, h.T),
	}
	left := m.Gamma
	for lived := h.T - 1; lived >= h.Tx; lived-- {
		left *= (m.Alpha + m.Beta + lived) / ((m.Beta + lived - h.X) * (m.Delta + lived))
		e.all += left
		left *= m.Gamma + m.Delta + lived
		if e.all > rescaleFrom {
			left, e.stayed, e.all = left/rescaleFrom, e.stayed/rescaleFrom, e.all/rescaleFrom
			e.lnUnit += math.Log(rescaleFrom)
		}
	}
	return e
}

const rescaleFrom = 1e200

// LogLikelihood implements Model.
func (m BGBB) LogLikelihood(h History) float64 {
	e := m.explain(h.opportunities())
	return e.lnUnit + math.Log(e.all)
}

// stayed is the chance of being alive at the last opportunity.
func (m BGBB) stayed(h History) float64 {
	e := m.explain(h)
	return e.stayed / e.all
}

// Alive implements Model: alive at the next opportunity.
func (m BGBB) Alive(h History) float64 {
	h = h.opportunities()
	return m.stayed(h) * (m.Delta + h.T) / (m.Gamma + m.Delta + h.T)
}

// Orders implements Model.
func (m BGBB) Orders(h History, t float64) float64 {
	return m.Discounted(h, Discount{horizon: t})
}

// BuysWithin implements Model: the first purchase comes at one of the opportunities.
func (m BGBB) BuysWithin(h History, t float64) float64 {
	h = h.opportunities()
	survives, first, sum := 1.0, (m.Alpha+h.X)/(m.Alpha+m.Beta+h.T), 0.0
	for i := range int(bound(t, opportunitiesMax)) {
		n := h.T + float64(i)
		survives *= (m.Delta + n) / (m.Gamma + m.Delta + n)
		sum += survives * first
		first *= (m.Beta + n - h.X) / (m.Alpha + m.Beta + n + 1)
	}
	return m.stayed(h) * sum
}

// Discounted implements Model. The next opportunity is one unit of time away.
func (m BGBB) Discounted(h History, d Discount) float64 {
	h = h.opportunities()
	keeps := math.Exp(-d.rate)
	worth, sum := 1.0, 0.0
	for i := range int(bound(d.horizon, opportunitiesMax)) {
		n := h.T + float64(i)
		worth *= keeps * (m.Delta + n) / (m.Gamma + m.Delta + n)
		sum += worth
		if worth < 1e-18*sum {
			break
		}
	}
	return m.stayed(h) * (m.Alpha + h.X) / (m.Alpha + m.Beta + h.T) * sum
}
