package score_test

import (
	"math"
	"os"
	"testing"

	"github.com/kindred-id/kindred/bench/golden"
)

// The tables hold values that mpmath computed with 50 and more digits: clv_golden.csv at fitted parameters, clv_edges.csv where
// formulae break: 500 purchases, hardly any time or far too much, alpha and beta equal or a million apart,
// s = 1, a = 1, a + b = 1, shapes of 0.001 and of 300.
func TestGolden(t *testing.T) {
	for _, name := range []string{"clv_golden.csv", "clv_edges.csv"} {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		table, err := golden.ReadGolden(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(table.Rows) < 100 {
			t.Fatalf("%s: %d rows, want at least 100", name, len(table.Rows))
		}
		worst := 0.0
		for i := range table.Rows {
			row := &table.Rows[i]
			got, err := row.Got()
			if err != nil {
				t.Fatal(err)
			}
			off := math.Abs(got - row.Value)
			if row.Value != 0 {
				off /= math.Abs(row.Value)
			}
			if !(off <= 1e-10) {
				t.Errorf("%s, line %d: %s of %s is %.17g, want %.17g, off by %.2g of it", name, row.Line, row.Fn, row.Model, got, row.Value, off)
			}
			worst = max(worst, off)
		}
		t.Logf("%s: %d rows, the worst off by %.2g", name, len(table.Rows), worst)
	}
}
