package query

import (
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

// The bounds are Wilson's, as statsmodels computes them: proportion_confint(10, 100, method="wilson") is 0.05523 to 0.17437.
func TestProjected(t *testing.T) {
	for _, c := range []struct {
		n, drawn int
		people   int64
		want     document.PreviewNumber
	}{
		{10, 100, 100_000, document.PreviewNumber{Estimate: 10_000, Low: 5_522, High: 17_437}},
		{0, 100, 100_000, document.PreviewNumber{Estimate: 0, Low: 0, High: 3_700}},
		{100, 100, 100_000, document.PreviewNumber{Estimate: 100_000, Low: 96_300, High: 100_000}},
		{10, 100, 100, document.PreviewNumber{Estimate: 10, Low: 10, High: 10}},
		{0, 0, 50, document.PreviewNumber{High: 50}},
		{0, 0, 0, document.PreviewNumber{}},
	} {
		if got := projected(c.n, c.drawn, c.people); got != c.want {
			t.Errorf("%d of %d, of %d people: %+v, want %+v", c.n, c.drawn, c.people, got, c.want)
		}
	}
}
