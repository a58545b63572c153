package score

import "math"

// ParetoNBD is the Pareto/NBD model (Schmittlein, Morrison and Colombo, Management Science 33, 1987):
// while alive a customer buys at a rate of their own, and leaves at another. Rates of buying are
// spread over customers by a gamma distribution with shape R and rate Alpha, rates of leaving with S and Beta.
type ParetoNBD struct {
	R     float64 // shape of the buying rates
	Alpha float64 // weeks
	S     float64 // shape of the leaving rates
	Beta  float64 // weeks
}

var _ Model = ParetoNBD{}

// Validate implements Model.
func (m ParetoNBD) Validate() error {
	return positive("Pareto/NBD", parameter{"r", m.R}, parameter{"alpha", m.Alpha}, parameter{"s", m.S}, parameter{"beta", m.Beta})
}

// silence weighs the two explanations of the time since a customer's last purchase, relative to
// what was likely at that purchase.
type silence struct {
	waiting float64 // neither bought nor left since
	left    float64 // left before buying
}

func (m ParetoNBD) silence(h History) silence {
	return silence{
		waiting: math.Exp(-m.waitingFall(h)),
		left:    race(m.R+h.X, m.Alpha+h.Tx, m.S, m.Beta+h.Tx, h.T-h.Tx),
	}
}

// waitingFall is -ln of the chance to neither buy nor leave since the last purchase.
func (m ParetoNBD) waitingFall(h History) float64 {
	return waitingFall(m.R, m.Alpha, h) + m.S*math.Log1p((h.T-h.Tx)/(m.Beta+h.Tx))
}

func (s silence) alive() float64 { return s.waiting / (s.waiting + s.left) }

// LogLikelihood implements Model.
func (m ParetoNBD) LogLikelihood(h History) float64 {
	h = h.bounded()
	return lnRising(m.R, h.X) - m.R*math.Log1p(h.Tx/m.Alpha) - h.X*math.Log(m.Alpha+h.Tx) -
		m.S*math.Log1p(h.Tx/m.Beta) + m.silenceLogLikelihood(h)
}

// silenceLogLikelihood is ln(waiting + left): of no purchase since the last.
func (m ParetoNBD) silenceLogLikelihood(h History) float64 {
	if m.waitingFall(h) < 1 {
		// Near 1, the sum is known better by what it lacks: a purchase that came before leaving.
		return math.Log1p(-race(m.S, m.Beta+h.Tx, m.R+h.X, m.Alpha+h.Tx, h.T-h.Tx))
	}
	s := m.silence(h)
	return math.Log(s.waiting + s.left)
}

// Alive implements Model.
func (m ParetoNBD) Alive(h History) float64 { return m.silence(h.bounded()).alive() }

// Orders implements Model: with B = beta+T, P(alive) (r+x)/(alpha+T) ∫₀^t (1+u/B)^-s du.
func (m ParetoNBD) Orders(h History, t float64) float64 {
	h = h.bounded()
	t = bound(t, timeMax)
	return m.silence(h).alive() * m.rate(h) * lomaxLifetime(m.S, m.Beta+h.T, t)
}

// rate is the expected purchases a week of a customer who is alive.
func (m ParetoNBD) rate(h History) float64 { return (m.R + h.X) / (m.Alpha + h.T) }

// lomaxLifetime is the expected time until a clock with shape s and scale b rings, at most t:
// ∫₀^t (1+u/b)^-s du.
func lomaxLifetime(s, b, t float64) float64 {
	l := math.Log1p(t / b)
	return b * l * expm1Ratio((1-s)*l)
}

// expm1Ratio is (e^y - 1)/y.
func expm1Ratio(y float64) float64 {
	if y == 0 {
		return 1
	}
	return math.Expm1(y) / y
}

// BuysWithin implements Model: buying must win the race against leaving, and within t.
func (m ParetoNBD) BuysWithin(h History, t float64) float64 {
	h = h.bounded()
	return m.silence(h).alive() * race(m.S, m.Beta+h.T, m.R+h.X, m.Alpha+h.T, bound(t, timeMax))
}

// Discounted implements Model: with B = beta+T, P(alive) (r+x)/(alpha+T) ∫₀^horizon e^(-rate·u) (1+u/B)^-s du.
// Over all the future it is the discounted expected residual transactions of Fader, Hardie and Lee
// (Journal of Marketing Research 42, 2005).
func (m ParetoNBD) Discounted(h History, d Discount) float64 {
	h = h.bounded()
	if d.rate == 0 {
		return m.Orders(h, d.horizon)
	}
	b := m.Beta + h.T
	fall := func(v float64) float64 { return m.S*v + d.rate*b*math.Expm1(v) }
	lifetime := b * integrateDecay(math.Log1p(d.effective()/b), fall, math.Exp)
	return m.silence(h).alive() * m.rate(h) * lifetime
}
