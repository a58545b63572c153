package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A fleet is several engines on stores of their own, which share the shards of a deployment and reach each other by calls. Everything
// passes through its encoding, envelopes get lost, repeated and delayed, and questions are lost before or after their effect. A
// journal decides late which batches count, and none of a process whose shard is another's by then.
type fleet struct {
	t       *testing.T
	rules   *graph.Rules
	engines []*Engine
	stores  []*storage.MemStore
	calls   sync.WaitGroup
	behind  atomic.Int64 // shards that waited for definitions

	mu     sync.Mutex // guards the following
	faults bool
	rng    *rand.Rand
	owner  []int    // by shard
	fenced [][]bool // by engine and shard: what is written there no longer counts
	left   [][]bool // by engine and shard: nothing of it may reach the engine's store
}

// errNoRoad is what a fleet's network fails with.
var errNoRoad = errors.New("no road")

// newFleet opens engines that have the shards by turns.
func newFleet(t *testing.T, rng *rand.Rand, rules *graph.Rules, engines, shards int, faults bool) *fleet {
	t.Helper()
	return newFleetOf(t, rng, rules, engines, shards, faults, func(*fleet, int, *Config) {})
}

// newFleetOf is newFleet with more in the configs.
func newFleetOf(t *testing.T, rng *rand.Rand, rules *graph.Rules, engines, shards int, faults bool, more func(*fleet, int, *Config)) *fleet {
	t.Helper()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{
		t: t, rules: rules, rng: rand.New(rand.NewPCG(rng.Uint64(), 38)), faults: faults, owner: make([]int, shards),
		engines: make([]*Engine, engines), stores: make([]*storage.MemStore, engines), fenced: make([][]bool, engines), left: make([][]bool, engines),
	}
	of := make([][]graph.ShardID, engines)
	for id := range f.owner {
		f.owner[id] = rng.IntN(engines)
		of[f.owner[id]] = append(of[f.owner[id]], graph.ShardID(id))
	}
	for i := range f.engines {
		f.stores[i] = storage.NewMemStore()
		f.fenced[i], f.left[i] = make([]bool, shards), make([]bool, shards)
		c := Config{
			Store: guardedStore{f.stores[i], f, i}, Deployment: row.Deployment{Shards: shards}, Rules: rules, Memory: memory,
			Shards: append([]graph.ShardID{}, of[i]...), Network: road{f, i}, Background: true,
		}
		if rng.IntN(2) == 0 {
			c.Journal = ledger{f, i}
		}
		more(f, i, &c)
		f.mu.Lock() // nobody is reached before all are there
		e, err := Open(context.Background(), c)
		f.engines[i] = e
		f.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// chance reports true once in n calls, while there are faults.
func (f *fleet) chance(n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.faults && f.rng.IntN(n) == 0
}

func (f *fleet) of(id graph.ShardID) *Engine {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.engines[f.owner[id]]
}

// any is one of the engines.
func (f *fleet) any() *Engine {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.engines[f.rng.IntN(len(f.engines))]
}

// road is the Network of one engine of a fleet.
type road struct {
	fleet *fleet
	from  int
}

func (r road) Post(p shard.Post) {
	encoded := AppendPost(nil, &p)
	times := 1
	switch {
	case r.fleet.chance(10):
		times = 0
	case r.fleet.chance(10):
		times = 2
	}
	for range times {
		r.fleet.calls.Go(func() { // so that they overtake each other
			p, err := ParsePost(encoded)
			if err != nil {
				r.fleet.t.Error(err)
				return
			}
			if to := r.fleet.of(p.To); to != nil {
				to.Receive(p)
			}
		})
	}
}

func (r road) Ask(ctx context.Context, to graph.ShardID, question []byte) ([]byte, error) {
	if r.fleet.chance(20) {
		return nil, errNoRoad
	}
	e := r.fleet.of(to)
	if e == nil {
		return nil, errNoRoad
	}
	answer := e.Answer(ctx, question)
	if r.fleet.chance(20) {
		return nil, errNoRoad // it had its effect
	}
	return answer, nil
}

func (r road) AskAll(ctx context.Context, question []byte) (answers [][]byte, err error) {
	if r.fleet.chance(20) {
		return nil, errNoRoad
	}
	r.fleet.mu.Lock()
	engines := slices.Clone(r.fleet.engines)
	r.fleet.rng.Shuffle(len(engines), func(i, j int) { engines[i], engines[j] = engines[j], engines[i] })
	self := r.fleet.engines[r.from]
	r.fleet.mu.Unlock()
	for _, e := range engines {
		if e == nil {
			return nil, errNoRoad
		}
		if e != self {
			answers = append(answers, e.Answer(ctx, question))
		}
	}
	return answers, nil
}

func (r road) Rows(ctx context.Context, of graph.ShardID, lower, upper []byte, fn func(key, value []byte) error) error {
	e := r.fleet.of(of)
	if e == nil {
		return errNoRoad
	}
	return e.Rows(ctx, of, lower, upper, func(key, value []byte) error {
		if r.fleet.chance(200) {
			return errNoRoad // in the middle
		}
		return fn(key, value)
	})
}

// guardedStore is the store of one engine of a fleet. It reports a batch of a shard that has left: rows of another process
// may be there by then, and the batch would land on them.
type guardedStore struct {
	*storage.MemStore
	fleet *fleet
	of    int
}

// Commit implements storage.Store.
func (s guardedStore) Commit(batches ...*storage.Batch) error {
	for _, b := range batches {
		for key := range b.Keys() {
			id, err := row.ShardOf(key)
			if err != nil {
				break // of the catalog, as the whole batch is
			}
			if s.fleet.has(s.fleet.left, s.of, id) {
				s.fleet.t.Errorf("engine %d: a batch of shard %d reaches the store after the shard has left", s.of, id)
			}
		}
	}
	return s.MemStore.Commit(batches...)
}

func (f *fleet) has(marks [][]bool, engine int, id graph.ShardID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return marks[engine][id]
}

func (f *fleet) mark(marks [][]bool, engine int, id graph.ShardID, set bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	marks[engine][id] = set
}

// ledger is the Journal of one engine of a fleet.
type ledger struct {
	fleet *fleet
	of    int
}

// errFenced is what a ledger refuses with.
var errFenced = errors.New("another process has the shard")

func (l ledger) Commit(id graph.ShardID, _ *storage.Batch, done func(error)) {
	l.fleet.calls.Go(func() {
		if l.fleet.chance(4) {
			time.Sleep(time.Millisecond)
		}
		if l.fleet.has(l.fleet.fenced, l.of, id) {
			done(errFenced)
			return
		}
		done(nil)
	})
}

// Fresh implements Journal: it says no now and then.
func (l ledger) Fresh(graph.ShardID) bool { return !l.fleet.chance(8) }

// Confirm implements Journal.
func (l ledger) Confirm(_ context.Context, id graph.ShardID) error {
	if l.fleet.chance(4) {
		time.Sleep(time.Millisecond)
	}
	if l.fleet.has(l.fleet.fenced, l.of, id) {
		return errFenced
	}
	return nil
}

// move gives a shard to another engine: with its rows, as a copy between machines has them.
func (f *fleet) move(id graph.ShardID, to int, orderly bool) {
	f.t.Helper()
	ctx := context.Background()
	f.mu.Lock()
	from := f.owner[id]
	f.mu.Unlock()
	if from == to {
		return
	}
	if orderly {
		if err := f.engines[from].Yield(ctx, id); err != nil {
			f.t.Errorf("yield shard %d: %v", id, err)
			return
		}
	} else {
		f.mark(f.fenced, from, id, true)
		f.engines[from].Lose(id)
	}
	f.mark(f.left, from, id, true)
	if err := copyShard(f.stores[to], f.stores[from], id); err != nil {
		f.t.Errorf("copy shard %d: %v", id, err)
		return
	}
	f.mark(f.left, to, id, false)
	f.mark(f.fenced, to, id, false)
	err := f.engines[to].Take(id)
	for ; errors.Is(err, ErrBehind); err = f.engines[to].Take(id) {
		f.behind.Add(1)
		time.Sleep(100 * time.Microsecond)
	}
	if err != nil {
		f.t.Errorf("take shard %d: %v", id, err)
		return
	}
	f.mu.Lock()
	f.owner[id] = to
	f.mu.Unlock()
}

// moving moves shards without a pause until stop is called, and counts the moves.
func (f *fleet) moving(rng *rand.Rand) (moves *atomic.Int64, stop func()) {
	moves = &atomic.Int64{}
	over := make(chan struct{})
	var moving sync.WaitGroup
	moving.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Duration(rng.IntN(2000)) * time.Microsecond):
				f.move(graph.ShardID(rng.IntN(len(f.owner))), rng.IntN(len(f.engines)), rng.IntN(2) == 0)
				moves.Add(1)
			}
		}
	})
	return moves, func() {
		close(over)
		moving.Wait()
	}
}

