package score

import "math"

// The BG/NBD family: a customer leaves after a purchase with a chance p of their own. Given that the
// customer is alive, p is spread by a beta distribution and the buying rate by a gamma distribution
// with shape m and rate A, and what is expected of t more weeks is an average over p:
//
//	purchases a week then   m/A (1 + p t/A)^-(m+1)
//	purchases until then    (1 - (1 + p t/A)^-m) / p
//
// Each is a hypergeometric function. After Euler's transformation its series holds however large x
// is, and is used where it converges; elsewhere the average is taken as it stands.

// betaLomax is the mean of (1 + p·y)^-m over p from a beta distribution: F(a, m; a+b; -y).
//
// REQUIRES: a, b, m > 0 and y >= 0.
func betaLomax(a, b, m, y float64) float64 {
	z := y / (1 + y)
	switch {
	case z > farFrom && farSeriesHolds(a, b, m):
		return betaLomaxFar(a, b, m, y)
	case !eulerSeriesHolds(a, a+b-m, z):
		return betaMean(a, b, m*y, func(p float64) float64 { return math.Exp(-m * math.Log1p(p*y)) })
	}
	return math.Exp(-a*math.Log1p(y)) * (1 + eulerSeries(a, a+b-m, a+b, z))
}

const farFrom = 0.9

// farSeriesHolds reports whether betaLomaxFar does: it has poles where m-a is an integer, and terms of
// alternating sign where parameters are large.
func farSeriesHolds(a, b, m float64) bool {
	return math.Abs(m-a-math.Round(m-a)) > 1e-2 && a < 10 && b < 1000 && m < 1000 && math.Abs(a+b-m) < 10
}

// betaLomaxFar is betaLomax by its series in 1/(1+y), for y that is large (DLMF 15.8.3).
func betaLomaxFar(a, b, m, y float64) float64 {
	c, w := a+b, 1/(1+y)
	lnW := -math.Log1p(y)
	first := gammaRatio(c, m-a, m, b) * math.Exp(a*lnW) * (1 + eulerSeries(a, c-m, a-m+1, w))
	if m*lnW < -nothingLeft+a*lnW {
		return first
	}
	return first + gammaRatio(c, a-m, a, c-m)*math.Exp(m*lnW)*(1+eulerSeries(m, b, m-a+1, w))
}

// gammaRatio is Γ(a)Γ(b)/(Γ(c)Γ(d)), none of which is a pole but perhaps d.
func gammaRatio(a, b, c, d float64) float64 {
	lnA, signA := math.Lgamma(a)
	lnB, signB := math.Lgamma(b)
	lnC, signC := math.Lgamma(c)
	lnD, signD := math.Lgamma(d)
	return float64(signA*signB*signC*signD) * math.Exp(lnA+lnB-lnC-lnD)
}

// betaLomaxCount is the mean of (1 - (1 + p·y)^-m)/p over p from a beta distribution.
//
// REQUIRES: a, b, m > 0 and y >= 0.
func betaLomaxCount(a, b, m, y float64) float64 {
	c := a + b - 1
	z := y / (1 + y)
	if !eulerSeriesHolds(a, c-m, z) || m < cancelsBelow*c {
		return betaMean(a, b, m*y, func(p float64) float64 {
			if p*y < 1e-16 {
				return m * y
			}
			return -math.Expm1(-m*math.Log1p(p*y)) / p
		})
	}
	// c/(a-1) [1 - (1-z)^(a-1) F(a-1, c-m; c; z)], with a-1 divided out term by term: nothing
	// happens at a = 1, nor at c = 0.
	l := math.Log1p(y) // -ln(1-z)
	e := a - 1
	return c*l*expm1Ratio(-e*l) - math.Exp(-e*l)*countSeries(a, c-m, c, z)
}

// eulerSeriesHolds reports whether the series with these first two parameters converges soon, does not
// overflow ((1-z)^-first bounds it) and, where the second is negative and terms alternate, loses nothing.
func eulerSeriesHolds(first, second, z float64) bool {
	return z <= 0.99 && second >= -2 && -first*math.Log1p(-z) <= 50
}

// cancelsBelow is m/c of betaLomaxCount below which its difference would lose four digits.
const cancelsBelow = 1e-4

const eulerTermsMax = 10000

// eulerSeries is F(a, b; c; z) - 1.
func eulerSeries(a, b, c, z float64) float64 {
	sum, term := 0.0, 1.0
	for k := 0.0; k < eulerTermsMax; k++ {
		term *= z * (a + k) * (b + k) / ((c + k) * (k + 1))
		sum += term
		if math.Abs(term) <= 1e-18*(1+math.Abs(sum)) {
			break
		}
	}
	return sum
}

// countSeries is c (F(a-1, b; c; z) - 1)/(a-1).
func countSeries(a, b, c, z float64) float64 {
	term := z * b
	sum := term
	for k := 1.0; k < eulerTermsMax; k++ {
		term *= z * (a + k - 1) * (b + k) / ((c + k) * (k + 1))
		sum += term
		if math.Abs(term) <= 1e-18*math.Abs(sum) {
			break
		}
	}
	return sum
}

// betaMean is the mean of f over a beta distribution, by the double-exponential rule (Takahasi and
// Mori 1974): with p = 1/(1+e^-w), w = π sinh τ, the trapezoidal rule in τ takes any power at
// either end. The step is halved until the mean holds and the weights sum to what
// they have to, 1. Each halving squares the error.
//
// REQUIRES: f is positive and falls, and below p = 1/knee it has all but stopped to grow.
func betaMean(a, b, knee float64, f func(p float64) float64) float64 {
	// Beyond these w less than e^-50 of the weight is left.
	from := -math.Asinh((1 + nothingLeft/a + math.Log1p(math.Max(b, knee))) / math.Pi)
	to := math.Asinh((1 + nothingLeft/b + math.Log1p(a)) / math.Pi)
	scale := -lnBeta(a, b) + math.Log(math.Pi)
	at := func(tau float64) (weight, value float64) {
		w := math.Pi * math.Sinh(tau)
		e := math.Exp(-math.Abs(w))
		lnMore := -math.Log1p(e) // ln of the larger of p, 1-p
		lnP, lnQ := lnMore, lnMore-math.Abs(w)
		if w < 0 {
			lnP, lnQ = lnQ, lnP
		}
		weight = math.Exp(a*lnP+b*lnQ+scale) * math.Cosh(tau)
		if weight == 0 {
			return 0, 0
		}
		return weight, weight * f(math.Exp(lnP))
	}
	n := 32
	step := (to - from) / float64(n)
	weights, values := 0.0, 0.0
	for i := range n + 1 {
		w, v := at(from + float64(i)*step)
		weights, values = weights+w, values+v
	}
	mean := values / weights
	for n < betaNodesMax {
		for i := range n {
			w, v := at(from + (float64(i)+0.5)*step)
			weights, values = weights+w, values+v
		}
		n, step = 2*n, step/2
		before := mean
		mean = values / weights
		if math.Abs(mean-before) <= 1e-8*mean && math.Abs(weights*step-1) <= 1e-6 {
			break
		}
	}
	return mean
}

const (
	nothingLeft  = 50
	betaNodesMax = 1 << 15
)
