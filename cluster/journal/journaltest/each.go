package journaltest

import (
	"slices"
	"testing"

	"github.com/kindred-id/kindred/internal/testkit/schedules"
)

// Each runs so many schedules. pkg is the package that repeats a test, and unmet is what its schedules need not meet.
func Each(t *testing.T, pkg string, n int, run func(seed uint64, logf func(string, ...any)) (Met, uint64, error), unmet ...string) {
	t.Helper()
	schedules.Each(t, schedules.Plan{
		Schedules: n, Package: pkg, Again: 100, Enough: 1000,
		Unmet: func(what string) bool { return slices.Contains(unmet, what) },
		Worker: func() schedules.Run {
			return func(seed uint64, logf func(string, ...any)) (map[string]*uint64, uint64, error) {
				met, trace, err := run(seed, logf)
				return met.Counts(), trace, err
			}
		},
	})
}
