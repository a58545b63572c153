package score

import (
	"math"
	"slices"
	"testing"
)

func TestTrialCells(t *testing.T) {
	var a, b TrialCells
	a.Add(3, 1)
	a.Add(0, 0) // says nothing
	b.Add(3, 1)
	b.Add(2, 5) // more successes than trials are as many
	b.Merge(&a)
	if got, want := b.Cells(), []TrialCell{{2, 2, 1}, {3, 1, 2}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if b.Customers() != 3 {
		t.Errorf("%d customers, want 3", b.Customers())
	}
}

func TestMaximise(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(float64) float64
		want float64
	}{
		"inside":        {func(x float64) float64 { return -math.Abs(x - 1.25) }, 1.25},
		"at the left":   {func(x float64) float64 { return -x }, -3},
		"at the right":  {func(x float64) float64 { return x }, 5},
		"steep":         {func(x float64) float64 { return -math.Exp(100 * math.Abs(x+2)) }, -2},
		"not a number ": {func(x float64) float64 { return math.NaN() }, -3},
	} {
		if got := maximise(c.f, -3, 5); !(math.Abs(got-c.want) < 1e-7) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
