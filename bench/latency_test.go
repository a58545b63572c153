package bench

import (
	"testing"
	"time"
)

func TestSummarise(t *testing.T) {
	var took []time.Duration
	for n := 1000; n > 0; n-- {
		took = append(took, time.Duration(n)*time.Millisecond)
	}
	if got, want := Summarise(took), (Latencies{1000, 500e3, 990e3, 999e3, 1000e3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := Summarise([]time.Duration{2000, 1000}), (Latencies{2, 1, 2, 2, 2}); got != want {
		t.Errorf("of two: %+v, want %+v", got, want)
	}
	if got := Summarise(nil); got != (Latencies{}) {
		t.Errorf("of none: %+v", got)
	}
}

func TestSpreadOf(t *testing.T) {
	same := func(v *float64) float64 { return *v }
	if got, want := SpreadOf([]float64{3, 1, 2}, same), (Spread{2, 1, 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := SpreadOf([]float64{4, 1, 2, 3}, same), (Spread{3, 1, 4}); got != want {
		t.Errorf("of four: %+v, want %+v", got, want)
	}
	if got := SpreadOf(nil, same); got != (Spread{}) {
		t.Errorf("of none: %+v", got)
	}
}
