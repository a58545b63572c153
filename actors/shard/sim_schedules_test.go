package shard_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/internal/testkit/schedules"
)

// schedule is how a test makes a run of a seed.
type schedule struct {
	make func(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act)
	disk func(p simParams) simDisk
	// actors reports whether a seed is run with real identity actors.
	actors func(seed uint64) bool
	meets  []string // beside what every schedule is to meet
}

// plainly is one world, told once.
func plainly(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
	p := drawParams(seed, rng)
	w := oracle.RandomWorld(rng)
	return p, w.Rules, []act{{events: w.Events, assertions: w.Assertions, want: oracle.Profiles(w.Events, w.Assertions, w.Rules)}}
}

// amongAliases is a world that has many aliases for its size, told to readers of the feed.
func amongAliases(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
	p := drawParams(seed, rng)
	p.feed = true
	w, most := oracle.RandomWorld(rng), 0
	for range 20 {
		drawn := oracle.RandomWorld(rng)
		aliases := 0
		for i := range drawn.Events {
			if drawn.Events[i].Type == graph.TypeAlias {
				aliases++
			}
		}
		if share := 100 * aliases / max(1, len(drawn.Events)); share > most && aliases > 1 {
			w, most = drawn, share
		}
	}
	return p, w.Rules, []act{{events: w.Events, assertions: w.Assertions, want: oracle.Profiles(w.Events, w.Assertions, w.Rules)}}
}

func inMemory(p simParams) simDisk { return &memDisk{shards: p.shards} }

// run runs the schedule of a seed, on plain hosts or on a stage.
func (sc *schedule) run(seed uint64, on *stage, change func(*simParams), logf func(string, ...any)) (result simResult, p simParams, err error) {
	rng := rand.New(rand.NewPCG(seed, 0x51))
	p, rules, acts := sc.make(seed, rng)
	if change != nil {
		change(&p)
	}
	go1 := func(newHost func(*graph.Rules) shard.Host) {
		result, err = simulate(p, rng, rules, acts, sc.disk(p), newHost, logf)
	}
	if on != nil && sc.actors != nil && sc.actors(seed) {
		on.run(go1)
	} else {
		go1(func(rules *graph.Rules) shard.Host { return shard.Plain{Rules: rules} })
	}
	return result, p, err
}

// schedulesFor scales a number of schedules: KINDRED_SCHEDULES says how many instead, -short and the
// race detector make it fewer.
func schedulesFor(t *testing.T, n int) int {
	t.Helper()
	if text := os.Getenv("KINDRED_SCHEDULES"); text != "" {
		most, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("KINDRED_SCHEDULES: %v", err)
		}
		return max(1, n*most/20_000)
	}
	if raceEnabled {
		n /= 16
	}
	if testing.Short() {
		n /= 8
	}
	return max(n, 4)
}

// rare is what only some tests are to meet.
var rare = []string{"changes of rules", "sweeps", "definitions", "parts of fills", "signals compared", "events marked ahead", "memberships", "wakes", "entered", "exited", "computed traits"}

// each runs so many schedules, or fewer.
func (sc *schedule) each(t *testing.T, n int) {
	t.Helper()
	schedules.Each(t, schedules.Plan{
		Schedules: schedulesFor(t, n), Package: "./actors/shard", Again: 50, Enough: 200,
		Unmet: func(what string) bool { return slices.Contains(rare, what) && !slices.Contains(sc.meets, what) },
		Worker: func() schedules.Run {
			on := newStage(t)
			return func(seed uint64, logf func(string, ...any)) (map[string]*uint64, uint64, error) {
				result, p, err := sc.run(seed, on, nil, logf)
				if err != nil {
					err = fmt.Errorf("%v\n%w", p, err)
				}
				return result.met.counts(), result.trace, err
			}
		},
	})
}

// TestSchedules: whatever the order, the batches, the number of shards, the duplicates, the crashes and
// the network, the same events give the same people.
func TestSchedules(t *testing.T) {
	sc := schedule{make: plainly, disk: inMemory, actors: func(seed uint64) bool { return seed%16 == 0 }}
	sc.each(t, 20_000)
}

// TestSchedulesOnPebble runs schedules on the real store, which loses what it did not sync.
func TestSchedulesOnPebble(t *testing.T) {
	sc := schedule{
		make: plainly,
		disk: func(p simParams) simDisk { return &pebbleDisk{shards: p.shards} },
	}
	sc.each(t, 600)
}

// TestSchedulesSplitUndoesMerge: what an operator asserted and withdrew, and all that it brought
// together or kept apart meanwhile, leaves no trace.
func TestSchedulesSplitUndoesMerge(t *testing.T) {
	sc := schedule{make: mergedAndSplit, disk: inMemory}
	sc.each(t, 2000)
}

// TestSchedulesAliases: aliases, of which ordinary worlds have few, are claims on nodes that may outrank the one that asks.
func TestSchedulesAliases(t *testing.T) {
	sc := schedule{make: amongAliases, disk: inMemory, actors: func(seed uint64) bool { return seed%16 == 0 }}
	sc.each(t, 1000)
}

