package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// fickleJournal takes most batches, late, and refuses the others.
type fickleJournal struct {
	mu      sync.Mutex // guards the following
	rng     *rand.Rand
	refused int
	lost    chan graph.ShardID
	done    sync.WaitGroup
}

func (j *fickleJournal) Commit(id graph.ShardID, _ *storage.Batch, done func(error)) {
	j.done.Go(func() {
		j.mu.Lock()
		refuse := j.rng.IntN(5) == 0
		if refuse {
			j.refused++
		}
		j.mu.Unlock()
		if !refuse {
			done(nil)
			return
		}
		done(errors.New("fenced"))
		j.lost <- id
	})
}

// TestJournalDecides: what the journal refuses did not happen, and is taken when it is sent again.
func TestJournalDecides(t *testing.T) {
	ctx := context.Background()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for seed := range uint64(6) {
		world := oracle.RandomWorld(rand.New(rand.NewPCG(seed, 33)))
		store := storage.NewMemStore()
		j := &fickleJournal{rng: rand.New(rand.NewPCG(seed, 34)), lost: make(chan graph.ShardID, 1<<16)}
		config := Config{Store: store, Deployment: row.Deployment{Shards: 4}, Rules: world.Rules, Memory: memory, Journal: j}
		e, err := Open(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		var taking sync.WaitGroup
		taking.Go(func() {
			for {
				select {
				case id := <-j.lost:
					if err := e.Take(id); err != nil {
						t.Errorf("take: %v", err)
					}
				case <-over:
					return
				}
			}
		})
		for i := range world.Events {
			insist(t, e, world.Events[i:i+1])
		}
		close(over)
		taking.Wait()
		e.shutdown() // as if the process died
		j.done.Wait()
		refused += j.refused
		config.Journal = nil
		if e, err = Open(ctx, config); err != nil {
			t.Fatal(err)
		}
		for _, a := range world.Assertions {
			if err := e.Assert(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		want := oracle.Dump(oracle.Profiles(world.Events, world.Assertions, world.Rules))
		if got := dump(t, e); got != want {
			t.Fatalf("seed %d, %d batches refused:\n%s", seed, j.refused, oracle.Diff(want, got))
		}
		if err := e.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if refused == 0 {
		t.Error("the journal refused nothing")
	}
}

// wire is a Network to one other process.
type wire struct{ to **Engine }

func (w wire) Post(p shard.Post) { (*w.to).Receive(p) }

// TestTwoProcesses: two engines on stores of their own, each with half of the shards, make the same people as one.
func TestTwoProcesses(t *testing.T) {
	ctx := context.Background()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(6) {
		world := oracle.RandomWorld(rand.New(rand.NewPCG(seed, 35)))
		var engines [2]*Engine
		var stores [2]*storage.MemStore
		for i, shards := range [][]graph.ShardID{{0, 2}, {1, 3}} {
			stores[i] = storage.NewMemStore()
			engines[i], err = Open(ctx, Config{
				Store: stores[i], Deployment: row.Deployment{Shards: 4}, Rules: world.Rules, Memory: memory,
				Shards: shards, Network: wire{&engines[1-i]}, Background: true,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		at := func(key graph.NodeKey) *Engine { return engines[key.Shard(4)%2] }
		for i := range world.Events {
			insist(t, at(world.Events[i].Route()), world.Events[i:i+1])
		}
		for _, a := range world.Assertions {
			if err := at(a.A.Key).Assert(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 { // a hop each way, and one more
			for _, e := range engines {
				if err := e.Visible(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		for rested := 0; rested < 3; rested++ { // engines are asked one after the other, and a message may pass in between
			waiting := 0
			for _, e := range engines {
				stats, err := e.Stats(ctx)
				if err != nil {
					t.Fatal(err)
				}
				waiting += stats.Waiting
			}
			if waiting > 0 {
				rested = -1
			}
		}
		var profiles []graph.Profile
		dec := row.NewDecoder()
		for i, e := range engines {
			if err := e.Flush(ctx); !errors.Is(err, ErrLost) {
				t.Fatalf("flush: %v, want that half of the shards are not here", err)
			}
			if err := row.ScanAllNodes(stores[i], func(key graph.NodeKey, value []byte) error {
				if engines[key.Shard(4)%2] != e {
					t.Errorf("node %s has a row with the other process", key)
				}
				n, _, err := dec.Node(key, slices.Clone(value))
				if err == nil && n.Component != nil {
					profiles = append(profiles, n.Component.Profiles(world.Rules, false)...)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(profiles, func(a, b graph.Profile) int { return a.ID.Compare(b.ID) })
		if want, got := oracle.Dump(oracle.Profiles(world.Events, world.Assertions, world.Rules)), oracle.Dump(profiles); got != want {
			t.Fatalf("seed %d:\n%s", seed, oracle.Diff(want, got))
		}
		for _, e := range engines {
			if err := e.Close(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}
