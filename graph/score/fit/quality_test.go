package fit

import (
	"math"
	"testing"
)

// want is a value within a fraction of itself.
type want struct {
	what      string
	got, want float64
	fraction  float64
}

func check(t *testing.T, q Quality, logLikelihood, within float64, wants ...want) {
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
