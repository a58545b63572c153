package score

import (
	"math"
	"testing"
)

// at is a time on a day of 1970.
func at(day, hour int64) int64 { return day*dayMillis + hour*60*60*1000 }

func TestHistory(t *testing.T) {
	now := at(100, 12)
	one := Purchase{ID: "a", At: at(30, 9), Net: 1000}
	for _, c := range []struct {
		name      string
		purchases []Purchase
		want      History
	}{
		{"nobody", nil, History{}},
		{"bought once", []Purchase{one}, History{T: 10, N: 1, Z: 1000}},
		{"twice on a day is one occasion", []Purchase{one, {ID: "b", At: at(30, 20), Net: 500}}, History{T: 10, N: 1, Z: 1500}},
		{"the same order twice", []Purchase{one, one}, History{T: 10, N: 1, Z: 1000}},
		{"an hour later, but a UTC day", []Purchase{{ID: "a", At: at(30, 23), Net: 1000}, {ID: "b", At: at(31, 0), Net: 500}}, History{X: 1, Tx: 1.0 / 7, T: 10, N: 2, Z: 750}},
		{"out of order", []Purchase{{ID: "b", At: at(65, 1), Net: 500}, one}, History{X: 1, Tx: 5, T: 10, N: 2, Z: 750}},
		{"cancelled", []Purchase{one, {ID: "b", At: at(65, 1), Net: 500, Cancelled: true}}, History{T: 10, N: 1, Z: 1000}},
		{"only cancelled", []Purchase{{ID: "b", At: at(65, 1), Net: 500, Cancelled: true}}, History{}},
		{"refunded: they came", []Purchase{one, {ID: "b", At: at(65, 1), Net: 500, Refunded: 500}}, History{X: 1, Tx: 5, T: 10, N: 2, Z: 500}},
		{"refunded in part", []Purchase{{ID: "a", At: at(30, 9), Net: 1000, Refunded: 300}}, History{T: 10, N: 1, Z: 700}},
		{"refunded more than paid", []Purchase{{ID: "a", At: at(30, 9), Net: 1000, Refunded: 3000}}, History{T: 10, N: 1}},
		{"a gift", []Purchase{{ID: "a", At: at(30, 9)}}, History{T: 10, N: 1}},
		{"a return is no occasion", []Purchase{one, {ID: "b", At: at(65, 1), Net: -400}}, History{T: 10, N: 1, Z: 600}},
		{"returned more than bought", []Purchase{one, {ID: "b", At: at(65, 1), Net: -4000}}, History{T: 10, N: 1}},
		{"later today", []Purchase{{ID: "a", At: at(100, 23), Net: 1000}}, History{N: 1, Z: 1000}},
		{"tomorrow has not happened", []Purchase{one, {ID: "b", At: at(101, 0), Net: 500}}, History{T: 10, N: 1, Z: 1000}},
		{"first order after now", []Purchase{{ID: "a", At: at(2000, 0), Net: 1000}}, History{}},
		{"before 1970", []Purchase{{ID: "a", At: -1, Net: 1000}, {ID: "b", At: 0, Net: 500}}, History{X: 1, Tx: 1.0 / 7, T: 101.0 / 7, N: 2, Z: 750}},
		{"amounts beyond any currency", []Purchase{{ID: "a", At: at(30, 9), Net: math.MaxInt64}, {ID: "b", At: at(30, 9), Net: math.MaxInt64}}, History{T: 10, N: 1, Z: 2 * float64(math.MaxInt64)}},
		{"two versions of an order: the later day counts", []Purchase{one, {ID: "a", At: at(65, 0), Net: 10}}, History{T: 5, N: 1, Z: 10}},
	} {
		if got := NewHistory(c.purchases, now); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// Clocks may say anything.
func TestHistoryOfAbsurdClocks(t *testing.T) {
	const year1, year9999 = -62135596800000, 253402300799999
	judged := map[History]bool{}
	times := []int64{math.MinInt64, year1, 0, at(30, 9), year9999, math.MaxInt64}
	for _, first := range times {
		for _, last := range times {
			for _, now := range times {
				h := NewHistory([]Purchase{{ID: "a", At: first, Net: 1}, {ID: "b", At: last, Net: 1}}, now)
				sane(t, "history", h.T, h.Tx, h.X, h.Z)
				if h.Tx > h.T || h.N == 0 && h != (History{}) {
					t.Errorf("bought at %d and %d, now %d: %+v", first, last, now, h)
				}
				if !judged[h] {
					judge(t, h)
				}
				judged[h] = true
			}
		}
	}
}

// sane fails for what no score may be.
func sane(t failer, what string, values ...float64) {
	t.Helper()
	for _, v := range values {
		if !(v >= 0) || math.IsInf(v, 1) {
			t.Errorf("%s: %v", what, v)
		}
	}
}

// failer is what testing.T and rapid.T share.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// models are all models, with ordinary parameters and with odd ones.
var models = []Model{
	publishedPareto,
	ParetoNBD{R: 3, Alpha: 4, S: 1, Beta: 4},
	ParetoNBD{R: 0.01, Alpha: 1e4, S: 40, Beta: 1e-2},
	ParetoNBD{R: 30, Alpha: 1e-3, S: 1e-3, Beta: 1e3},
	publishedBG,
	BGNBD{R: 1, Alpha: 1, A: 1, B: 1},
	BGNBD{R: 40, Alpha: 90, A: 0.02, B: 0.5},
	MBGNBD{R: 0.525, Alpha: 6.183, A: 0.891, B: 1.614},
	MBGNBD{R: 0.01, Alpha: 1e3, A: 50, B: 0.01},
	NBD{R: 0.385, Alpha: 12},
	publishedBGBB,
	BGBB{Alpha: 0.01, Beta: 30, Gamma: 1, Delta: 1e-2},
}

// judge checks that every score of every model is one (S2).
func judge(t failer, h History) {
	t.Helper()
	forever, _ := NewDiscount(0.0027, math.Inf(1))
	for _, m := range models {
		sane(t, "alive", m.Alive(h), 1-m.Alive(h))
		for _, weeks := range []float64{math.NaN(), -1, 0, 1e-9, 52, 1e6, math.Inf(1)} {
			sane(t, "orders", m.Orders(h, weeks))
			sane(t, "buys within", m.BuysWithin(h, weeks), 1-m.BuysWithin(h, weeks)+1e-12)
		}
		sane(t, "discounted", m.Discounted(h, forever))
		if ll := m.LogLikelihood(h); math.IsNaN(ll) || math.IsInf(ll, 0) {
			t.Errorf("%#v of %+v: log-likelihood %v", m, h, ll)
		}
	}
	clv, err := newCLV(publishedPareto, GammaGamma{P: 6.25, Q: 3.74, Gamma: 1544}, Terms{})
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	sane(t, "CLV", clv.Value(h), clv.NewCustomer())
}

// Histories that no ledger gives are judged too.
func TestAbsurdHistories(t *testing.T) {
	for _, x := range []float64{math.NaN(), 0, 500, math.Inf(1)} {
		for _, tx := range []float64{-1, 1e-300, math.MaxFloat64} {
			for _, T := range []float64{math.NaN(), 0, 40, math.Inf(1)} {
				judge(t, History{X: x, Tx: tx, T: T, N: 3, Z: x})
			}
		}
	}
}
