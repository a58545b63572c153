package place

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestMinusLog2Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Uint64Range(1, math.MaxUint64).Draw(t, "x") | 1
		want := 64 - math.Log2(float64(x))
		if got := float64(minusLog2(x)) / (1 << 32); math.Abs(got-want) > 1e-9 {
			t.Fatalf("-log2(%d / 2^64) is %v, want %v", x, got, want)
		}
	})
}
