package score

import (
	"math"
	"testing"
)

// near fails when got is off by more than a fraction of want.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: got %.17g, want %.17g, off by %.2g of it", what, got, want, math.Abs(got/want-1))
	}
}

// The values of this file are mpmath's, with 50 digits.

func TestLnRising(t *testing.T) {
	for _, c := range []struct{ a, n, want float64 }{
		{0.553, 0, 0},
		{0.553, 3, 0.78506040496609467303},
		{0.553, 2.5, 0.26776382501728756026},
		{1e-9, 1, -20.723265836946411094},
		{0.243, 500, 2605.3077725624564555},
		{0.7, 40, 108.95048806395767538},
		{11.9, 40, 134.75705252946876795},
		{12, 0.25, 0.61336165983700677973},
		{100, 0.001, 0.0046001668778045850807},
		{1e9, 3, 62.169797513839233466},
		{1e12, 0.5, 13.815510557964149104},
	} {
		near(t, "lnRising", lnRising(c.a, c.n), c.want, 1e-14)
	}
}

func TestLnBeta(t *testing.T) {
	for _, c := range []struct{ a, b, want float64 }{
		{0.5, 0.5, 1.1447298858494001741},
		{2, 3, -2.4849066497880003102},
		{1e-3, 1e6, 6.8933633753253894704},
		{300, 500, -530.9482011382281073},
		{1e8, 0.25, -3.3171476603525139099},
	} {
		near(t, "lnBeta", lnBeta(c.a, c.b), c.want, 1e-14)
		near(t, "lnBeta, exchanged", lnBeta(c.b, c.a), c.want, 1e-14)
	}
}

func TestLogOdds(t *testing.T) {
	for _, p := range []float64{1e-300, 0.01, 0.5, 0.75, 1 - 1e-9} {
		near(t, "sigmoid of logit", sigmoid(logit(p)), p, 1e-13)
	}
	if sigmoid(-1e4) != 0 || sigmoid(1e4) != 1 {
		t.Errorf("sigmoid of -1e4 and 1e4: got %v and %v, want 0 and 1", sigmoid(-1e4), sigmoid(1e4))
	}
}

func TestBetaBinomialLogLikelihood(t *testing.T) {
	for _, c := range []struct{ a, b, trials, successes, want float64 }{
		{0.4, 2.5, 0, 0, 0},
		{0.4, 2.5, 7, 3, -6.3007808624853872217},
		{4e6, 2e6, 10, 4, -8.2135326644446698365}, // the likelihood is flat here, and must be smooth
		{0.4, 2.5, 500, 500, -15.736069673655004052},
	} {
		near(t, "log-likelihood", BetaBinomialLogLikelihood(c.a, c.b, c.trials, c.successes), c.want, 1e-13)
	}
}
