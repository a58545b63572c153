package score

import "math"

// point is a positive node of a Gauss-Legendre rule on [-1, 1] and its weight; -node has the same.
type point struct{ node, weight float64 }

// gauss8 is the rule of 8 points.
//
// A rule of n points is exact for polynomials of a degree up to 2n-1, so 15 here and 31 for gauss16.
var gauss8 = [4]point{
	{0.183434642495649805, 0.362683783378361983},
	{0.525532409916328986, 0.313706645877887287},
	{0.796666477413626740, 0.222381034453374471},
	{0.960289856497536232, 0.101228536290376259},
}

// gauss16 is the rule of 16 points.
var gauss16 = [8]point{
	{0.0950125098376374402, 0.189450610455068496},
	{0.281603550779258913, 0.182603415044923589},
	{0.458016777657227386, 0.169156519395002538},
	{0.617876244402643748, 0.149595988816576732},
	{0.755404408355003034, 0.124628971255533872},
	{0.865631202387831744, 0.0951585116824927848},
	{0.944575023073232576, 0.0622535239386478929},
	{0.989400934991649933, 0.0271524594117540949},
}

// panel integrates f from one point to another by one rule.
func panel(rule []point, f func(float64) float64, from, to float64) float64 {
	middle, half := (from+to)/2, (to-from)/2
	sum := 0.0
	for i := range rule {
		g := &rule[i]
		sum += g.weight * (f(middle-half*g.node) + f(middle+half*g.node))
	}
	return sum * half
}

// Bounds of the panels that integrateDecay cuts a range into. Over one panel of at most this width
// and this fall the rule of 16 points is exact to about 1e-15 for the integrands of this package: in their
// variables they are free of singularities as far as π/2 from the real line.
const (
	panelWidth = 2
	panelFall  = 20 // in the exponent
	panelsMax  = 4096
)

// nothing is a fall after which nothing is left: weights grow at most like e^v, and where they do
// so for long, v is below half of it.
//
// The rest is thus at most about e^-60 of the weight, or 1e-26, far below the last digit of a sum of order 1.
const nothing = 120

// integrateDecay integrates weight(v)·e^-fall(v) for v from 0 to end, where fall grows from 0. It stops
// early once nothing is left.
func integrateDecay(end float64, fall, weight func(float64) float64) float64 {
	integrand := func(v float64) float64 { return weight(v) * math.Exp(-fall(v)) }
	sum, from, fallen := 0.0, 0.0, 0.0
	for range panelsMax {
		to := math.Min(from+panelWidth, end)
		next := fall(to)
		for next-fallen > panelFall && to-from > 1e-12*(1+from) {
			to = from + (to-from)/2
			next = fall(to)
		}
		sum += panel(gauss16[:], integrand, from, to)
		if to >= end || next > nothing {
			break
		}
		from, fallen = to, next
	}
	return sum
}
