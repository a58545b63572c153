package journaltest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// Each runs so many schedules: three quarters of them with seeds that are the same in every run, the rest with fresh ones. It
// prints the seeds and what they met. KINDRED_SEED runs that one alone, and logs it. pkg is the package that repeats a test, and unmet is
// what its schedules need not meet.
func Each(t *testing.T, pkg string, n int, run func(seed uint64, logf func(string, ...any)) (Met, uint64, error), unmet ...string) {
	t.Helper()
	if text := os.Getenv("KINDRED_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("KINDRED_SEED: %v", err)
		}
		if _, _, err := run(seed, t.Logf); err != nil {
			t.Fatal(err)
		}
		return
	}
	fixed := n * 3 / 4
	fresh := rand.Uint64N(1 << 62) //nolint:gosec // a seed of tests
	t.Logf("%d schedules: seeds 0 to %d, and %d to %d", n, fixed-1, fresh, fresh+uint64(n-fixed)-1)
	var next atomic.Int64
	var mu sync.Mutex // guards the following
	var met Met
	failed := false
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				mu.Lock()
				stop := failed || i >= n
				mu.Unlock()
				if stop {
					return
				}
				seed := uint64(i)
				if i >= fixed {
					seed = fresh + uint64(i-fixed)
				}
				m, trace, err := run(seed, nil)
				if err == nil && i%100 == 0 {
					if _, again, _ := run(seed, nil); again != trace {
						err = fmt.Errorf("seed %d: two runs differ: traces %016x and %016x", seed, trace, again)
					}
				}
				mu.Lock()
				met.Add(&m)
				if err != nil && !failed {
					failed = true
					t.Errorf("%v\nrepeat: KINDRED_SEED=%d go test -count=1 -v -run '^%s$' %s", err, seed, t.Name(), pkg)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	never := slices.DeleteFunc(met.Log(t.Logf), func(what string) bool { return slices.Contains(unmet, what) })
	if len(never) > 0 && n >= 1000 && !failed {
		t.Errorf("no schedule met any of %q: they prove nothing about that", never)
	}
}
