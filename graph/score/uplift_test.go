package score

import (
	"math"
	"math/rand/v2"
	"testing"
)

// With R = 1 and κ = 2, 25 days with an open offer and 75 without make q = 1/4. Three orders with and one without:
// (3 + 0.5)/0.25 = 14 against (1 + 1.5)/0.75 = 10/3: a ratio of 4.2.
// With R = 3, q = 75/(75+75) = 1/2: 3 × [(3+1)/0.5] / [(1+1)/0.5] = 6.
func TestUpliftByHand(t *testing.T) {
	counts := PriceCounts{Offered: Exposure{Orders: 3, Millis: 25 * dayMillis}, Unoffered: Exposure{Orders: 1, Millis: 75 * dayMillis}}
	u := population(t, AffinityParameters{LiftConcentration: 2}).Uplift(&counts)
	near(t, "ratio", u.Ratio, 4.2, 1e-12)
	if !u.Own {
		t.Error("the customer's own orders say nothing")
	}
	near(t, "ratio", population(t, AffinityParameters{Lift: 3, LiftConcentration: 2}).Uplift(&counts).Ratio, 6, 1e-12)
}

func TestUpliftWithoutEvidence(t *testing.T) {
	p := population(t, AffinityParameters{Lift: 1.7})
	year := Exposure{Orders: 9, Millis: 365 * dayMillis}
	for name, counts := range map[string]PriceCounts{
		"nothing":             {},
		"never an offer":      {Unoffered: year},
		"always an offer":     {Offered: year},
		"an offer since just": {Offered: Exposure{Orders: 1, Millis: 60000}, Unoffered: year},
		"no orders":           {Offered: Exposure{Millis: dayMillis}, Unoffered: Exposure{Millis: dayMillis}},
	} {
		if u := p.Uplift(&counts); u.Ratio != 1.7 || u.Own {
			t.Errorf("%s: %+v, want the population's 1.7", name, u)
		}
	}
}

func TestBreakEven(t *testing.T) {
	for _, c := range []struct {
		margin, depth, want float64
		possible            bool
	}{
		{0.40, 0.10, 4.0 / 3, true},
		{0.40, 0, 1, true},
		{0.40, 0.40, 0, false},
		{0.40, 0.50, 0, false},
		{0, 0, 0, false},
		{1.5, 0.1, 0, false},
		{0.4, -0.1, 0, false},
		{math.NaN(), 0.1, 0, false},
		{0.4, math.NaN(), 0, false},
		{5e-324, 0, 1, true},
	} {
		got, possible := breakEven(c.margin, c.depth)
		near(t, "break-even", got, c.want, 1e-12)
		if possible != c.possible {
			t.Errorf("margin %v, depth %v: possible %v", c.margin, c.depth, possible)
		}
	}
	if u := (Uplift{Ratio: 1.34}); !u.Pays(0.4, 0.1) || u.Pays(0.4, 0.2) || u.Pays(0.4, 0.4) {
		t.Error("a ratio of 1.34 pays a tenth off at a margin of 40 %, not a fifth, and never the whole margin")
	}
}

// Customers are simulated whose share of orders under an offer scatters around what a ratio of 2 makes of it, with a concentration
// of 20. The fit finds both again.
func TestExposureFitRecoversParameters(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var whole, left, right ExposureSample
	for i := range 20000 {
		share := 0.1 + 0.5*rng.Float64()
		q := offeredShare(2, share)
		own := beta(rng, 20*q, 20*(1-q))
		year := float64(365 * dayMillis)
		c := PriceCounts{Offered: Exposure{Millis: int64(share * year)}, Unoffered: Exposure{Millis: int64((1 - share) * year)}}
		// As many orders as time and ratio make likely, so that the sums show the ratio.
		for range poisson(rng, 6*(1+share)) {
			if rng.Float64() < own {
				c.Offered.Orders++
			} else {
				c.Unoffered.Orders++
			}
		}
		whole.Add(&c)
		if i%3 == 0 {
			left.Add(&c)
		} else {
			right.Add(&c)
		}
	}
	lift, k := whole.Fit()
	near(t, "lift", lift, 2, 0.03)
	near(t, "concentration", k, 20, 0.1)
	left.Merge(&right)
	if l, c := left.Fit(); l != lift || c != k {
		t.Errorf("merged samples give %v and %v, one sample %v and %v", l, c, lift, k)
	}
	if l, c := (&ExposureSample{}).Fit(); l != 1 || c != liftConcentrationDefault {
		t.Errorf("without a sample %v and %v, want 1 and %v", l, c, liftConcentrationDefault)
	}
}

// beta draws from a beta distribution by two gammas.
func beta(rng *rand.Rand, a, b float64) float64 {
	x := gammaDraw(rng, a)
	return x / (x + gammaDraw(rng, b))
}

// gammaDraw is Marsaglia and Tsang's method.
func gammaDraw(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gammaDraw(rng, shape+1) * math.Pow(rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := rng.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v = v * v * v; v > 0 && math.Log(rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func poisson(rng *rand.Rand, mean float64) int {
	n := 0
	for at := rng.ExpFloat64(); at < mean; at += rng.ExpFloat64() {
		n++
	}
	return n
}
