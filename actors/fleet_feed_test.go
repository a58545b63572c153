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

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/egress/replica"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// follower reads the feed of a fleet, now at one engine and then at another one, and checks that what it reads hangs together.
type follower struct {
	t       *testing.T
	fleet   *fleet
	cursor  string
	reader  *feed.Reader
	replica replica.Replica
	numbers map[graph.ShardID]uint64
	orders  map[graph.NodeKey]uint64
	read    atomic.Int64
	engines int // that it has read at, one after the other
}

// next reads what there is: at an engine of its choice now and then.
func (f *follower) next(ctx context.Context, rng *rand.Rand) (int, error) {
	if f.reader == nil || rng.IntN(4) == 0 {
		r, err := f.fleet.any().Feed().Reader(ctx, f.cursor)
		if err != nil {
			return 0, err
		}
		f.reader = r
		f.engines++
	}
	events, err := f.reader.TryNext(ctx)
	if err != nil {
		return 0, err
	}
	for i := range events {
		e := &events[i]
		if f.numbers[e.Shard]++; e.Number != f.numbers[e.Shard] {
			f.t.Errorf("entry %d of shard %d comes in the place of %d", e.Number, e.Shard, f.numbers[e.Shard])
		}
		if err := f.replica.Check(&e.FeedEntry); err != nil {
			f.t.Errorf("entry %d of shard %d, order %d: %v", e.Number, e.Shard, e.Order, err)
		}
		if e.Kind != graph.FeedGeneric {
			if last := f.orders[e.ID]; e.Order < last {
				f.t.Errorf("entry %d of shard %d: order %d of an identity comes after %d", e.Number, e.Shard, e.Order, last)
			}
			f.orders[e.ID] = e.Order
		}
		f.replica.Apply(&e.FeedEntry)
	}
	f.cursor = f.reader.Cursor()
	f.read.Add(int64(len(events)))
	return len(events), nil
}

// TestFleetFeed: a reader follows the feed of several engines, at one after the other, while shards move between them and what an
// engine writes is void now and then. It gets each entry of a shard once and in its turn, nothing before what brought it about, and in
// the end it knows the identities that an export has.
func TestFleetFeed(t *testing.T) {
	entries, behind := int64(0), 0
	for _, seed := range seeds(t, 8, 3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: KINDRED_SEED=%d go test ./actors -run TestFleetFeed", seed)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			rng := rand.New(rand.NewPCG(seed, 61))
			world := oracle.RandomWorld(rng)
			fleet, _ := definingFleet(t, rng, world.Rules, 2+rng.IntN(2), []int{4, 8}[rng.IntN(2)])
			defer fleet.close()
			_, still := fleet.moving(rand.New(rand.NewPCG(seed, 62)))
			f := &follower{t: t, fleet: fleet, cursor: feed.Start, numbers: map[graph.ShardID]uint64{}, orders: map[graph.NodeKey]uint64{}}
			var following sync.WaitGroup
			var over atomic.Bool
			following.Go(func() {
				rng := rand.New(rand.NewPCG(seed, 63))
				for !over.Load() {
					if _, err := f.next(ctx, rng); err != nil && !errors.Is(err, ErrLost) && !errors.Is(err, feed.ErrWaits) {
						t.Error(err)
						return
					}
				}
			})
			for i := range world.Events {
				insist(t, fleet.any(), world.Events[i:i+1])
			}
			for _, a := range world.Assertions {
				if err := fleet.any().Assert(ctx, a); err != nil {
					t.Error(err)
				}
			}
			still()
			behind += int(f.read.Load())
			over.Store(true)
			following.Wait()
			fleet.calm()
			for _, e := range fleet.engines {
				if err := e.Settle(ctx); err != nil {
					t.Fatal(err)
				}
			}
			for n := 1; n > 0; {
				var err error
				if n, err = f.next(ctx, rng); err != nil {
					t.Fatal(err)
				}
			}
			want := exported(t, fleet.any())
			if got := oracle.Dump(f.replica.Profiles()); got != want {
				t.Errorf("a reader of %d entries, at %d engines in turn:\n%s", f.read.Load(), f.engines, oracle.Diff(want, got))
			}
			entries += f.read.Load()
		})
	}
	t.Logf("%d entries, %d of them while shards moved", entries, behind)
	if entries == 0 {
		t.Error("nothing was told: this proves nothing")
	}
}
