package score

import "math"

// MBGNBD is the MBG/NBD model (Batislam, Denizel and Filiztekin, International Journal of Research in
// Marketing 24, 2007): BG/NBD, but a customer may also leave after the first purchase.
type MBGNBD struct {
	R     float64 // shape of the buying rates
	Alpha float64 // weeks
	A     float64
	B     float64
}

var _ Model = MBGNBD{}

// Validate implements Model.
func (m MBGNBD) Validate() error {
	return positive("MBG/NBD", parameter{"r", m.R}, parameter{"alpha", m.Alpha}, parameter{"a", m.A}, parameter{"b", m.B})
}

// LogLikelihood implements Model.
//
// It is that of BGNBD with x+1 chances to leave instead of x, the first purchase being one. Both forms of the last
// factor are equal, as stayed + left is 1:
//
//	fall < 1    1 + stayed (e^-fall - 1)            keeps its digits if little time has passed
//	else        stayed (e^-fall + A/(B+x))          keeps its digits if e^-fall is tiny
func (m MBGNBD) LogLikelihood(h History) float64 {
	h = h.bounded()
	purchases := timesLogLikelihood(m.R, m.Alpha, h) + lnRising(m.B, h.X) - lnRising(m.A+m.B, h.X)
	stayed := (m.B + h.X) / (m.A + m.B + h.X)
	fall := waitingFall(m.R, m.Alpha, h)
	if fall < 1 {
		return purchases + math.Log1p(stayed*math.Expm1(-fall))
	}
	return purchases + math.Log(stayed) + waitingOrLeft(fall, m.A/(m.B+h.X))
}

// Alive implements Model.
func (m MBGNBD) Alive(h History) float64 {
	h = h.bounded()
	return aliveAgainst(m.A/(m.B+h.X), waitingFall(m.R, m.Alpha, h))
}

func (m MBGNBD) stayer(h History) stayer {
	return stayer{a: m.A, b: m.B + h.X + 1, shape: m.R + h.X, rate: m.Alpha + h.T}
}

// Orders implements Model.
func (m MBGNBD) Orders(h History, t float64) float64 {
	h = h.bounded()
	return m.Alive(h) * m.stayer(h).orders(bound(t, timeMax))
}

// BuysWithin implements Model.
func (m MBGNBD) BuysWithin(h History, t float64) float64 {
	h = h.bounded()
	return m.Alive(h) * m.stayer(h).buysWithin(bound(t, timeMax))
}

// Discounted implements Model.
func (m MBGNBD) Discounted(h History, d Discount) float64 {
	h = h.bounded()
	return m.Alive(h) * m.stayer(h).discounted(d)
}
