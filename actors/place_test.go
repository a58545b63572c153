package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// insist submits a delivery, and what of it was answered Elsewhere again, until all of it is taken.
func insist(t *testing.T, e *Engine, events []graph.Event) {
	t.Helper()
	for len(events) > 0 {
		d := &Delivery{}
		for i := range events {
			d.Add(&events[i])
		}
		err := e.submitAndWait(context.Background(), d)
		if err != nil && !errors.Is(err, ErrLost) {
			t.Error(err)
			return
		}
		var again []graph.Event
		for i, outcome := range d.Outcomes {
			switch outcome {
			case Elsewhere:
				again = append(again, events[i])
			case Accepted, Duplicate:
			case Pending, Quarantined, OutOfTurn:
				t.Errorf("outcome %d", outcome)
			}
		}
		events = again
	}
}

// TestShardsComeAndGo lets shards leave and come back, in good order and not, while events flow: the people are the same, and
// what was answered as taken is there.
func TestShardsComeAndGo(t *testing.T) {
	seeds := uint64(24)
	if testing.Short() {
		seeds = 6
	}
	ctx := context.Background()
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 31))
		world := oracle.RandomWorld(rng)
		shards := []int{1, 4, 16}[seed%3]
		store := storage.NewMemStore()
		e := openEngine(t, store, shards, world.Rules)
		var events sync.WaitGroup
		over := make(chan struct{})
		for part := range slices.Chunk(slices.Clone(world.Events), 1+len(world.Events)/4) {
			events.Go(func() {
				for i := range part {
					insist(t, e, part[i:i+1])
				}
			})
		}
		var moves sync.WaitGroup
		left := 0
		moves.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				id := graph.ShardID(rng.IntN(shards))
				if rng.IntN(2) == 0 {
					e.Lose(id)
				} else if err := e.Yield(ctx, id); err != nil {
					t.Errorf("yield: %v", err)
				}
				if left++; e.Has(id) {
					t.Errorf("shard %d is here after it left", id)
				}
				if err := e.Take(id); err != nil {
					t.Errorf("take: %v", err)
				}
			}
		})
		events.Wait()
		close(over)
		moves.Wait()
		for _, a := range world.Assertions {
			if err := e.Assert(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		if err := e.Visible(ctx); err != nil {
			t.Fatal(err)
		}
		people := oracle.Profiles(world.Events, world.Assertions, world.Rules)
		want := oracle.Dump(people)
		if got := dump(t, e); got != want {
			t.Fatalf("seed %d, %d shards, %d times a shard left:\n%s", seed, shards, left, oracle.Diff(want, got))
		}
		checkGroups(t, e, world.Events, people, rng)
		if err := e.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// heldStore holds commits back, once armed, until it is opened.
type heldStore struct {
	*storage.MemStore
	armed         atomic.Bool
	entered, open chan struct{}
}

// Commit implements storage.Store.
func (s *heldStore) Commit(batches ...*storage.Batch) error {
	if s.armed.CompareAndSwap(true, false) {
		close(s.entered)
		<-s.open
	}
	return s.MemStore.Commit(batches...)
}

// TestLoseWaitsForItsBatch: a caller that was told that a shard has left may write rows of another process over it, so no batch of the
// shard is on its way any more (A12). Those who wait for the shard are answered before.
func TestLoseWaitsForItsBatch(t *testing.T) {
	ctx := context.Background()
	world := oracle.RandomWorld(rand.New(rand.NewPCG(1, 31)))
	store := &heldStore{MemStore: storage.NewMemStore(), entered: make(chan struct{}), open: make(chan struct{})}
	e := openEngine(t, store, 1, world.Rules)
	store.armed.Store(true)
	d := &Delivery{}
	d.Add(&world.Events[0])
	answered := make(chan error, 1)
	if err := e.Submit(ctx, d, func(err error) { answered <- err }); err != nil {
		t.Fatal(err)
	}
	<-store.entered
	m := &losing{done: make(chan struct{})}
	e.runners[0].inbox.PostUserMessage(m)
	if err := <-answered; err != nil || d.Outcomes[0] != Elsewhere {
		t.Errorf("an input of a shard that was lost: outcome %d, %v", d.Outcomes[0], err)
	}
	if err := e.ask(ctx, 0, func(*shard.Shard) error { return nil }); !errors.Is(err, ErrLost) {
		t.Errorf("a question after it: %v", err)
	}
	select {
	case <-m.done:
		t.Error("the shard has left, and a batch of it is on its way to the store")
	default:
	}
	close(store.open)
	<-m.done
	if err := e.Take(0); err != nil {
		t.Fatal(err)
	}
	d.Reset()
	d.Add(&world.Events[0])
	if err := e.submitAndWait(ctx, d); err != nil || d.Outcomes[0] != Duplicate {
		t.Errorf("the input again: outcome %d, %v; want that its batch had arrived", d.Outcomes[0], err)
	}
}

// TestYieldedShardReplaysNothing: who takes a shard that was yielded needs no handler of the process that had it.
func TestYieldedShardReplaysNothing(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(3, 31))
	world := oracle.RandomWorld(rng)
	store := storage.NewMemStore()
	e := openEngine(t, store, 4, world.Rules)
	ingest(t, e, world, rng)
	want := dump(t, e)
	for id := range graph.ShardID(4) {
		if err := e.Yield(ctx, id); err != nil {
			t.Fatal(err)
		}
		if err := e.Yield(ctx, id); !errors.Is(err, ErrLost) {
			t.Errorf("a second yield: %v", err)
		}
		handled := &counted{Plain: shard.Plain{Rules: world.Rules}}
		if _, err := e.openShard(id, handled, nil); err != nil {
			t.Fatal(err)
		}
		if handled.n > 0 {
			t.Errorf("shard %d: %d messages were handled again", id, handled.n)
		}
	}
	if err := e.Each(ctx, func(*graph.Component) error { return nil }); !errors.Is(err, ErrLost) {
		t.Errorf("each: %v, want that a part is missing", err)
	}
	if err := e.Read(ctx, world.Events[0].Route(), func(*View) error { return nil }); !errors.Is(err, ErrLost) {
		t.Errorf("view: %v", err)
	}
	for id := range graph.ShardID(4) {
		if err := e.Take(id); err != nil {
			t.Fatal(err)
		}
	}
	if got := dump(t, e); got != want {
		t.Errorf("%s", oracle.Diff(want, got))
	}
}

// counted counts what identities handle.
type counted struct {
	shard.Plain
	n int
}

func (c *counted) Handle(h shard.Handle, n *graph.Node, m *graph.Message, out *graph.Outbox) error {
	c.n++
	return c.Plain.Handle(h, n, m, out)
}

// TestShardFailsAlone: a row that can't be read stops its shard. The others go on, and nothing that the shard was given is
// answered as taken.
func TestShardFailsAlone(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(5, 31))
	world := oracle.RandomWorld(rng)
	store := storage.NewMemStore()
	e := openEngine(t, store, 4, world.Rules)
	ingest(t, e, world, rng)
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	broken := world.Events[0].Route().Shard(4)
	meta := row.AppendShardLower(nil, row.SpaceMeta, broken)
	was, err := store.Get(nil, meta)
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(value []byte) {
		var batch storage.Batch
		batch.Set(meta, value)
		if err := store.Commit(&batch); err != nil {
			t.Fatal(err)
		}
	}
	spoil([]byte("no row"))
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Store: store, Deployment: row.Deployment{Shards: 4}, Rules: world.Rules, Memory: memory}
	if _, err := Open(ctx, config); !errors.Is(err, storage.ErrCorrupt) || errors.Is(err, ErrLost) {
		t.Errorf("open: %v, want what is corrupt", err)
	}
	config.Background = true
	if e, err = Open(ctx, config); err != nil {
		t.Fatal(err)
	}
	d := &Delivery{}
	for i := range world.Events {
		d.Add(&world.Events[i])
	}
	if err := e.submitAndWait(ctx, d); !errors.Is(err, ErrLost) || !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("submit: %v", err)
	}
	for i, outcome := range d.Outcomes {
		want := Duplicate
		if world.Events[i].Route().Shard(4) == broken {
			want = Elsewhere
		}
		if outcome != want {
			t.Errorf("outcome %d of event %d, want %d", outcome, i, want)
		}
	}
	if stats, err := e.Stats(ctx); err != nil || stats.Lost != 1 {
		t.Errorf("stats: %d lost, %v", stats.Lost, err)
	}
	if err := e.Settle(ctx); err != nil {
		t.Errorf("settle: %v", err)
	}
	if err := e.Err(); err != nil {
		t.Errorf("the engine stopped: %v", err)
	}
	if err := e.Close(ctx); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("close: %v", err)
	}
	spoil(was)
	e = openEngine(t, store, 4, world.Rules)
	want := oracle.Dump(oracle.Profiles(world.Events, world.Assertions, world.Rules))
	if got := dump(t, e); got != want {
		t.Errorf("%s", oracle.Diff(want, got))
	}
}
