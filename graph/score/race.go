package score

import "math"

// race is the chance that of two clocks the second rings first, and within a time. The first rings
// at a rate drawn from a gamma distribution with shape p and scale parameter a, the second at one
// drawn with q and b, so that each is silent until u with probability (1+u/a)^-p and (1+u/b)^-q:
//
//	race = ∫₀^within q/(b+u) (1+u/a)^-p (1+u/b)^-q du
//
// In the Pareto/NBD model both the odds that a customer has left and the chance of a purchase
// within a time are races between leaving and buying.
//
// Over all time it is F(1, ·; p+q+1; z) with 0 <= z < 1, Gauss's hypergeometric function after
// Euler's transformation: all its terms are positive, however large p and q are. The race within a
// time is that less the race which is still open then; where the two are nearly equal, and where z
// is so close to 1 that neither series nor fraction converges, the integral is taken as it stands.
//
// REQUIRES: p, a, q, b > 0 and within >= 0, all finite.
func race(p, a, q, b, within float64) float64 {
	if within == 0 {
		return 0
	}
	lo, hi := a, b
	if a > b {
		lo, hi = b, a
	}
	if within <= shortRace*lo && p*within/a+q*within/b <= shortRaceFall {
		return panel(gauss8[:], func(u float64) float64 {
			return q / (b + u) * math.Exp(-p*math.Log1p(u/a)-q*math.Log1p(u/b))
		}, 0, within)
	}
	if hi-lo > fractionTo*hi {
		return longRace(p, a, q, b, within)
	}
	unfinished := math.Exp(-p*math.Log1p(within/a) - q*math.Log1p(within/b))
	won := openRace(p, a, q, b)
	if unfinished > 0 {
		won -= unfinished * openRace(p, a+within, q, b+within)
	}
	return math.Max(won, 0)
}

const (
	shortRace     = 0.1 // of the smaller scale: the rates hardly change, and one panel is exact
	shortRaceFall = 2   // in the exponent over that panel
)

// openRace is the race without a limit of time.
func openRace(p, a, q, b float64) float64 {
	if a >= b {
		return q / (p + q) * hypergeometric1(p, p+q+1, (a-b)/a)
	}
	return q / (p + q) * a / b * hypergeometric1(q+1, p+q+1, (b-a)/b)
}

// longRace takes the integral in the logarithm of time, u = lo·(e^v - 1), in which its changes
// from 'before lo' to 'after hi' have width 1.
func longRace(p, a, q, b, within float64) float64 {
	lo := math.Min(a, b)
	time := func(v float64) float64 { return lo * math.Expm1(v) }
	fall := func(v float64) float64 {
		u := time(v)
		return p*math.Log1p(u/a) + q*math.Log1p(u/b)
	}
	weight := func(v float64) float64 { return q / (b + time(v)) * lo * math.Exp(v) }
	return integrateDecay(math.Log1p(within/lo), fall, weight)
}

const (
	seriesTo   = 0.5  // z from which the fraction needs less work than the series
	fractionTo = 0.95 // z from which quadrature needs less work than the fraction
)

// hypergeometric1 is Gauss's hypergeometric function F(1, b; c; z).
//
// REQUIRES: 0 < b <= c and 0 <= z < 1.
func hypergeometric1(b, c, z float64) float64 {
	if z > seriesTo {
		return hypergeometric1Fraction(b, c, z)
	}
	sum, term := 1.0, 1.0
	for k := 0.0; k < seriesTermsMax && term > 1e-17*sum; k++ {
		term *= z * (b + k) / (c + k)
		sum += term
	}
	return sum
}

const seriesTermsMax = 100 // 0.5^100 is 1e-30

// hypergeometric1Fraction is F(1, b; c; z) as Gauss's continued fraction (DLMF 15.7.5 with b = 0),
// evaluated from its tail. Each partial fraction shrinks the error by (1-√(1-z))/(1+√(1-z)).
func hypergeometric1Fraction(b, c, z float64) float64 {
	root := math.Sqrt(1 - z)
	n := math.Ceil(-20 / math.Log((1-root)/(1+root))) // pairs of partial fractions, for an error of e^-40
	f := 1.0
	for ; n > 0; n-- {
		f = 1 - z*n*(c-1-b+n)/((c+2*n-2)*(c+2*n-1)*f)
		m := n - 1
		f = 1 - z*(b+m)*(c-1+m)/((c+2*m-1)*(c+2*m)*f)
	}
	return 1 / f
}
