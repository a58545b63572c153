package score

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Invariants S1 to S3 and S5, for histories, parameters and horizons drawn at random.

func drawLedger(t *rapid.T) []Purchase {
	n := rapid.IntRange(0, 90).Draw(t, "purchases") // more than fit the room on the stack
	ledger := make([]Purchase, n)
	for i := range ledger {
		ledger[i] = Purchase{
			ID:        fmt.Sprintf("order-%d", rapid.IntRange(0, 2*n).Draw(t, "id")), // some ids meet
			At:        rapid.Int64Range(-5*dayMillis, 400*dayMillis).Draw(t, "at"),
			Net:       rapid.OneOf(rapid.Int64Range(-2000, 20000), rapid.Int64()).Draw(t, "net"),
			Refunded:  rapid.SampledFrom([]int64{0, 0, 500, math.MaxInt64}).Draw(t, "refunded"),
			Cancelled: rapid.IntRange(0, 9).Draw(t, "cancelled") == 0,
		}
	}
	return ledger
}

// S1.
func TestPropHistoryOrderFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := drawLedger(t)
		now := rapid.Int64Range(-10*dayMillis, 500*dayMillis).Draw(t, "now")
		again := rapid.Permutation(append(append([]Purchase(nil), ledger...), ledger...)).Draw(t, "shuffled, twice")
		if a, b := NewHistory(ledger, now), NewHistory(again, now); a != b {
			t.Fatalf("in order %+v, shuffled and twice %+v", a, b)
		}
	})
}

// span draws a positive number between two, evenly in its logarithm.
func span(t *rapid.T, what string, from, to float64) float64 {
	return math.Exp(rapid.Float64Range(math.Log(from), math.Log(to)).Draw(t, what))
}

func drawHistory(t *rapid.T) History {
	h := History{T: span(t, "T", 1e-3, 1e4), N: 1, Z: span(t, "z", 1, 1e7)}
	if x := rapid.IntRange(0, 600).Draw(t, "x"); x > 0 {
		h.X, h.N = float64(x), x+1
		h.Tx = h.T * rapid.Float64Range(0, 1).Draw(t, "tx/T")
	}
	return h
}

func drawModel(t *rapid.T) Model {
	p := func(name string) float64 { return span(t, name, 0.02, 50) }
	scale := func(name string) float64 { return span(t, name, 0.01, 1000) }
	switch rapid.SampledFrom([]string{"Pareto/NBD", "BG/NBD", "MBG/NBD", "NBD"}).Draw(t, "model") {
	case "Pareto/NBD":
		return ParetoNBD{R: p("r"), Alpha: scale("alpha"), S: p("s"), Beta: scale("beta")}
	case "BG/NBD":
		return BGNBD{R: p("r"), Alpha: scale("alpha"), A: p("a"), B: p("b")}
	case "MBG/NBD":
		return MBGNBD{R: p("r"), Alpha: scale("alpha"), A: p("a"), B: p("b")}
	default:
		return NBD{R: p("r"), Alpha: scale("alpha")}
	}
}

// rounding is what two evaluations of one number may differ by.
const rounding = 1e-9

// S2, S3 and S5.
func TestPropScores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, h := drawModel(t), drawHistory(t)
		weeks := span(t, "weeks", 1e-3, 1e4)
		alive, orders, buys := m.Alive(h), m.Orders(h, weeks), m.BuysWithin(h, weeks)
		sane(t, "alive, not alive, orders", alive, 1-alive, orders)
		sane(t, "buys, and not unless alive", buys, alive*(1+rounding)-buys)
		if buys > orders*(1+rounding) {
			t.Fatalf("the chance of an order, %v, is above the expected orders, %v", buys, orders)
		}

		later := h
		later.T += span(t, "later", 1e-3, 1e3)
		if now, then := alive, m.Alive(later); then > now*(1+rounding) {
			t.Fatalf("time alone raised alive from %v to %v", now, then)
		}
		if then := m.Orders(later, weeks); then > orders*(1+rounding) {
			t.Fatalf("time alone raised orders from %v to %v", orders, then)
		}

		longer := weeks * span(t, "longer", 1, 10)
		if more := m.Orders(h, longer); more < orders*(1-rounding) {
			t.Fatalf("%v orders in %v weeks, %v in %v", orders, weeks, more, longer)
		}
		if more := m.BuysWithin(h, longer); more < buys*(1-rounding) {
			t.Fatalf("chance %v in %v weeks, %v in %v", buys, weeks, more, longer)
		}

		d, err := NewDiscount(span(t, "rate", 1e-4, 1), weeks)
		if err != nil {
			t.Fatal(err)
		}
		if discounted := m.Discounted(h, d); !(discounted >= 0 && discounted <= orders*(1+rounding)) {
			t.Fatalf("%v orders, %v discounted", orders, discounted)
		}
	})
}

// Twice the money is twice the value: parameters of spending scale with the currency's unit.
func TestPropMoneyScales(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		spend := GammaGamma{P: span(t, "p", 0.1, 50), Q: 1 + span(t, "q - 1", 0.01, 50), Gamma: span(t, "gamma", 1, 1e5)}
		factor := span(t, "factor", 1e-3, 1e3)
		scaledSpend, scaledHistory := spend, h
		scaledSpend.Gamma *= factor
		scaledHistory.Z *= factor
		plain, err := newCLV(cdnow, spend, Terms{})
		if err != nil {
			t.Fatal(err)
		}
		scaled, err := newCLV(cdnow, scaledSpend, Terms{})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := plain.Value(h)*factor, scaled.Value(scaledHistory); math.Abs(a-b) > 1e-12*a+1e-300 {
			t.Fatalf("%v times the money: value %v, want %v", factor, b, a)
		}
		mean := spend.Mean(float64(h.N), h.Z)
		if lo, hi := math.Min(h.Z, spend.Population()), math.Max(h.Z, spend.Population()); mean < lo*(1-rounding) || mean > hi*(1+rounding) {
			t.Fatalf("the expected value %v is not between the customer's mean %v and the population's %v", mean, h.Z, spend.Population())
		}
	})
}

// S4: nothing of what is asked about a customer allocates.
func TestNoAllocation(t *testing.T) {
	clv, err := newCLV(cdnow, GammaGamma{P: 6.25, Q: 3.74, Gamma: 1544}, Terms{AnnualDiscount: 0.15})
	if err != nil {
		t.Fatal(err)
	}
	ledger := make([]Purchase, 64)
	for i := range ledger {
		ledger[i] = Purchase{ID: fmt.Sprint(i), At: int64(i) * dayMillis, Net: 100}
	}
	for name, f := range map[string]func(){
		"history": func() { sink = NewHistory(ledger, 100*dayMillis).T },
		"value":   func() { sink = clv.Value(History{X: 2, Tx: 30, T: 39, N: 3, Z: 2000}) },
	} {
		if n := testing.AllocsPerRun(10, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	for _, m := range models {
		if n := testing.AllocsPerRun(2, func() {
			h := History{X: 2, Tx: 30, T: 39}
			sink = m.Alive(h) + m.Orders(h, 52) + m.BuysWithin(h, 52) + m.LogLikelihood(h)
		}); n != 0 {
			t.Errorf("%#v: %v allocations, want 0", m, n)
		}
	}
}
