package bench

import (
	"slices"
	"time"
)

// Latencies are percentiles of durations, in microseconds. Each is the least duration that so many are not above; of few
// durations, the 99.9th percentile is the longest.
type Latencies struct {
	Count  int     `json:"count"`
	Median float64 `json:"p50_us"`
	P99    float64 `json:"p99_us"`
	P999   float64 `json:"p999_us"`
	Worst  float64 `json:"max_us"`
}

// Summarise sorts durations and returns their percentiles.
func Summarise(took []time.Duration) Latencies {
	if len(took) == 0 {
		return Latencies{}
	}
	slices.Sort(took)
	at := func(perMille int) float64 {
		rank := (len(took)*perMille + 999) / 1000
		return float64(took[max(rank, 1)-1].Nanoseconds()) / 1e3
	}
	return Latencies{len(took), at(500), at(990), at(999), at(1000)}
}

// Spread is the median of several rounds, with the lowest and the highest.
type Spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// SpreadOf returns the spread of a figure over rounds; of an even number of them, the median is the higher of the two in
// the middle.
func SpreadOf[T any](rounds []T, of func(*T) float64) Spread {
	if len(rounds) == 0 {
		return Spread{}
	}
	values := make([]float64, len(rounds))
	for i := range rounds {
		values[i] = of(&rounds[i])
	}
	slices.Sort(values)
	return Spread{Median: values[len(values)/2], Low: values[0], High: values[len(values)-1]}
}
