package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/egress/replica"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// openings is a store that counts how often each shard is opened: each time, a shard reads its meta row once.
type openings struct {
	storage.Store
	mu     sync.Mutex
	counts map[graph.ShardID]int
}

func (o *openings) Get(dst, key []byte) ([]byte, error) {
	if id, err := row.ParseMetaKey(key); err == nil {
		o.mu.Lock()
		o.counts[id]++
		o.mu.Unlock()
	}
	return o.Store.Get(dst, key)
}

// ruled is a store in which a process died under rules, in the middle of things, and other rules that are to follow.
type ruled struct {
	left          *storage.MemStore
	world         oracle.World
	before, after *graph.Rules
	config        Config
}

func newRuled(t *testing.T, seed uint64, shards int, fed bool) *ruled {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 11))
	r := &ruled{left: storage.NewMemStore(), world: oracle.RandomWorld(rng)}
	other := *oracle.RandomWorld(rand.New(rand.NewPCG(seed+1000, 11))).Rules
	r.before, r.after = r.world.Rules, &other
	r.after.Version = r.before.Version + 1
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	r.config = Config{
		Deployment: row.Deployment{Shards: shards}, Memory: memory, Feed: feed.Settings{On: fed}, Clock: clockAt(simStart).Load,
	}
	e, err := r.open(r.left, r.before)
	if err != nil {
		t.Fatal(err)
	}
	ingest(t, e, r.world, rng)
	e.shutdown() // as if the process died
	return r
}

// open opens an engine as a node does: after the rules that the store has, and with a change that stores the new ones.
func (r *ruled) open(store storage.Store, rules *graph.Rules) (*Engine, error) {
	c := r.config
	c.Store, c.Rules = store, rules
	stored, err := row.ReadRules(store)
	switch {
	case err == nil && stored.Version == r.after.Version:
		c.Before = r.after
	case err == nil:
		c.Before = r.before
	case !errors.Is(err, storage.ErrNotFound):
		return nil, err
	}
	c.Keep = func(change *catalog.Change) error {
		return (&row.RulesDocument{Version: rules.Version, Text: []byte(rules.Name)}).Put(change.Batch())
	}
	return Open(context.Background(), c)
}

// check judges everything again and compares it with the oracle, and the feed with an export.
func (r *ruled) check(t *testing.T, e *Engine, rules *graph.Rules) {
	t.Helper()
	if err := e.Recheck(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := oracle.Dump(oracle.Profiles(r.world.Events, r.world.Assertions, rules))
	if got := dump(t, e); got != want {
		t.Fatalf("%s", oracle.Diff(want, got))
	}
	if e.Feed() == nil {
		return
	}
	var reads replica.Replica
	for _, ev := range readAll(t, reader(t, e, feed.Start)) {
		if err := reads.Check(&ev.FeedEntry); err != nil {
			t.Error(err)
		}
		reads.Apply(&ev.FeedEntry)
	}
	if got, want := oracle.Dump(reads.Profiles()), exported(t, e); got != want {
		t.Fatalf("the feed: %s", oracle.Diff(want, got))
	}
}

// TestRulesOpenShardsOnce: with a change of rules as without, whatever the log holds, a start opens each shard once.
func TestRulesOpenShardsOnce(t *testing.T) {
	for _, shards := range []int{1, 4} {
		for _, fed := range []bool{false, true} {
			for _, name := range []string{"the same rules", "other rules", "other rules after a stop"} {
				t.Run(fmt.Sprintf("%d shards, feed %t, %s", shards, fed, name), func(t *testing.T) {
					r := newRuled(t, 9, shards, fed)
					store, rules := r.left.Reopen(), r.after
					switch name {
					case "the same rules":
						rules = r.before
					case "other rules after a stop":
						e, err := r.open(store, r.before)
						if err != nil {
							t.Fatal(err)
						}
						if err := e.Close(context.Background()); err != nil {
							t.Fatal(err)
						}
					}
					counted := &openings{Store: store, counts: map[graph.ShardID]int{}}
					e, err := r.open(counted, rules)
					if err != nil {
						t.Fatal(err)
					}
					for id := range graph.ShardID(shards) {
						if n := counted.counts[id]; n != 1 {
							t.Errorf("shard %d was opened %d times", id, n)
						}
					}
					if e.Rules() != rules {
						t.Errorf("rules %q are in force, want %q", e.Rules().Name, rules.Name)
					}
					r.check(t, e, rules)
					if err := e.Close(context.Background()); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
}

// TestRulesChangeCutAnywhere lets the process die at every commit of a change of rules and of the sweep that follows it, before
// the commit and after. The store has the old rules, whole, or the new ones, and goes on from there under either.
func TestRulesChangeCutAnywhere(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		r := newRuled(t, seed, []int{4, 1}[seed%2], seed%3 < 2)
		fates := []storage.CommitFate{storage.CommitLost, storage.CommitUnseen}
		met := map[uint64]int{}
		for cut, whole := 1, false; !whole; cut++ {
			for _, fate := range fates {
				whole = r.cut(t, cut, fate, met)
			}
			if cut > 10_000 {
				t.Fatal("a change of rules has no end")
			}
		}
		if met[r.before.Version] == 0 || met[r.after.Version] == 0 {
			t.Errorf("seed %d: the cuts left %v: want the old rules at times, and the new ones", seed, met)
		}
	}
}

// cut changes the rules, and dies at a commit. It reports whether there was no such commit any more.
func (r *ruled) cut(t *testing.T, at int, fate storage.CommitFate, met map[uint64]int) (whole bool) {
	t.Helper()
	ctx := context.Background()
	store := r.left.Reopen()
	commits := store.Commits()
	store.Fate = func(n int) storage.CommitFate {
		if n == commits+at {
			return fate
		}
		return storage.CommitWell
	}
	e, err := r.open(store, r.after)
	if err == nil {
		if err = e.Recheck(ctx); err == nil {
			err = e.Close(ctx)
		} else {
			e.shutdown()
		}
	}
	if err != nil && !errors.Is(err, storage.ErrUnknownOutcome) {
		t.Fatal(err)
	}
	again := store.Reopen()
	again.Fate = nil
	stored, failed := row.ReadRules(again)
	if failed != nil {
		t.Fatal(failed)
	}
	if told, failed := feed.LastRules(again); failed != nil || told != nil && told.Version != stored.Version {
		t.Fatalf("cut %d: rules %x are stored, and the feed tells under %+v (%v)", at, stored.Version, told, failed)
	}
	met[stored.Version]++
	next := []*graph.Rules{r.after, r.before}[at%2] // or back
	if e, failed = r.open(again, next); failed != nil {
		t.Fatalf("cut %d: %v", at, failed)
	}
	r.check(t, e, next)
	if failed := e.Close(ctx); failed != nil {
		t.Fatal(failed)
	}
	return err == nil
}
