package shard_test

import (
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// TestSchedulesFeedSweep: the change feed is turned on over what is there, and the rules change under
// it, at moments when much is under way. Its readers end with what an export has, under the last rules.
func TestSchedulesFeedSweep(t *testing.T) {
	sc := schedule{make: underManyRules, disk: inMemory}
	sc.each(t, 3000)
}

// underManyRules is a world in three acts, each under rules of its own. From the second one on there is
// a feed.
func underManyRules(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
	p, rules, acts := plainly(seed, rng)
	w := acts[0]
	acts = acts[:0]
	first, second := rng.IntN(len(w.events)+1), rng.IntN(len(w.events)+1)
	first, second = min(first, second), max(first, second)
	from, in := 0, rules
	for i, to := range []int{first, second, len(w.events)} {
		a := act{events: w.events[from:to], unsettled: i < 2 && rng.IntN(2) == 0}
		if i == 0 {
			a.assertions = w.assertions
		} else {
			if i == 1 {
				a.feed = true
			}
			if i == 2 || rng.IntN(2) == 0 {
				in = oracle.RandomWorld(rng).Rules
				a.rules = in
			}
		}
		// While everything is judged again, events may meet what still stands as it was judged under other
		// rules: with generic values, who is who may then be neither. The feed is compared with what there is.
		a.want, a.capped = oracle.Profiles(w.events[:to], w.assertions, in), in != rules
		acts = append(acts, a)
		from = to
	}
	return p, rules, acts
}
