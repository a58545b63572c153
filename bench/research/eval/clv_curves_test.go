package eval

import (
	"math"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/research/publicdata"
)

// The curves add up to the sums of the data, and to the predictions of the report.
func TestCurvesOnCDNOW(t *testing.T) {
	ledger, err := ReadCDNOW(publicdata.Open(t, "cdnow_sample.csv"))
	if err != nil {
		t.Fatal(err)
	}
	cut := time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
	end := time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
	tracking, frequency, err := CLVCurves(ledger, cut, end, 7)
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for i, week := range tracking.Weeks {
		if week == tracking.Cut {
			at = i
		}
		if i > 0 && !(tracking.Actual[i] >= tracking.Actual[i-1]) {
			t.Errorf("week %v: %v repeat orders, and %v a week before", week, tracking.Actual[i], tracking.Actual[i-1])
		}
	}
	last := len(tracking.Actual) - 1
	if at < 0 || tracking.Actual[at] != 2457 || tracking.Actual[last] != 2457+1882 {
		t.Fatalf("repeat orders %v, cut at week %v; want 2457 there and 4339 at the end", tracking.Actual, tracking.Cut)
	}
	for _, c := range tracking.Expected {
		// At the cut a fit by maximum likelihood is right about the sum that it was fitted to, or nearly.
		if got := c.Values[at]; math.Abs(got/2457-1) > 0.03 {
			t.Errorf("%s expects %v repeat orders at the cut, want about 2457", c.Name, got)
		}
		t.Logf("%s: %.0f repeat orders expected of customers of whom only the first day is known, %.0f happened", c.Name, c.Values[last], tracking.Actual[last])
	}
	customers, orders := 0, 0.0
	for i, n := range frequency.Customers {
		customers += n
		orders += float64(n) * frequency.Actual[i]
	}
	if customers != 2357 || math.Abs(orders-1882) > 1e-6 {
		t.Errorf("by frequency: %d customers, %v orders; want 2357, 1882", customers, orders)
	}
}
