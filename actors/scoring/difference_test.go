package scoring

import (
	"math"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.17g, want %.17g", what, got, want)
	}
}

// The worked examples of Newcombe 1998, table II, method 10.
func TestNewcombeAsPublished(t *testing.T) {
	for _, c := range []struct {
		won1, all1, won2, all2 uint64
		low, high              float64
	}{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 20, -0.1611, 0.2775},
		{0, 10, 0, 10, -0.2775, 0.2775},
		{10, 10, 0, 20, 0.6791, 1},
		{10, 10, 0, 10, 0.6075, 1},
	} {
		d := newcombe(c.won1, c.all1, c.won2, c.all2)
		near(t, "the difference", d.Value, float64(c.won1)/float64(c.all1)-float64(c.won2)/float64(c.all2), 0)
		near(t, "its low end", d.Low, c.low, 5e-5)
		near(t, "its high end", d.High, c.high, 5e-5)
	}
}

// Student's sleep data, in tenths of an hour, as R's t.test(extra ~ group, data = sleep) has them: 17.776 degrees of freedom,
// from -3.3654832 to 0.2054832.
func TestWelchAsPublished(t *testing.T) {
	of, against := outcomes(7, -16, -2, -12, -1, 34, 37, 8, 0, 20), outcomes(19, 8, 11, 1, -1, 44, 55, 16, 46, 34)
	d := welch(of, against)
	near(t, "the difference", d.Value, -15.8, 1e-12)
	near(t, "its low end", d.Low, -33.654832, 5e-7)
	near(t, "its high end", d.High, 2.054832, 5e-7)
}

func outcomes(all ...int64) *score.Outcomes {
	o := &score.Outcomes{}
	for _, y := range all {
		o.Add(y)
	}
	return o
}

// Groups that are too small give no difference, and every difference is finite.
func TestDifferencesOfFew(t *testing.T) {
	if newcombe(0, 0, 1, 2) != nil || newcombe(1, 2, 0, 0) != nil {
		t.Error("shares of nobody differ from something")
	}
	for name, pair := range map[string][2]*score.Outcomes{
		"nobody": {outcomes(), outcomes(1, 2)}, "one": {outcomes(1, 2), outcomes(1)}, "all alike": {outcomes(3, 3), outcomes(0, 0)},
	} {
		if d := welch(pair[0], pair[1]); d != nil {
			t.Errorf("%s: %+v", name, *d)
		}
	}
	for name, pair := range map[string][2]*score.Outcomes{
		"one group alike": {outcomes(3, 3), outcomes(0, 1)}, "the ends of 64 bits": {outcomes(math.MaxInt64, 0), outcomes(math.MinInt64, 0)},
	} {
		d := welch(pair[0], pair[1])
		if d == nil || !(d.Low < d.Value && d.Value < d.High) || math.IsInf(d.Low, 0) || math.IsInf(d.High, 0) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
