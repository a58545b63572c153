package score

import "math"

// NBD is the negative binomial model (Ehrenberg, Applied Statistics 8, 1959): customers buy at rates of
// their own, spread by a gamma distribution, and never leave. It shows what leaving explains.
type NBD struct {
	R     float64 // shape of the buying rates
	Alpha float64 // weeks
}

var _ Model = NBD{}

// Validate implements Model.
func (m NBD) Validate() error {
	return positive("NBD", parameter{"r", m.R}, parameter{"alpha", m.Alpha})
}

// LogLikelihood implements Model.
func (m NBD) LogLikelihood(h History) float64 {
	h = h.bounded()
	return timesLogLikelihood(m.R, m.Alpha, h) - waitingFall(m.R, m.Alpha, h)
}

// Alive implements Model.
func (m NBD) Alive(History) float64 { return 1 }

// Orders implements Model.
func (m NBD) Orders(h History, t float64) float64 { return m.rate(h.bounded()) * bound(t, timeMax) }

func (m NBD) rate(h History) float64 { return (m.R + h.X) / (m.Alpha + h.T) }

// BuysWithin implements Model.
func (m NBD) BuysWithin(h History, t float64) float64 {
	h = h.bounded()
	return -math.Expm1(-(m.R + h.X) * math.Log1p(bound(t, timeMax)/(m.Alpha+h.T)))
}

// Discounted implements Model.
func (m NBD) Discounted(h History, d Discount) float64 {
	return m.rate(h.bounded()) * d.horizon * expm1Ratio(-d.rate*d.horizon)
}
