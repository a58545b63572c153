// Package schedules runs simulations by seeds.
package schedules

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// A Run runs the schedule of a seed. It returns what the schedule met, by name, a trace of it, and what a check noticed.
type Run func(seed uint64, logf func(string, ...any)) (met map[string]*uint64, trace uint64, err error)

// Plan says what Each runs.
type Plan struct {
	Schedules int
	Package   string                 // of the test, for the command that repeats a seed
	Again     int                    // every so many schedules, one is run twice: both must do the same
	Enough    int                    // from so many schedules on, everything has to be met
	Unmet     func(what string) bool // what need not be met all the same; nil: nothing
	Worker    func() Run             // each goroutine has a Run of its own
}

// Each runs schedules: three quarters of them with seeds that are the same in every run, the rest with fresh ones. It logs the seeds,
// and how often each thing was met. KINDRED_SEED runs that one alone, and logs it.
func Each(t *testing.T, p Plan) {
	t.Helper()
	if text := os.Getenv("KINDRED_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("KINDRED_SEED: %v", err)
		}
		if _, _, err := p.Worker()(seed, t.Logf); err != nil {
			t.Fatal(err)
		}
		return
	}
	fixed := p.Schedules * 3 / 4
	fresh := rand.Uint64N(1 << 62) //nolint:gosec // a seed of tests
	t.Logf("%d schedules: seeds 0 to %d, and %d to %d", p.Schedules, fixed-1, fresh, fresh+uint64(p.Schedules-fixed)-1)
	var next atomic.Int64
	var mu sync.Mutex // guards the following
	met := map[string]uint64{}
	failed := false
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		run := p.Worker()
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				mu.Lock()
				stop := failed || i >= p.Schedules
				mu.Unlock()
				if stop {
					return
				}
				seed := uint64(i)
				if i >= fixed {
					seed = fresh + uint64(i-fixed)
				}
				counts, err := p.one(run, seed, i%p.Again == 0)
				mu.Lock()
				for what, count := range counts {
					met[what] += *count
				}
				if err != nil && !failed {
					failed = true
					t.Errorf("%v\nrepeat: KINDRED_SEED=%d go test -count=1 -v -run '^%s$' %s", err, seed, t.Name(), p.Package)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	for _, what := range slices.Sorted(maps.Keys(met)) {
		t.Logf("%-32s %d", what, met[what])
		if met[what] == 0 && p.Schedules >= p.Enough && !failed && (p.Unmet == nil || !p.Unmet(what)) {
			t.Errorf("no schedule met any %s: they prove nothing about that", what)
		}
	}
}

func (p *Plan) one(run Run, seed uint64, twice bool) (map[string]*uint64, error) {
	met, trace, err := run(seed, nil)
	if err != nil || !twice {
		return met, err
	}
	if _, again, err := run(seed, nil); err != nil || again != trace {
		return met, fmt.Errorf("seed %d: two runs differ: traces %016x and %016x: %w", seed, trace, again, err)
	}
	return met, nil
}