// mergedAndSplit is a world; then assertions about pairs that the world asserts nothing of; then their
// withdrawal.
func mergedAndSplit(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
	p, rules, acts := plainly(seed, rng)
	w := acts[0]
	var names []graph.NodeName
	for i := range w.events {
		for _, id := range w.events[i].Identifiers {
			names = append(names, graph.NodeName{Key: id.Key, Namespace: id.Namespace, Value: string(id.Value)})
		}
	}
	names = append(names, oracle.Name("anonymous_id", "stranger"))
	var asserted, withdrawn []graph.Assertion
	for i := range 1 + rng.IntN(4) {
		a, b := names[rng.IntN(len(names))], names[rng.IntN(len(names))]
		if b.Key.Outranks(a.Key) {
			a, b = b, a
		}
		x := graph.Assertion{
			Verb: [...]graph.AssertionVerb{graph.AssertForce, graph.AssertForce, graph.AssertCannot, graph.AssertRetract, graph.AssertForget}[rng.IntN(5)],
			A:    a, B: b, At: simStart + int64(i), ID: fmt.Sprintf("y%d", i), By: "operator",
		}
		if x.Verb == graph.AssertForget {
			x.B = graph.NodeName{}
		} else if a.Key == b.Key {
			continue
		}
		if concerns(w.assertions, &x) {
			continue
		}
		asserted = append(asserted, x)
		x.Withdrawn = true
		x.At += 1000
		x.ID += "w"
		withdrawn = append(withdrawn, x)
	}
	both := append(append([]graph.Assertion(nil), w.assertions...), asserted...)
	return p, rules, []act{
		w,
		{assertions: asserted, want: oracle.Profiles(w.events, both, rules)},
		{assertions: withdrawn, want: w.want},
	}
}

// TestSchedulesRulesChange: the rules change in the middle of everything, with a restart, once or several
// times. The people are those of the last rules, whatever was judged generic or refused by others, and
// whatever of that was under way.
func TestSchedulesRulesChange(t *testing.T) {
	sc := schedule{
		make: underOtherRules, disk: inMemory, meets: []string{"changes of rules", "sweeps"},
		actors: func(seed uint64) bool { return seed%16 == 0 },
	}
	sc.each(t, 3000)
}

// underOtherRules is a world whose rules become those of other worlds.
func underOtherRules(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
	p, rules, acts := plainly(seed, rng)
	a := acts[0]
	last := rules
	for i := range 1 + rng.IntN(3) {
		other := *oracle.RandomWorld(rng).Rules
		other.Version = rules.Version + 1 + uint64(i)
		last = &other
		a.changes = append(a.changes, last)
	}
	a.want = oracle.Profiles(a.events, a.assertions, last)
	return p, rules, []act{a}
}

func concerns(all []graph.Assertion, x *graph.Assertion) bool {
	for i := range all {
		if all[i].Verb == x.Verb && all[i].A.Key == x.A.Key && all[i].B.Key == x.B.Key {
			return true
		}
	}
	return false
}

// TestSchedulesLarge: what large components put off to the close of a step comes to the same.
func TestSchedulesLarge(t *testing.T) {
	defer graph.SetLarge(1, 2, 1)()
	sc := schedule{make: plainly, disk: inMemory, actors: func(seed uint64) bool { return seed%16 == 0 }}
	sc.each(t, 4000)
}

// TestSchedulesAtCaps: a component that is full hosts nothing new. Nothing is lost, nothing is counted
// twice, and what came out survives a restart and a replay.
func TestSchedulesAtCaps(t *testing.T) {
	sc := schedule{disk: inMemory, make: func(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
		p, rules, acts := plainly(seed, rng)
		rules.MaxMembers = 2 + rng.IntN(4)
		rules.MaxLinks = 1 + rng.IntN(6)
		return p, rules, []act{{events: acts[0].events, assertions: acts[0].assertions, capped: true}}
	}}
	sc.each(t, 4000)
}

// TestSchedulesResidentOrPassivated: with memory for everything or for nothing, with a log that is
// never cut or always, what is read is the same.
func TestSchedulesResidentOrPassivated(t *testing.T) {
	sc := schedule{make: plainly, disk: inMemory}
	for seed := range uint64(schedulesFor(t, 400)) {
		var dumps []string
		for _, limits := range []shard.Limits{{LogBytes: 1 << 30, ActorBytes: 1 << 30, FlushBytes: 1 << 30}, {}} {
			result, p, err := sc.run(seed, nil, func(p *simParams) { p.limits = limits }, nil)
			if err != nil {
				t.Fatalf("seed %d, %v: %v", seed, p, err)
			}
			if huge := limits.ActorBytes > 0; huge == (result.met.passivated > 0) {
				t.Fatalf("seed %d, limits %v: %d times nodes were passivated", seed, limits, result.met.passivated)
			}
			dumps = append(dumps, result.dump)
		}
		if d := oracle.Diff(dumps[0], dumps[1]); d != "" {
			t.Fatalf("seed %d: resident and passivated differ:\n%s", seed, d)
		}
	}
}
