package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

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

// Fresh implements Journal.
func (j *fickleJournal) Fresh(graph.ShardID) bool { return true }

// Confirm implements Journal.
func (j *fickleJournal) Confirm(context.Context, graph.ShardID) error { return nil }

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
