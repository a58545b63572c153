package shard_test

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

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// schedule is how a test makes a run of a seed.
type schedule struct {
	test string // its name, for the command that repeats it
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

func (sc *schedule) report(seed uint64, p simParams, err error) string {
	return fmt.Sprintf("%v\n%v\nrepeat: KINDRED_SEED=%d go test -count=1 -v -run '^%s$' ./actors/shard", p, err, seed, sc.test)
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

// each runs schedules: three quarters of them with seeds that are the same in every run, the rest with
// fresh ones. KINDRED_SEED runs that one alone, and logs it.
func (sc *schedule) each(t *testing.T, n int) {
	t.Helper()
	if text := os.Getenv("KINDRED_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("KINDRED_SEED: %v", err)
		}
		_, p, err := sc.run(seed, newStage(t), nil, t.Logf)
		if err != nil {
			t.Fatal(sc.report(seed, p, err))
		}
		t.Logf("%v: well", p)
		return
	}
	n = schedulesFor(t, n)
	fixed := n * 3 / 4
	fresh := rand.Uint64N(1 << 62)
	t.Logf("%d schedules: seeds 0 to %d, and %d to %d", n, fixed-1, fresh, fresh+uint64(n-fixed)-1)

	var next atomic.Int64
	var mu sync.Mutex // guards the following
	var met simMet
	failed := false
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		on := newStage(t)
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
				result, p, err := sc.run(seed, on, nil, nil)
				if err == nil && i%50 == 0 {
					var again simResult
					again, _, err = sc.run(seed, on, nil, nil)
					if err == nil && again.trace != result.trace {
						err = fmt.Errorf("two runs differ: traces %016x and %016x", result.trace, again.trace)
					}
				}
				mu.Lock()
				sum := met.counts()
				for what, count := range result.met.counts() {
					*sum[what] += *count
				}
				if err != nil && !failed {
					failed = true
					t.Error(sc.report(seed, p, err))
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	counts := met.counts()
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		count := counts[what]
		t.Logf("%-30s %d", what, *count)
		optional := slices.Contains([]string{"changes of rules", "sweeps", "definitions", "parts of fills", "signals compared", "events marked ahead"}, what)
		if *count == 0 && n >= 200 && !failed && (!optional || slices.Contains(sc.meets, what)) {
			t.Errorf("no schedule met any %s: they prove nothing about that", what)
		}
	}
}

// TestSchedules: whatever the order, the batches, the number of shards, the duplicates, the crashes and
// the network, the same events give the same people.
func TestSchedules(t *testing.T) {
	sc := schedule{test: "TestSchedules", make: plainly, disk: inMemory, actors: func(seed uint64) bool { return seed%16 == 0 }}
	sc.each(t, 20_000)
}

// TestSchedulesOnPebble runs schedules on the real store, which loses what it did not sync.
func TestSchedulesOnPebble(t *testing.T) {
	sc := schedule{
		test: "TestSchedulesOnPebble", make: plainly,
		disk: func(p simParams) simDisk { return &pebbleDisk{shards: p.shards} },
	}
	sc.each(t, 600)
}

// TestSchedulesSplitUndoesMerge: what an operator asserted and withdrew, and all that it brought
// together or kept apart meanwhile, leaves no trace.
func TestSchedulesSplitUndoesMerge(t *testing.T) {
	sc := schedule{test: "TestSchedulesSplitUndoesMerge", make: mergedAndSplit, disk: inMemory}
	sc.each(t, 2000)
}

// TestSchedulesAliases: aliases, of which ordinary worlds have few, are claims on nodes that may outrank the one that asks.
func TestSchedulesAliases(t *testing.T) {
	sc := schedule{test: "TestSchedulesAliases", make: amongAliases, disk: inMemory, actors: func(seed uint64) bool { return seed%16 == 0 }}
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
		test: "TestSchedulesRulesChange", make: underOtherRules, disk: inMemory, meets: []string{"changes of rules", "sweeps"},
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
	sc := schedule{test: "TestSchedulesLarge", make: plainly, disk: inMemory, actors: func(seed uint64) bool { return seed%16 == 0 }}
	sc.each(t, 4000)
}

// TestSchedulesAtCaps: a component that is full hosts nothing new. Nothing is lost, nothing is counted
// twice, and what came out survives a restart and a replay.
func TestSchedulesAtCaps(t *testing.T) {
	sc := schedule{test: "TestSchedulesAtCaps", disk: inMemory, make: func(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
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
	sc := schedule{test: "TestSchedulesResidentOrPassivated", make: plainly, disk: inMemory}
	for seed := range uint64(schedulesFor(t, 400)) {
		var dumps []string
		for _, limits := range []shard.Limits{{LogBytes: 1 << 30, ActorBytes: 1 << 30, FlushBytes: 1 << 30}, {}} {
			result, p, err := sc.run(seed, nil, func(p *simParams) { p.limits = limits }, nil)
			if err != nil {
				t.Fatal(sc.report(seed, p, err))
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