// copyShard makes the rows of a shard in a store those of another store at one moment.
func copyShard(to, from storage.Store, id graph.ShardID) error {
	at, err := from.Snapshot()
	if err != nil {
		return err
	}
	var b storage.Batch
	for _, r := range row.ShardRanges(id) {
		b.DeleteRange(r.Lower, r.Upper)
		if err := at.Iterate(r.Lower, r.Upper, func(key, value []byte) error { b.Set(key, value); return nil }); err != nil {
			return err
		}
	}
	return errors.Join(to.Commit(&b), at.Close())
}

// calm ends the faults.
func (f *fleet) calm() {
	f.mu.Lock()
	f.faults = false
	f.mu.Unlock()
}

func (f *fleet) close() {
	f.t.Helper()
	f.calls.Wait()
	for _, e := range f.engines {
		e.shutdown()
	}
	f.calls.Wait()
}

// seeds are some that are always run, and fresh ones, or the one of KINDRED_SEED.
func seeds(t *testing.T, fixed, fresh int) (all []uint64) {
	t.Helper()
	if text := os.Getenv("KINDRED_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	if testing.Short() {
		fixed, fresh = fixed/2, min(fresh, 1)
	}
	for seed := range uint64(fixed) {
		all = append(all, seed)
	}
	for range fresh {
		all = append(all, rand.Uint64())
	}
	return all
}

