package score

import (
	"fmt"
	"math"
	"testing"
)

// Where two ways to evaluate hold, they agree: the series, the far series and the mean by quadrature.
func TestBetaLomaxWaysAgree(t *testing.T) {
	compared := 0
	for _, a := range []float64{0.01, 0.3, 0.793, 2.6, 9} {
		for _, b := range []float64{0.02, 0.7, 2.426, 8, 500} {
			for _, m := range []float64{0.243, 1.25, 3.3, 12.6, 501.2} {
				for _, y := range []float64{9.5, 40, 95, 1e4, 1e9} {
					what := fmt.Sprintf("a %v, b %v, m %v, y %v", a, b, m, y)
					mean := betaMean(a, b, m*y, func(p float64) float64 { return math.Exp(-m * math.Log1p(p*y)) })
					if eulerSeriesHolds(a, a+b-m, y/(1+y)) {
						near(t, "series, "+what, math.Exp(-a*math.Log1p(y))*(1+eulerSeries(a, a+b-m, a+b, y/(1+y))), mean, 1e-10)
						compared++
					}
					if farSeriesHolds(a, b, m) {
						near(t, "far series, "+what, betaLomaxFar(a, b, m, y), mean, 1e-10)
						compared++
					}
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d comparisons, want at least 100", compared)
	}
}
