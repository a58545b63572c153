package score

import (
	"fmt"
	"math"
	"testing"
)

// sink keeps results alive.
var sink float64

// customers are histories as they come: new, bought once, regular, heavy, gone.
var customers = []struct {
	name string
	h    History
}{
	{"new", History{N: 1, Z: 2500}},
	{"once", History{T: 38.86, N: 1, Z: 2500}},
	{"once-long-ago", History{T: 260, N: 1, Z: 2500}},
	{"regular", History{X: 2, Tx: 30.43, T: 38.86, N: 3, Z: 2235}},
	{"recent", History{X: 7, Tx: 77, T: 77.86, N: 8, Z: 7374}},
	{"heavy", History{X: 26, Tx: 30.86, T: 31, N: 27, Z: 4908}},
	{"gone", History{X: 10, Tx: 10, T: 38.86, N: 11, Z: 4908}},
	{"hundreds", History{X: 500, Tx: 100, T: 104, N: 501, Z: 999}},
}

var cdnow = ParetoNBD{R: 0.553, Alpha: 10.578, S: 0.606, Beta: 11.669}

// BenchmarkCLV is one customer's value, over a year and over all the future.
func BenchmarkCLV(b *testing.B) {
	for _, terms := range []struct {
		name string
		Terms
	}{
		{"year", Terms{}},
		{"year,discounted", Terms{AnnualDiscount: 0.15}},
		{"forever,discounted", Terms{AnnualDiscount: 0.15, HorizonDays: math.Inf(1)}},
	} {
		clv, err := newCLV(cdnow, GammaGamma{P: 6.25, Q: 3.74, Gamma: 1544}, terms.Terms)
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range customers {
			b.Run(fmt.Sprintf("%s/%s", terms.name, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sink = clv.Value(c.h)
				}
			})
		}
	}
}

// BenchmarkScales is a regular customer's value where the time scales of buying and leaving differ:
// equal, the series; apart, the fraction; far apart, quadrature.
func BenchmarkScales(b *testing.B) {
	for _, scale := range []float64{1, 3, 30, 1000, 1e6} {
		clv, err := newCLV(ParetoNBD{R: 0.5, Alpha: 10 * scale, S: 0.5, Beta: 10}, GammaGamma{P: 6.25, Q: 3.74, Gamma: 1544}, Terms{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("alpha=%v·beta", scale), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = clv.Value(customers[3].h)
			}
		})
	}
}

// BenchmarkModels is each model's year of a regular customer.
func BenchmarkModels(b *testing.B) {
	for _, m := range []struct {
		name string
		Model
	}{
		{"ParetoNBD", cdnow},
		{"BGNBD", BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}},
		{"MBGNBD", MBGNBD{R: 0.525, Alpha: 6.183, A: 0.891, B: 1.614}},
		{"NBD", NBD{R: 0.385, Alpha: 12.07}},
	} {
		h := customers[3].h
		forever, err := NewDiscount(0.0027, math.Inf(1))
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range []struct {
			name string
			call func() float64
		}{
			{"Alive", func() float64 { return m.Alive(h) }},
			{"Orders", func() float64 { return m.Orders(h, 52) }},
			{"Orders,new", func() float64 { return m.Orders(History{}, 260) }},
			{"BuysWithin", func() float64 { return m.BuysWithin(h, 52) }},
			{"Discounted", func() float64 { return m.Discounted(h, forever) }},
			{"LogLikelihood", func() float64 { return m.LogLikelihood(h) }},
		} {
			b.Run(m.name+"/"+f.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					sink = f.call()
				}
			})
		}
	}
}

// BenchmarkHistory sums up a ledger of ten orders.
func BenchmarkHistory(b *testing.B) {
	var ledger []Purchase
	for i := range int64(10) {
		ledger = append(ledger, Purchase{ID: fmt.Sprintf("order-%03d", i*7%10), At: i * 9 * dayMillis, Net: 1999})
	}
	b.ReportAllocs()
	for b.Loop() {
		sink = NewHistory(ledger, 200*dayMillis).T
	}
}
