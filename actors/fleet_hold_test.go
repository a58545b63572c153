package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/audit"
	"github.com/kindred-id/kindred/actors/hold"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// TestFleetHold: while events come in at several engines and shards move, each hold gives the deployment at one moment, or fails. The
// rows of that moment are those of a deployment in which nothing is under way: it has all that was answered before, and the people of all
// events once they are sent again.
func TestFleetHold(t *testing.T) {
	for _, seed := range seeds(t, 2, 1) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: KINDRED_SEED=%d go test ./actors -run TestFleetHold", seed)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			rng := rand.New(rand.NewPCG(seed, 48))
			world := oracle.RandomWorld(rng)
			world.Assertions = nil
			const shards = 6
			f := newFleet(t, rng, world.Rules, 3, shards, true)
			defer f.close()

			answered := &atomic.Int64{} // events that came in the first round
			over := make(chan struct{})
			var sending sync.WaitGroup
			sending.Go(func() {
				for i := range world.Events {
					insist(t, f.any(), world.Events[i:i+1])
					answered.Store(int64(i + 1))
				}
				for i := 0; ; i++ {
					select {
					case <-over:
						return
					default:
						insist(t, f.any(), world.Events[i%len(world.Events):][:1])
					}
				}
			})
			moves, stop := f.moving(rand.New(rand.NewPCG(seed, 49)))
			for range 10 {
				f.heldMoment(ctx, &world, answered)
			}
			stop()
			for !f.heldMoment(ctx, &world, answered) && ctx.Err() == nil {
			}
			close(over)
			sending.Wait()
			if ctx.Err() != nil {
				t.Fatalf("no hold succeeds, after %d moves", moves.Load())
			}
			f.calm()
			f.settle(ctx)
			if got, want := dump(t, f.engines[0]), oracle.Dump(oracle.Profiles(world.Events, nil, world.Rules)); got != want {
				t.Fatalf("after holds:\n%s", oracle.Diff(want, got))
			}
		})
	}
}

// heldMoment tries a hold, and checks the rows of its moment. It reports whether there was one.
func (f *fleet) heldMoment(ctx context.Context, world *oracle.World, answered *atomic.Int64) bool {
	f.t.Helper()
	before := answered.Load()
	store := storage.NewMemStore()
	_, err := f.any().Hold(ctx, func(context.Context) error {
		for id := range f.owner {
			for i, e := range f.engines {
				if !e.Has(graph.ShardID(id)) {
					continue
				}
				if err := copyShard(store, f.stores[i], graph.ShardID(id)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		if !errors.Is(err, hold.ErrLost) && !errors.Is(err, ErrHeld) && !errors.Is(err, hold.ErrUnderWay) && !errors.Is(err, errNoRoad) && !errors.Is(err, ErrLost) && ctx.Err() == nil {
			f.t.Errorf("a hold fails: %v", err)
		}
		return false
	}
	f.checkMoment(ctx, store, world, before)
	return true
}

// checkMoment checks rows of all shards in which nothing is under way.
func (f *fleet) checkMoment(ctx context.Context, store *storage.MemStore, world *oracle.World, before int64) {
	f.t.Helper()
	of := row.Deployment{Shards: len(f.owner)}
	whole := storage.NewMemStore()
	if _, err := row.Initialise(whole, of); err != nil {
		f.t.Fatal(err)
	}
	for id := range f.owner {
		if err := copyShard(whole, store, graph.ShardID(id)); err != nil {
			f.t.Fatal(err)
		}
	}
	report, err := audit.Verify(ctx, whole, nil)
	if err != nil || !report.OK() {
		f.t.Fatalf("verify of a held moment: %+v, %v", report, err)
	}
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		f.t.Fatal(err)
	}
	e, err := Open(ctx, Config{Store: whole, Deployment: of, Rules: f.rules, Memory: memory})
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := e.Close(context.Background()); err != nil {
			f.t.Error(err)
		}
	}()
	stats, err := e.Stats(ctx)
	distinct := map[uint64]bool{} // duplicates are counted in memory alone
	for i := range world.Events[:before] {
		distinct[world.Events[i].Seen] = true
	}
	if err != nil || stats.Accepted < uint64(len(distinct)) {
		f.t.Errorf("%d events are in a held moment, and %d were answered before (%v)", stats.Accepted, len(distinct), err)
	}
	for i := range world.Events {
		insist(f.t, e, world.Events[i:i+1])
	}
	if err := e.Settle(ctx); err != nil {
		f.t.Fatal(err)
	}
	if got, want := dump(f.t, e), oracle.Dump(oracle.Profiles(world.Events, nil, world.Rules)); got != want {
		f.t.Fatalf("all events sent again to a held moment:\n%s", oracle.Diff(want, got))
	}
}
