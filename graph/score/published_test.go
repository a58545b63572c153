package score

import (
	"math"
	"testing"
)

// within fails when got is farther from want than the digits that were published.
func within(t *testing.T, what string, got, want, distance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= distance) {
		t.Errorf("%s: got %.12g, want %.12g within %v", what, got, want, distance)
	}
}

// Parameters as published, for times in weeks.
var (
	publishedPareto   = ParetoNBD{R: 0.553, Alpha: 10.578, S: 0.606, Beta: 11.669} // CDNOW sample, 39 weeks
	publishedAllWeeks = ParetoNBD{R: 0.5629966, Alpha: 12.559037, S: 0.4081095, Beta: 10.5148048}
	publishedBG       = BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}
	publishedBGBB     = BGBB{Alpha: 1.204, Beta: 0.750, Gamma: 0.657, Delta: 2.783} // donors, 6 years
)

// Fader, Hardie and Lee 2005, "RFM and CLV"; their spreadsheets; the manual and vignette of BTYD.
func TestPublishedBGNBDValues(t *testing.T) {
	h := History{X: 2, Tx: 30.43, T: 38.86}
	within(t, "E[Y(39)]", publishedBG.Orders(h, 39), 1.226, 1e-3)
	within(t, "E[Y(39)] in full", publishedBG.Orders(h, 39), 1.2260281747671, 1e-9)
	within(t, "P(X(2) = 10)", publishedBG.Count(10, 2), 1.07869e-7, 1e-12)
	within(t, "P(X(39) = 0)", publishedBG.Count(0, 39), 0.5737864, 1e-7)
	within(t, "P(X(30) = 11)", publishedBG.Count(11, 30), 0.0019995214, 1e-9)
}

func TestPublishedParetoNBDValues(t *testing.T) {
	h := History{X: 26, Tx: 30.86, T: 31}
	within(t, "E[Y(52)] of customer 1516", publishedPareto.Orders(h, 52), 25.46, 0.01)
	within(t, "E[Y(52)] of customer 1516 in full", publishedPareto.Orders(h, 52), 25.4585, 1e-4)
	within(t, "P(alive) of customer 1516", publishedPareto.Alive(h), 0.9979187, 1e-7)
	within(t, "E[X(52)]", publishedPareto.Orders(History{}, 52), 1.4730, 1e-4)
}

// Two heavy buyers for whom the formula of the paper underflows.
func TestPublishedParetoNBDUnderflow(t *testing.T) {
	m := ParetoNBD{R: 0.55, Alpha: 10.58, S: 0.61, Beta: 11.67}
	within(t, "E[Y(10)] for x = 132", m.Orders(History{X: 132, Tx: 200, T: 200}, 10), 6.2060517890, 1e-9)
	within(t, "E[Y(10)] for x = 133", m.Orders(History{X: 133, Tx: 200, T: 200}, 10), 6.2528722476, 1e-9)
}

func TestPublishedParetoNBDDiscounted(t *testing.T) {
	forever, err := NewDiscount(0.0027, math.Inf(1))
	if err != nil {
		t.Fatal(err)
	}
	within(t, "DERT", publishedAllWeeks.Discounted(History{X: 7, Tx: 35, T: 77.86}, forever), 1.86418333, 1e-8)
	for i, want := range []float64{2.1992, 2.8435, 2.8671, 2.4454, 1.8405, 1.2624, 0.8096, 0.4948, 0.2920, 0.1679} {
		h := History{X: float64(i + 1), Tx: 30, T: 77.86}
		within(t, "DERT at tx = 30", publishedAllWeeks.Discounted(h, forever), want, 1e-4)
	}
}

func TestPublishedLogLikelihoods(t *testing.T) {
	bg, mbg := BGNBD{R: 0.25, Alpha: 4, A: 0.8, B: 2.5}, MBGNBD{R: 0.25, Alpha: 4, A: 0.8, B: 2.5}
	once, often := History{T: 40}, History{X: 200, Tx: 38, T: 40}
	within(t, "BG/NBD, once", bg.LogLikelihood(once), -0.59947382, 1e-8)
	within(t, "BG/NBD, often", bg.LogLikelihood(often), 100.79569309, 1e-8)
	within(t, "MBG/NBD, once", mbg.LogLikelihood(once), -0.41792826, 1e-8)
	within(t, "MBG/NBD, often", mbg.LogLikelihood(often), 100.78690976, 1e-8)
}

// Fader, Hardie and Shang 2010, table 6.
func TestPublishedBGBBValues(t *testing.T) {
	for _, c := range []struct{ x, tx, want float64 }{{0, 0, 0.11}, {2, 4, 0.59}, {6, 6, 0.93}} {
		within(t, "P(alive in 2002)", publishedBGBB.Alive(History{X: c.x, Tx: c.tx, T: 6}), c.want, 0.005)
	}
}
