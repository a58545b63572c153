package score

import (
	"math"
	"testing"
)

// simpson integrates with so many steps that nothing clever is needed.
func simpson(f func(float64) float64, from, to float64) float64 {
	const n = 200000
	h := (to - from) / n
	sum := f(from) + f(to)
	for i := 1; i < n; i++ {
		sum += float64(2+2*(i%2)) * f(from+float64(i)*h)
	}
	return sum * h / 3
}

// Each way to evaluate a race holds on both sides of where the next takes over.
func TestRace(t *testing.T) {
	for _, c := range []struct{ p, a, q, b, within float64 }{
		{2.553, 41, 0.606, 42.1, 8.43},  // series
		{2.553, 41, 0.606, 42.1, 4.09},  // short
		{2.553, 41, 0.606, 42.1, 4.11},  // just not short
		{30, 41, 0.606, 42.1, 4},        // short in time, but not in what happens
		{2.553, 41, 0.606, 12, 8.43},    // fraction
		{2.553, 12, 0.606, 41, 8.43},    // fraction, the other way
		{2.553, 1000, 0.606, 50.1, 300}, // just a fraction
		{2.553, 1000, 0.606, 49.9, 300}, // just quadrature
		{0.6, 2, 2.553, 1000, 5000},     // quadrature, the other way
		{500, 100, 0.4, 0.01, 40},
	} {
		integrand := func(v float64) float64 {
			u := math.Expm1(v)
			return (1 + u) * c.q / (c.b + u) * math.Exp(-c.p*math.Log1p(u/c.a)-c.q*math.Log1p(u/c.b))
		}
		want := simpson(integrand, 0, math.Log1p(c.within))
		near(t, "race", race(c.p, c.a, c.q, c.b, c.within), want, 1e-9)
	}
}

// One of two clocks rings first, or neither rings in time.
func TestRaceSharesSumToOne(t *testing.T) {
	for _, within := range []float64{1e-9, 0.3, 5, 200, 1e7} {
		for _, c := range []struct{ p, a, q, b float64 }{{2.5, 41, 0.6, 42}, {0.01, 3, 0.02, 700}, {500, 1e-3, 0.4, 1e3}, {1, 1, 1, 1}} {
			neither := math.Exp(-c.p*math.Log1p(within/c.a) - c.q*math.Log1p(within/c.b))
			sum := race(c.p, c.a, c.q, c.b, within) + race(c.q, c.b, c.p, c.a, within) + neither
			near(t, "shares", sum, 1, 1e-12)
		}
	}
}
