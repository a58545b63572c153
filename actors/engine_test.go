package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openEngine starts an engine on a store, and stops it at the end of the test.
func openEngine(t *testing.T, store storage.Store, shards int, rules *graph.Rules) *Engine {
	t.Helper()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(context.Background(), Config{
		Store: store, Deployment: row.Deployment{Shards: shards}, Rules: rules, Memory: memory, LogBytes: 64 << 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// ingest submits a world in pieces, at random, and waits until all of it is durable and delivered.
func ingest(t *testing.T, e *Engine, world oracle.World, rng *rand.Rand) {
	t.Helper()
	ctx := context.Background()
	events := slices.Clone(world.Events)
	rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	var answers []chan error
	for len(events) > 0 {
		n := 1 + rng.IntN(len(events))
		d := &Delivery{}
		for i := range events[:n] {
			d.Add(&events[i])
		}
		events = events[n:]
		answer := make(chan error, 1)
		if err := e.Submit(ctx, d, func(err error) { answer <- err }); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	for _, a := range world.Assertions {
		if err := e.Assert(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for _, answer := range answers {
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

func dump(t *testing.T, e *Engine) string {
	t.Helper()
	var profiles []graph.Profile
	if err := e.Each(context.Background(), func(c *graph.Component) error {
		profiles = append(profiles, c.Profiles(e.Rules(), false)...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(profiles, func(a, b graph.Profile) int { return a.ID.Compare(b.ID) })
	return oracle.Dump(profiles)
}

// TestEngineEqualsOracle runs real shard and identity actors, with goroutines and group commit, and
// again after a restart.
func TestEngineEqualsOracle(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 12
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 7))
		world := oracle.RandomWorld(rng)
		people := oracle.Profiles(world.Events, world.Assertions, world.Rules)
		want := oracle.Dump(people)
		shards := []int{1, 4, 64}[seed%3]
		store := storage.NewMemStore()
		for round := range 2 { // the second feeds everything again, after a restart
			e := openEngine(t, store, shards, world.Rules)
			if round > 0 {
				if got := dump(t, e); got != want {
					t.Fatalf("seed %d, %d shards, restarted:\n%s", seed, shards, oracle.Diff(want, got))
				}
				checkGroups(t, e, world.Events, people, rng)
			}
			ingest(t, e, world, rng)
			if got := dump(t, e); got != want {
				t.Fatalf("seed %d, %d shards, round %d:\n%s", seed, shards, round, oracle.Diff(want, got))
			}
			checkGroups(t, e, world.Events, people, rng)
			if err := e.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestReopenNeedsNoTick: what the log holds of messages that arrived before is cleared up as the shards
// recover, and not when the first tick comes. Without a tick to help, Settle would wait for ever.
func TestReopenNeedsNoTick(t *testing.T) {
	world := oracle.RandomWorld(rand.New(rand.NewPCG(1, 7)))
	store := storage.NewMemStore()
	e := openEngine(t, store, 64, world.Rules)
	ingest(t, e, world, rand.New(rand.NewPCG(2, 7)))
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	e = openEngine(t, store, 64, world.Rules)
	e.ticker.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := e.Settle(ctx); err != nil {
		t.Error(err)
		e.ticker.Reset(shard.ResendAfter * time.Millisecond) // or closing would hang
	}
}

// TestRulesChange runs a world under some rules, and then under others: the people must be those of
// the other rules alone, whatever was judged generic or refused before.
func TestRulesChange(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 11))
		world := oracle.RandomWorld(rng)
		other := *oracle.RandomWorld(rand.New(rand.NewPCG(seed+1000, 11))).Rules
		other.Version = world.Rules.Version + 1
		store := storage.NewMemStore()
		shards := []int{1, 4, 64}[seed%3]
		e := openEngine(t, store, shards, world.Rules)
		ingest(t, e, world, rng)
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		e = openEngine(t, store, shards, &other)
		if err := e.Recheck(context.Background()); err != nil {
			t.Fatal(err)
		}
		profiles := oracle.Profiles(world.Events, world.Assertions, &other)
		want := oracle.Dump(profiles)
		if got := dump(t, e); got != want {
			t.Fatalf("seed %d, %d shards:\nfrom %+v\nto   %+v\n%s", seed, shards, *world.Rules, other, oracle.Diff(want, got))
		}
		checkGroups(t, e, world.Events, profiles, rng)
		stats, err := e.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if stats.Identities != int64(len(profiles)) {
			t.Fatalf("seed %d: %d identities counted, want %d", seed, stats.Identities, len(profiles))
		}
		routes := make(map[graph.NodeKey]struct{})
		for i := range world.Events {
			routes[world.Events[i].Route()] = struct{}{}
		}
		if merges := int64(len(routes) - len(profiles)); stats.Merges() != merges {
			t.Fatalf("seed %d: %d merges counted, want %d", seed, stats.Merges(), merges)
		}
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKeepBetweenRules: a process that died left a log. Under other rules, the log is finished under the old ones first, once,
// and only then the new rules are kept (N4, N5); an error there leaves everything as the old rules made it.
func TestKeepBetweenRules(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(9, 11))
	world := oracle.RandomWorld(rng)
	other := *oracle.RandomWorld(rand.New(rand.NewPCG(1009, 11))).Rules
	other.Version = world.Rules.Version + 1
	left := storage.NewMemStore()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Store: left, Deployment: row.Deployment{Shards: 4}, Rules: world.Rules, Memory: memory}
	e, err := Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	ingest(t, e, world, rng)
	e.shutdown() // as if the process died
	records := func() (n int) {
		for id := range graph.ShardID(4) {
			of := 0
			if err := row.ScanRecords(left, id, 0, func(uint64, []byte) error { of++; return nil }); err != nil {
				t.Fatal(err)
			}
			n = max(n, of)
		}
		return n
	}
	if n := records(); n <= 1 {
		t.Fatalf("%d records are left at most, so that there is nothing to finish", n)
	}
	kept := 0
	config.Rules, config.Before, config.Background = &other, world.Rules, true
	config.Keep = func(*catalog.Change) error {
		if kept++; records() > 1 {
			t.Errorf("%d records are left as the rules change", records())
		}
		if kept == 1 {
			return errors.New("disk full")
		}
		return nil
	}
	if _, err := Open(ctx, config); err == nil || err.Error() != "disk full" {
		t.Fatalf("open: %v, want the error of Keep", err)
	}
	again, err := Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Recheck(ctx); err != nil {
		t.Fatal(err)
	}
	want := oracle.Dump(oracle.Profiles(world.Events, world.Assertions, &other))
	if got := dump(t, again); got != want {
		t.Errorf("%s", oracle.Diff(want, got))
	}
	if err := again.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestRecheckTellsOfGenericValues: an address was generic by its customers, so that it never heard of
// another one. By other rules that customer is generic and the address is only if it counts him too.
func TestRecheckTellsOfGenericValues(t *testing.T) {
	ctx := context.Background()
	before := &graph.Rules{Name: "before", Version: 1, GenericCustomers: 2, GenericNeighbours: 100, MaxMembers: 1000, MaxLinks: 1000}
	after := &graph.Rules{Name: "after", Version: 2, GenericCustomers: 3, GenericNeighbours: 4, MaxMembers: 1000, MaxLinks: 1000}
	var events []graph.Event
	see := func(names ...graph.NodeName) {
		slices.SortFunc(names, func(a, b graph.NodeName) int { return b.Key.Compare(a.Key) })
		n := uint64(len(events) + 1)
		e := graph.Event{
			ID: fmt.Append(nil, "m", n), Source: []byte("s"), Seen: n, Type: graph.TypeTrack,
			Stamp: graph.Stamp{Time: int64(n), Tie: n}, Received: int64(n),
		}
		for _, name := range names {
			e.Identifiers = append(e.Identifiers, graph.Identifier{Key: name.Key, Namespace: name.Namespace, Value: []byte(name.Value)})
		}
		events = append(events, e)
	}
	address, customer := oracle.Name("email", "e"), oracle.Name("user_id", "u")
	for _, other := range []string{"a", "b", "c"} {
		see(oracle.Name("user_id", other), address)
	}
	see(customer, address)
	see(customer, address)
	for _, cookie := range []string{"1", "2", "3", "4"} {
		see(customer, oracle.Name("anonymous_id", cookie))
	}
	store := storage.NewMemStore()
	e := openEngine(t, store, 4, before)
	for i := range events { // in this order
		d := &Delivery{}
		d.Add(&events[i])
		if err := e.submitAndWait(ctx, d); err != nil {
			t.Fatal(err)
		}
		if err := e.Settle(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	e = openEngine(t, store, 4, after)
	if err := e.Recheck(ctx); err != nil {
		t.Fatal(err)
	}
	want := oracle.Dump(oracle.Profiles(events, nil, after))
	if got := dump(t, e); got != want {
		t.Errorf("%s", oracle.Diff(want, got))
	}
}

// A clean close leaves nothing in transit: the next start counts no message, and sends none again.
func TestNothingInTransitAfterClose(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 19))
		world := oracle.RandomWorld(rng)
		store := storage.NewMemStore()
		e := openEngine(t, store, 8, world.Rules)
		ingest(t, e, world, rng)
		before, err := e.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for id := range e.runners {
			s, err := e.openShard(graph.ShardID(id), shard.Plain{Rules: world.Rules}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n := s.Stats().Waiting; n > 0 {
				t.Fatalf("seed %d: shard %d has %d messages in transit after a clean close", seed, id, n)
			}
			before.Active -= s.Stats().Active
			before.Identities -= s.Stats().Identities
		}
		if before.Active != 0 || before.Identities != 0 {
			t.Fatalf("seed %d: %d identifiers and %d identities are counted otherwise", seed, before.Active, before.Identities)
		}
	}
}

// simStart is when tests begin: 2026-01-01.
var simStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
