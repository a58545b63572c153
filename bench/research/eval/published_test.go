package eval_test

import (
	"math"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/research/eval"
	"github.com/kindred-id/kindred/bench/research/publicdata"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/score/fit"
)

// summary reads the CDNOW customers in the summary used by the published fits.
func summary(t testing.TB) []eval.Summary {
	t.Helper()
	customers, err := eval.ReadCDNOWSummary(publicdata.Open(t, "cdnow_summary.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return customers
}

func timingsOf(customers []eval.Summary) *fit.Timings {
	var timings fit.Timings
	for _, c := range customers {
		timings.Add(c.Timing, 1)
	}
	return &timings
}

// ledger reads the CDNOW transactions.
func ledger(t testing.TB) eval.Ledger {
	t.Helper()
	l, err := eval.ReadCDNOW(publicdata.Open(t, "cdnow_sample.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func millis(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC).UnixMilli()
}

// want is a value within a fraction of itself.
type want struct {
	what      string
	got, want float64
	fraction  float64
}

func check(t *testing.T, q fit.Quality, logLikelihood, within float64, wants ...want) {
	t.Helper()
	if !(math.Abs(q.LogLikelihood-logLikelihood) <= within) {
		t.Errorf("log-likelihood %.6f, want %.6f within %v", q.LogLikelihood, logLikelihood, within)
	}
	for _, w := range wants {
		if !(math.Abs(w.got-w.want) <= w.fraction*w.want) {
			t.Errorf("%s is %.6g, want %.6g within %.2g %%: off by %.2g %%", w.what, w.got, w.want, 100*w.fraction, 100*math.Abs(w.got/w.want-1))
		}
	}
	t.Logf("log-likelihood %.4f after %d evaluations of %d cells, %v", q.LogLikelihood, q.Evaluations, q.Cells, wants)
}

func TestPublishedBGNBD(t *testing.T) {
	m, q, err := fit.BGNBD(timingsOf(summary(t)), fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, q, -9582.4292, 0.01, want{"r", m.R, .242594, .005}, want{"alpha", m.Alpha, 4.413602, .005}, want{"a", m.A, .792922, .01}, want{"b", m.B, 2.425907, .01})
	for _, e := range []struct{ weeks, want float64 }{{.1429, .0078}, {1, .0532}, {3, .1506}, {31.8571, 1.0405}, {32, 1.0437}, {78, 1.8576}} {
		if got := m.Orders(score.History{}, e.weeks); !(math.Abs(got-e.want) <= 3e-3) {
			t.Errorf("E[X(%v)] = %.5f, want %.4f within 3e-3", e.weeks, got, e.want)
		}
	}
	check(t, q, -9582.4, 0.05, want{"r", m.R, .243, .005}, want{"alpha", m.Alpha, 4.414, .005}, want{"a", m.A, .793, .01}, want{"b", m.B, 2.426, .01})
}

func TestPublishedMBGNBD(t *testing.T) {
	m, q, err := fit.MBGNBD(timingsOf(summary(t)), fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, q, -9582.1357, 0.01, want{"r", m.R, .525, .005}, want{"alpha", m.Alpha, 6.183, .005}, want{"a", m.A, .891, .01}, want{"b", m.B, 1.614, .01})
}

func TestPublishedParetoNBD(t *testing.T) {
	m, q, err := fit.ParetoNBD(timingsOf(summary(t)), fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, q, -9594.9762, 0.01, want{"r", m.R, .553, .005}, want{"alpha", m.Alpha, 10.578, .005}, want{"s", m.S, .606, .01}, want{"beta", m.Beta, 11.669, .01})
}

func TestPublishedParetoNBDAllWeeks(t *testing.T) {
	var timings fit.Timings
	for _, purchases := range ledger(t) {
		timings.Add(fit.TimingOf(score.NewHistory(purchases, millis(1998, 6, 30))), 1)
	}
	m, q, err := fit.ParetoNBD(&timings, fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, q, -17135.836, 0.1, want{"r", m.R, .5629966, .01}, want{"alpha", m.Alpha, 12.559037, .01}, want{"s", m.S, .4081095, .01}, want{"beta", m.Beta, 10.5148048, .01})
}

func TestPublishedNBD(t *testing.T) {
	m, q, err := fit.NBD(timingsOf(summary(t)), fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, q, -9763.658, 0.01, want{"r", m.R, .38477, .005}, want{"alpha", m.Alpha, 12.0720, .005})
}

func TestPublishedGammaGamma(t *testing.T) {
	var spends fit.Spends
	customers := summary(t)
	for _, c := range customers {
		if c.Timing.X > 0 {
			spends.Add(fit.Spend{N: c.Timing.X, Z: c.Mean}, 1)
		}
	}
	m, q, err := fit.GammaGamma(&spends, fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if q.Customers != 946 {
		t.Errorf("%d customers bought again, want 946", q.Customers)
	}
	check(t, q, -4055.918, 0.01, want{"p", m.P, 6.25, .01}, want{"q", m.Q, 3.74, .01}, want{"gamma", m.Gamma, 15.44, .01})
	for i, v := range []float64{24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17} {
		if got := m.Mean(customers[i].Timing.X, customers[i].Mean); !(math.Abs(got-v) <= 0.1) {
			t.Errorf("customer %d: expected value of a purchase %.3f, want %.2f within .1", i+1, got, v)
		}
	}
}

// The weak default ridge does not change the published figures. A ridge of 1e-3 would, because the likelihood is so flat.
func TestRidgeOnPublished(t *testing.T) {
	sample := timingsOf(summary(t))
	free, _, err := fit.ParetoNBD(sample, fit.Options{Ridge: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, ridge := range []float64{0, 1e-5, 1e-4, 1e-3} {
		m, q, err := fit.ParetoNBD(sample, fit.Options{Ridge: ridge})
		if err != nil {
			t.Fatal(err)
		}
		off := math.Abs(m.Beta/free.Beta - 1)
		t.Logf("ridge %g: %+v, log-likelihood %.4f, beta off by %.2g", ridge, m, q.LogLikelihood, off)
		if ridge == 0 && off > 1e-3 {
			t.Errorf("the default ridge moves beta by %.2g, want at most 1e-3", off)
		}
	}
}

func TestPublishedBGBB(t *testing.T) {
	donors, err := eval.ReadDonations(publicdata.Open(t, "donations.csv"))
	if err != nil {
		t.Fatal(err)
	}
	m, q, err := fit.BGBB(donors, fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, q, -33225.581, 0.05, want{"alpha", m.Alpha, 1.204, .01}, want{"beta", m.Beta, .750, .01}, want{"gamma", m.Gamma, .657, .01}, want{"delta", m.Delta, 2.783, .01})
	for _, c := range []struct{ x, tx, want float64 }{{0, 0, .11}, {2, 4, .59}, {6, 6, .93}} {
		if got := m.Alive(score.History{X: c.x, Tx: c.tx, T: 6}); !(math.Abs(got-c.want) <= .01) {
			t.Errorf("P(alive in 2002) for x %v, tx %v: %.4f, want %.2f", c.x, c.tx, got, c.want)
		}
	}
	sum := 0.0
	for cell, n := range donors.All() {
		sum += float64(n) * m.Orders(score.History{X: cell.X, Tx: cell.Tx, T: cell.T}, 5)
	}
	if !(math.Abs(sum-12884.2) <= 1) {
		t.Errorf("donations expected in 2002-2006: %.1f, want 12884.2 within 1", sum)
	}
}
