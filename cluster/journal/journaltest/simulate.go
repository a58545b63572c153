package journaltest

import (
	"fmt"
	"math/rand/v2"
)

// Simulate runs a program through the schedule of a seed, and returns what it met, and what a check noticed.
func Simulate(seed uint64, rng *rand.Rand, program Program, shards, partBytes int, logf func(string, ...any)) (met Met, trace uint64, err error) {
	var w *World
	defer func() {
		if w != nil {
			met, trace = w.Met, w.trace
		}
		if cause := recover(); cause != nil {
			f, ok := cause.(Failure)
			if !ok {
				f.Text = fmt.Sprintf("panic: %v", cause)
			}
			err = fmt.Errorf("seed %d: %s", seed, f.Text)
		}
	}()
	w = New(rng, program, shards, partBytes)
	w.Logf = logf
	w.Run(1000 + rng.IntN(3000))
	return
}

// SimulateCounters is Simulate with counters.
func SimulateCounters(seed uint64, logf func(string, ...any)) (met Met, trace uint64, err error) {
	rng := rand.New(rand.NewPCG(seed, 0x6a)) //nolint:gosec // a schedule has to be the same every time
	shards := 1 + rng.IntN(2)
	return Simulate(seed, rng, &Counter{Commands: 10 + rng.IntN(60)}, shards, [...]int{0, 24, 60}[rng.IntN(3)], logf)
}
