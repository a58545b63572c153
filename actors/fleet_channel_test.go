package actors

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// TestFleetConsumers: consumers at several engines read one channel at once, while shards move and what engines say to each other is lost
// or repeated. Each event is taken once, none as a duplicate, and the people are those of the events.
func TestFleetConsumers(t *testing.T) {
	for _, seed := range seeds(t, 6, 2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: KINDRED_SEED=%d go test ./actors -run TestFleetConsumers", seed)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			rng := rand.New(rand.NewPCG(seed, 46))
			world := oracle.RandomWorld(rng)
			world.Assertions = nil
			log := slices.CompactFunc(slices.SortedFunc(slices.Values(world.Events), func(a, b graph.Event) int { return cmp.Compare(a.Seen, b.Seen) }),
				func(a, b graph.Event) bool { return a.Seen == b.Seen })
			const engines, shards = 3, 6
			f := newFleet(t, rng, world.Rules, engines, shards, true)
			defer f.close()

			moves, stop := f.moving(rand.New(rand.NewPCG(seed, 47)))
			var consuming sync.WaitGroup
			for i, e := range f.engines {
				ch, err := e.ExternalChannels().Open(ctx, "events/0/1") // each gives it the first id
				if err != nil {
					t.Fatal(err)
				}
				consuming.Go(func() {
					c := &channelConsumer{engine: e, ch: ch, log: slices.Clone(log)}
					mine := rand.New(rand.NewPCG(seed, uint64(i)))
					for round := 0; round < 3 || moves.Load() < 12 && ctx.Err() == nil; round++ { // it also begins again, from what others know
						err := c.run(ctx, mine)
						for err != nil && ctx.Err() == nil {
							err = c.run(ctx, mine)
						}
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			consuming.Wait()
			stop()
			f.calm()
			f.settle(ctx)
			if got, want := dump(t, f.engines[0]), oracle.Dump(oracle.Profiles(log, nil, world.Rules)); got != want {
				t.Fatalf("after %d moves:\n%s", moves.Load(), oracle.Diff(want, got))
			}
			stats, err := f.engines[1].Stats(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if stats.Accepted != uint64(len(log)) || stats.Duplicates != 0 {
				t.Errorf("%d events accepted and %d duplicates, of %d", stats.Accepted, stats.Duplicates, len(log))
			}
		})
	}
}
