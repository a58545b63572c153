package score

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// 1, 1, 0, 0: mean 1/2, s² = 1/3, of the mean 1/12.
func TestOutcomesByHand(t *testing.T) {
	var o Outcomes
	o.Add(1)
	o.Add(1)
	o.AddZeros(2)
	mean, variance := o.Moments()
	near(t, "mean", mean, 0.5, 1e-15)
	near(t, "variance", variance, 1.0/12, 1e-15)
	if o.N() != 4 || o.Sum() != 2 {
		t.Errorf("%d customers, sum %d", o.N(), o.Sum())
	}
	for name, few := range map[string]Outcomes{"nobody": {}, "one": {n: 1, sumLow: 7}} {
		if _, variance := few.Moments(); variance != 0 {
			t.Errorf("%s: variance %v", name, variance)
		}
	}
}

// Outcomes whose squares need 128 bits and whose spread is a billionth of them: floats would keep no digit of it.
func TestOutcomesAreExact(t *testing.T) {
	const large = int64(1) << 62
	var up, down Outcomes
	for _, y := range []int64{large, large + 2} { // mean large+1, s² = 2, of the mean 1
		up.Add(y)
		down.Add(-y)
	}
	mean, variance := up.Moments()
	near(t, "mean", mean, float64(large), 1e-15)
	near(t, "variance", variance, 1, 1e-15)
	if up.Sum() != math.MaxInt64 || down.Sum() != math.MinInt64 {
		t.Errorf("sums %d and %d do not stop at the ends", up.Sum(), down.Sum())
	}
	up.Merge(&down)
	if up.Sum() != 0 || up.N() != 4 {
		t.Errorf("sum %d of %d", up.Sum(), up.N())
	}
}

func TestOutcomesMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var whole, left, right Outcomes
		for range rapid.IntRange(0, 60).Draw(t, "customers") {
			y := rapid.Int64().Draw(t, "outcome")
			whole.Add(y)
			if rapid.Bool().Draw(t, "left") {
				left.Add(y)
			} else {
				right.Add(y)
			}
		}
		right.Merge(&left)
		if right != whole {
			t.Fatalf("merged %+v\nwhole  %+v", right, whole)
		}
		if mean, variance := whole.Moments(); math.IsNaN(mean) || math.IsInf(mean, 0) || !(variance >= 0) || math.IsInf(variance, 0) {
			t.Fatalf("mean %v, variance %v", mean, variance)
		}
	})
}
