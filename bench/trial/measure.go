package trial

import (
	"runtime"
	"time"
)

// Measure is the result of one run.
type Measure struct {
	EventsPerSecond float64 `json:"events_per_second"`
	Seconds         float64 `json:"seconds"`
	CPUPerEvent     float64 `json:"cpu_us_per_event"`
	AllocsPerEvent  float64 `json:"allocs_per_event"`
	BytesPerEvent   float64 `json:"alloc_bytes_per_event"`
	People          int     `json:"people"`
}

// Time runs fn, which takes a number of events, and measures its time, its processor time and its allocations.
func Time(fn func() (events, people int, err error)) (Measure, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := ProcessorTime(), time.Now()
	n, people, err := fn()
	elapsed, used := time.Since(start), ProcessorTime()-cpu
	runtime.ReadMemStats(&after)
	if err != nil {
		return Measure{}, err
	}
	return Measure{
		EventsPerSecond: float64(n) / elapsed.Seconds(),
		Seconds:         elapsed.Seconds(),
		CPUPerEvent:     float64(used.Nanoseconds()) / 1e3 / float64(n),
		AllocsPerEvent:  float64(after.Mallocs-before.Mallocs) / float64(n),
		BytesPerEvent:   float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
		People:          people,
	}, nil
}
