package fit

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
)

// random draws from the distributions that the models are made of, with a fixed seed.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 1))} }

// gamma draws from a gamma distribution (Marsaglia and Tsang 2000).
func (r random) gamma(shape, rate float64) float64 {
	if shape < 1 {
		return r.gamma(shape+1, rate) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := r.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v > 0 && math.Log(r.Float64()) < x*x/2+d-d*v*v*v+d*math.Log(v*v*v) {
			return d * v * v * v / rate
		}
	}
}

func (r random) beta(a, b float64) float64 {
	x := r.gamma(a, 1)
	return x / (x + r.gamma(b, 1))
}

// shopper buys at a rate and leaves where leaves says so: at a time, or after a purchase.
type shopper struct {
	rate   float64
	leaves float64        // weeks after the first purchase
	quits  func(int) bool // after the n-th purchase
}

// watch gives what is seen of the shopper in so many weeks, in whole days as a ledger does.
func (r random) watch(s shopper, weeks float64) Timing {
	seen := Timing{T: weeks}
	for at, n := 0.0, 0; ; n++ {
		if s.quits != nil && s.quits(n) {
			return seen
		}
		at += r.ExpFloat64() / s.rate
		if at > min(weeks, s.leaves) {
			return seen
		}
		seen.X, seen.Tx = seen.X+1, at
	}
}

const simulated = 10000

// population watches shoppers, each for 26 to 78 weeks, in 53 cohorts.
func (r random) population(n int, draw func() shopper) *Timings {
	var sample Timings
	for range n {
		sample.Add(r.watch(draw(), 26+float64(r.IntN(53))), 1)
	}
	return &sample
}