// told is what an engine answers to every question about a world: one text, to be compared.
func told(t *testing.T, e *Engine, world *oracle.World) string {
	t.Helper()
	ctx := context.Background()
	var b strings.Builder
	b.WriteString(dump(t, e))
	keys := map[graph.NodeKey]bool{}
	for i := range world.Events {
		for _, id := range world.Events[i].Identifiers {
			keys[id.Key] = true
		}
	}
	var before graph.NodeKey
	for _, key := range slices.SortedFunc(mapKeys(keys), graph.NodeKey.Compare) {
		p, err := e.Profile(ctx, key)
		fmt.Fprintf(&b, "%s: %v %v\n", key, oracle.Dump([]graph.Profile{p}), err)
		how, err := e.How(ctx, key)
		fmt.Fprintf(&b, "how %s %v\n", asJSON(t, how), err)
		why, err := e.Why(ctx, key, before)
		if !why.Same { // then it has what is hosted together, which depends on the order of events
			why.Path = nil
		}
		fmt.Fprintf(&b, "why %s %v\n", asJSON(t, why), err)
		for _, limit := range []int{2, 1000} {
			events, err := e.Timeline(ctx, key, TimelineQuery{Limit: limit})
			for i := range events {
				fmt.Fprintf(&b, "%+v\n", PositionOf(&events[i]))
			}
			fmt.Fprintf(&b, "%d events %v\n", len(events), err)
			if limit == 2 && len(events) == 2 {
				events, err = e.Timeline(ctx, key, TimelineQuery{Limit: 3, Before: PositionOf(&events[1]), Wanted: func(ev *graph.Event) bool { return ev.Stamp.Time%2 == 0 }})
				fmt.Fprintf(&b, "page of %d %v\n", len(events), err)
			}
		}
		if !before.IsZero() {
			a := graph.Assertion{Verb: graph.AssertForce, A: graph.NodeName{Key: key}, B: graph.NodeName{Key: before}}
			was, is, err := e.Preview(ctx, a)
			fmt.Fprintf(&b, "preview %s%s%v\n", oracle.Dump(was), oracle.Dump(is), err)
		}
		before = key
	}
	return b.String()
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mapKeys[K comparable, V any](m map[K]V) func(yield func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// alone is what one engine that has all shards is told of a world.
func alone(t *testing.T, world *oracle.World, shards int) string {
	t.Helper()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	e, err := Open(ctx, Config{Store: storage.NewMemStore(), Deployment: row.Deployment{Shards: shards}, Rules: world.Rules, Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	for i := range world.Events {
		insist(t, e, world.Events[i:i+1])
	}
	for _, a := range world.Assertions {
		if err := e.Assert(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	return told(t, e, world)
}

// TestFleetEqualsOneEngine: several engines that share the shards, while shards move from one to another, whatever is lost on the
// way, answer every question as one engine does, each of them.
func TestFleetEqualsOneEngine(t *testing.T) {
	for _, seed := range seeds(t, 6, 3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: KINDRED_SEED=%d go test ./actors -run TestFleetEqualsOneEngine", seed)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			rng := rand.New(rand.NewPCG(seed, 35))
			world := oracle.RandomWorld(rng)
			shards := []int{1, 4, 16}[rng.IntN(3)]
			f := newFleet(t, rng, world.Rules, 2+rng.IntN(3), shards, true)
			defer f.close()

			moves, stop := f.moving(rand.New(rand.NewPCG(seed, 36)))
			// The first copy of each event is delivered once, by whatever engine; later copies are duplicates.
			for round := 0; round == 0 || moves.Load() < 12 && ctx.Err() == nil; round++ {
				for rest := world.Events; len(rest) > 0 && !t.Failed(); {
					n := min(1+rng.IntN(8), len(rest))
					insist(t, f.any(), rest[:n])
					rest = rest[n:]
				}
			}
			for _, a := range world.Assertions {
				if err := f.any().Assert(ctx, a); err != nil {
					t.Fatal(err)
				}
			}
			stop()
			f.calm()
			f.settle(ctx)
			people := oracle.Profiles(world.Events, world.Assertions, world.Rules)
			if got, want := dump(t, f.engines[0]), oracle.Dump(people); got != want {
				t.Fatalf("after %d moves:\n%s", moves.Load(), oracle.Diff(want, got))
			}
			checkGroups(t, f.engines[0], world.Events, people, rand.New(rand.NewPCG(seed, 37)))
			want := alone(t, &world, shards)
			for i, e := range f.engines {
				if got := told(t, e, &world); got != want {
					t.Fatalf("engine %d of %d says, after %d moves:\n%s", i, len(f.engines), moves.Load(), oracle.Diff(want, got))
				}
				stats, err := e.Stats(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if stats.Waiting != 0 || stats.Quarantined != 0 {
					t.Errorf("engine %d: %d messages wait, %d inputs are set aside", i, stats.Waiting, stats.Quarantined)
				}
			}
		})
	}
}

// TestFleetVisible: once Visible has returned at the engine that answered an event, every engine finds what the event says, by any of
// its identifiers (P8), wherever the messages between shards went, and while shards move.
func TestFleetVisible(t *testing.T) {
	for _, seed := range seeds(t, 4, 2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: KINDRED_SEED=%d go test ./actors -run TestFleetVisible", seed)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			rng := rand.New(rand.NewPCG(seed, 37))
			world := oracle.RandomWorld(rng)
			const shards = 8
			f := newFleet(t, rng, world.Rules, 3, shards, true)
			defer f.close()
			for i := range world.Events {
				ev := &world.Events[i]
				e := f.any()
				insist(t, e, world.Events[i:i+1])
				if rng.IntN(3) == 0 {
					f.move(graph.ShardID(rng.IntN(shards)), rng.IntN(3), rng.IntN(2) == 0)
				}
				if err := e.Visible(ctx); err != nil {
					t.Fatal(err)
				}
				profiles := oracle.Profiles(world.Events[:i+1], nil, world.Rules)
				asked := f.any()
				for _, id := range ev.Identifiers {
					at := slices.IndexFunc(profiles, func(p graph.Profile) bool {
						return slices.ContainsFunc(p.Identifiers, func(o graph.ProfileIdentifier) bool { return o.Key == id.Key })
					})
					if at < 0 {
						continue // a reading that belongs to no one
					}
					want := profiles[at]
					got, err := asked.Profile(ctx, id.Key)
					if err != nil {
						t.Fatalf("event %d: %v", i, err)
					}
					if want, got := oracle.Dump([]graph.Profile{want}), oracle.Dump([]graph.Profile{got}); want != got {
						t.Fatalf("event %d:\n%s", i, oracle.Diff(want, got))
					}
				}
			}
		})
	}
}

// TestFleetStats: what cannot be counted is told.
func TestFleetStats(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 39))
	world := oracle.RandomWorld(rng)
	f := newFleet(t, rng, world.Rules, 2, 4, false)
	defer f.close()
	f.move(0, 0, true)
	f.move(1, 1, true)
	insist(t, f.engines[0], world.Events)
	for absent, id := range []graph.ShardID{0, 1} {
		for i, e := range f.engines {
			if stats, err := e.Stats(ctx); err != nil || stats.Absent != absent {
				t.Errorf("engine %d: %d shards are absent (%v), want %d", i, stats.Absent, err, absent)
			}
		}
		f.mark(f.fenced, int(id), id, true)
		f.engines[id].Lose(id)
	}
	for _, id := range []graph.ShardID{0, 1} {
		f.mark(f.fenced, int(id), id, false)
		if err := f.engines[id].Take(id); err != nil {
			t.Fatal(err)
		}
	}
	f.settle(ctx) // nothing may be sent while the fleet is closed
}

// settle waits until nothing is under way in any engine.
func (f *fleet) settle(ctx context.Context) {
	f.t.Helper()
	for _, e := range f.engines {
		if err := e.Settle(ctx); err != nil {
			f.t.Fatal(err)
		}
	}
}

// A process that does not have a shard says so, whatever it is asked or given for the shard: others then look elsewhere.
func TestElsewhereIsSaid(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 39))
	world := oracle.RandomWorld(rng)
	f := newFleet(t, rng, world.Rules, 2, 1, false)
	defer f.close()
	f.move(0, 1, true)
	d := &Delivery{}
	d.Add(&world.Events[0])
	for i, e := range f.engines {
		for name, question := range map[string][]byte{
			"whereabouts": Whereabouts(0),
			"inputs":      appendQuestion(nil, askDeliver, 0, 0, appendInputs(nil, 1, d.inputs)),
		} {
			if got, want := IsElsewhere(e.Answer(context.Background(), question)), i == 0; got != want {
				t.Errorf("engine %d, %s: elsewhere is %v, want %v", i, name, got, want)
			}
		}
	}
	f.settle(context.Background())
}