// Customers who behave as a model says give its parameters back: within four standard errors or so.
func TestParetoNBDIsRecovered(t *testing.T) {
	r := newRandom(1)
	truth := score.ParetoNBD{R: 0.9, Alpha: 8, S: 0.7, Beta: 12}
	m, q, err := ParetoNBD(r.population(simulated, func() shopper {
		return shopper{rate: r.gamma(truth.R, truth.Alpha), leaves: r.ExpFloat64() / r.gamma(truth.S, truth.Beta)}
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	recovered(t, q, want{"r", m.R, truth.R, .1}, want{"alpha", m.Alpha, truth.Alpha, .1}, want{"s", m.S, truth.S, .2}, want{"beta", m.Beta, truth.Beta, .3})
}

func TestBGNBDIsRecovered(t *testing.T) {
	r := newRandom(2)
	truth := score.BGNBD{R: 0.6, Alpha: 5, A: 0.8, B: 2.5}
	m, q, err := BGNBD(r.population(simulated, func() shopper {
		p := r.beta(truth.A, truth.B)
		return shopper{rate: r.gamma(truth.R, truth.Alpha), leaves: math.Inf(1), quits: func(n int) bool { return n > 0 && r.Float64() < p }}
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	recovered(t, q, want{"r", m.R, truth.R, .1}, want{"alpha", m.Alpha, truth.Alpha, .1}, want{"a", m.A, truth.A, .2}, want{"b", m.B, truth.B, .2})
}

func TestMBGNBDIsRecovered(t *testing.T) {
	r := newRandom(3)
	truth := score.MBGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}
	m, q, err := MBGNBD(r.population(simulated, func() shopper {
		p := r.beta(truth.A, truth.B)
		return shopper{rate: r.gamma(truth.R, truth.Alpha), leaves: math.Inf(1), quits: func(int) bool { return r.Float64() < p }}
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	recovered(t, q, want{"r", m.R, truth.R, .1}, want{"alpha", m.Alpha, truth.Alpha, .1}, want{"a", m.A, truth.A, .2}, want{"b", m.B, truth.B, .2})
}

func TestGammaGammaIsRecovered(t *testing.T) {
	r := newRandom(4)
	truth := score.GammaGamma{P: 6, Q: 4, Gamma: 1500}
	var sample Spends
	for range simulated {
		n := float64(1 + r.IntN(6))
		rate := r.gamma(truth.Q, truth.Gamma)
		sample.Add(Spend{N: n, Z: r.gamma(truth.P*n, rate) / n}, 1)
	}
	m, q, err := GammaGamma(&sample, Options{})
	if err != nil {
		t.Fatal(err)
	}
	recovered(t, q, want{"p", m.P, truth.P, .1}, want{"q", m.Q, truth.Q, .1}, want{"gamma", m.Gamma, truth.Gamma, .2}, want{"population", m.Population(), truth.Population(), .03})
}

func TestBetaBinomialIsRecovered(t *testing.T) {
	r := newRandom(5)
	var sample trialCells
	for range simulated {
		p, trial := r.beta(0.5, 3), trialCell{N: float64(r.IntN(8))}
		for range int(trial.N) {
			if r.Float64() < p {
				trial.D++
			}
		}
		sample.Add(trial, 1)
	}
	a, b, q, err := betaBinomial(&sample, Options{})
	if err != nil {
		t.Fatal(err)
	}
	recovered(t, q, want{"a", a, 0.5, .1}, want{"b", b, 3, .1})
	if q.Cells > 36 {
		t.Errorf("%d cells, want at most 36", q.Cells)
	}
}

func TestBGBBIsRecovered(t *testing.T) {
	r := newRandom(6)
	truth := score.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 2.8}
	var sample Timings
	for range simulated {
		p, theta := r.beta(truth.Alpha, truth.Beta), r.beta(truth.Gamma, truth.Delta)
		seen := Timing{T: 6}
		for i := 1.0; i <= seen.T && r.Float64() >= theta; i++ {
			if r.Float64() < p {
				seen.X, seen.Tx = seen.X+1, i
			}
		}
		sample.Add(seen, 1)
	}
	m, q, err := BGBB(&sample, Options{})
	if err != nil {
		t.Fatal(err)
	}
	recovered(t, q, want{"alpha", m.Alpha, truth.Alpha, .15}, want{"beta", m.Beta, truth.Beta, .15}, want{"gamma", m.Gamma, truth.Gamma, .2}, want{"delta", m.Delta, truth.Delta, .3})
}

func recovered(t *testing.T, q Quality, wants ...want) {
	t.Helper()
	check(t, q, q.LogLikelihood, 0, wants...)
	if q.Customers != simulated {
		t.Errorf("%d customers, want %d", q.Customers, simulated)
	}
	if len(q.AtBound) > 0 {
		t.Errorf("at a bound: %v", q.AtBound)
	}
}

// Nobody ever leaves: what tells leaving apart is flat, and the fit says so and ends near NBD's.
func TestNoDropoutDoesNotDiverge(t *testing.T) {
	for seed := range uint64(4) {
		r := newRandom(100 + seed)
		sample := r.population(2000, func() shopper { return shopper{rate: r.gamma(1.2, 6), leaves: math.Inf(1)} })
		nbd, _, err := NBD(sample, Options{})
		if err != nil {
			t.Fatal(err)
		}
		pareto, q, errPareto := ParetoNBD(sample, Options{})
		bg, qBG, errBG := BGNBD(sample, Options{})
		mbg, qMBG, errMBG := MBGNBD(sample, Options{})
		if err := errors.Join(errPareto, errBG, errMBG); err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v after %d %v; %+v after %d %v; %+v after %d %v", pareto, q.Evaluations, q.AtBound, bg, qBG.Evaluations, qBG.AtBound, mbg, qMBG.Evaluations, qMBG.AtBound)
		for _, h := range []score.History{{T: 39}, {X: 2, Tx: 30, T: 39}, {X: 12, Tx: 35, T: 39}} {
			for _, m := range []score.Model{pareto, bg, mbg} {
				if got, want := m.Orders(h, 52), nbd.Orders(h, 52); math.Abs(got/want-1) > 0.1 {
					t.Errorf("seed %d: %#v expects %.3f orders of %+v, and NBD %.3f", seed, m, got, h, want)
				}
			}
		}
	}
}

// A sample of a few customers, which may say anything, is fitted or refused with a reason.
func TestTinySamples(t *testing.T) {
	fitted := 0
	for seed := range uint64(20) {
		r := newRandom(200 + seed)
		sample := r.population(int(2+seed), func() shopper {
			return shopper{rate: r.gamma(0.6, 10), leaves: r.ExpFloat64() / r.gamma(0.6, 11)}
		})
		m, _, err := ParetoNBD(sample, Options{})
		if err == nil {
			err = m.Validate()
			fitted++
		} else if errors.Is(err, ErrSample) || errors.Is(err, ErrNoOptimum) {
			continue
		}
		if err != nil {
			t.Errorf("seed %d, %d customers: %v", seed, sample.Customers(), err)
		}
	}
	if fitted < 10 {
		t.Errorf("%d of 20 fitted, want at least 10", fitted)
	}
}

// However the customers are cut into shards, the fit is the same to the last bit.
func TestShardsAddUp(t *testing.T) {
	r := newRandom(7)
	var whole Timings
	shards := make([]Timings, 7)
	for range 500 {
		seen := r.watch(shopper{rate: r.gamma(0.6, 10), leaves: r.ExpFloat64() / r.gamma(0.6, 11)}, 39)
		seen.Tx = math.Round(7*seen.Tx) / 7 // so that customers meet in cells
		whole.Add(seen, 1)
		shards[r.IntN(len(shards))].Add(seen, 1)
	}
	var merged Timings
	for _, i := range r.Perm(len(shards)) {
		merged.Merge(&shards[i])
	}
	a, qa, errA := ParetoNBD(&whole, Options{})
	b, qb, errB := ParetoNBD(&merged, Options{})
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if a != b || qa.LogLikelihood != qb.LogLikelihood || qa.Customers != 500 || qb.Cells != whole.Len() {
		t.Errorf("whole %+v %+v, merged %+v %+v", a, qa, b, qb)
	}
}

// The search must not end somewhere else because time is counted in days, or money in dollars.
func TestUnitsDoNotMatter(t *testing.T) {
	r := newRandom(8)
	var weeks, days Timings
	var cents, dollars Spends
	for range 1000 {
		seen := r.watch(shopper{rate: r.gamma(0.6, 10), leaves: r.ExpFloat64() / r.gamma(0.6, 11)}, 39)
		weeks.Add(seen, 1)
		days.Add(Timing{X: seen.X, Tx: 7 * seen.Tx, T: 7 * seen.T}, 1)
		spend := Spend{N: seen.X + 1, Z: r.gamma(6*(seen.X+1), r.gamma(4, 1500)) / (seen.X + 1)}
		cents.Add(spend, 1)
		dollars.Add(Spend{N: spend.N, Z: spend.Z / 100}, 1)
	}
	w, _, errW := ParetoNBD(&weeks, Options{})
	d, _, errD := ParetoNBD(&days, Options{})
	c, _, errC := GammaGamma(&cents, Options{})
	u, _, errU := GammaGamma(&dollars, Options{})
	if err := errors.Join(errW, errD, errC, errU); err != nil {
		t.Fatal(err)
	}
	for _, v := range []want{
		{"r", d.R, w.R, 1e-4},
		{"alpha", d.Alpha, 7 * w.Alpha, 1e-4},
		{"s", d.S, w.S, 1e-4},
		{"beta", d.Beta, 7 * w.Beta, 1e-4},
		{"p", u.P, c.P, 1e-4},
		{"gamma", 100 * u.Gamma, c.Gamma, 1e-4},
	} {
		if math.Abs(v.got-v.want) > v.fraction*v.want {
			t.Errorf("%s: %v in the one unit, %v in the other", v.what, v.got, v.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	timings := func(cells ...Timing) func() error {
		return func() error {
			var sample Timings
			for _, c := range cells {
				sample.Add(c, 3)
			}
			_, _, err := ParetoNBD(&sample, Options{})
			return err
		}
	}
	spends := func(cells ...Spend) func() error {
		return func() error {
			var sample Spends
			for _, c := range cells {
				sample.Add(c, 3)
			}
			_, _, err := GammaGamma(&sample, Options{})
			return err
		}
	}
	trials := func(cells ...trialCell) func() error {
		return func() error {
			var sample trialCells
			for _, c := range cells {
				sample.Add(c, 3)
			}
			_, _, _, err := betaBinomial(&sample, Options{})
			return err
		}
	}
	for _, c := range []struct {
		name string
		fit  func() error
		want error
		says string
	}{
		{"nobody", timings(), ErrSample, "none of 0 customers bought again"},
		{"nobody came back", timings(Timing{T: 30}, Timing{T: 20}), ErrSample, "none of 6 customers bought again"},
		{"no time passed", timings(Timing{X: 1}), ErrSample, "no time has passed"},
		{"bought after now", timings(Timing{X: 1, Tx: 3, T: 2}), ErrCell, "tx 3, T 2"},
		{"not a number", timings(Timing{X: math.NaN(), T: 2}), ErrCell, "NaN"},
		{"nobody bought twice", spends(Spend{N: 1, Z: 100}), ErrSample, "none of 3 customers bought more than once"},
		{"spent nothing", spends(Spend{N: 2}), ErrCell, "want both above 0"},
		{"nobody was asked", trials(trialCell{}), ErrSample, "no trial"},
		{"said yes more often than asked", trials(trialCell{N: 1, D: 2}), ErrCell, "2 of 1"},
	} {
		err := c.fit()
		if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v, want %v that says %q", c.name, err, c.want, c.says)
		}
	}
}

// Extremes of a chance have an answer too.
func TestBetaBinomialAtTheEnds(t *testing.T) {
	for _, c := range []struct {
		name    string
		trial   trialCell
		low, up float64
	}{
		{"nobody ever said yes", trialCell{N: 5}, 0, 0.01},
		{"everybody always did", trialCell{N: 5, D: 5}, 0.99, 1},
		{"asked once: a mean and no more", trialCell{N: 1, D: 1}, 0.9, 1},
	} {
		var sample trialCells
		sample.Add(c.trial, 1000)
		a, b, q, err := betaBinomial(&sample, Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if mean := a / (a + b); !(mean >= c.low && mean <= c.up) {
			t.Errorf("%s: mean %v (%+v), want between %v and %v", c.name, mean, q, c.low, c.up)
		}
	}
}

// BenchmarkParetoNBD fits samples of customers who are all different: as many cells as customers.
func BenchmarkParetoNBD(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("customers=%d", n), func(b *testing.B) {
			r := newRandom(9)
			sample := r.population(n, func() shopper {
				return shopper{rate: r.gamma(0.55, 10.6), leaves: r.ExpFloat64() / r.gamma(0.6, 11.7)}
			})
			for b.Loop() {
				_, q, err := ParetoNBD(sample, Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(q.Evaluations), "evaluations")
				b.ReportMetric(float64(q.Cells), "cells")
			}
		})
	}
}
