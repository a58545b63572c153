package actors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// fleetCatalog orders the changes of rows of no shard over a fleet. A change is at once where it was made, and late everywhere else.
type fleetCatalog struct {
	mu      sync.Mutex // guards the following
	head    *storage.MemStore
	log     []*storage.Batch
	applied []int // by engine
}

// fleetLog is the catalog of one engine.
type fleetLog struct {
	*fleetCatalog
	fleet *fleet
	of    int
}

func (l fleetLog) Commit(ctx context.Context, b *storage.Batch, was catalog.Rows) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := catalog.Local(l.head).Commit(ctx, b, was)
	if err == nil {
		l.log = append(l.log, b)
	}
	if err == nil || errors.Is(err, catalog.ErrConflict) {
		err = errors.Join(err, l.apply(len(l.log)))
	}
	return err
}

// apply brings changes to the engine. REQUIRES: l.mu held
func (l fleetLog) apply(upto int) error {
	for ; l.applied[l.of] < upto; l.applied[l.of]++ {
		if err := l.fleet.stores[l.of].Commit(l.log[l.applied[l.of]]); err != nil {
			return err
		}
	}
	return nil
}

// carry brings the next change to the engine, if there is one.
func (l fleetLog) carry(e *Engine) error {
	l.mu.Lock()
	err := l.apply(min(l.applied[l.of]+1, len(l.log)))
	l.mu.Unlock()
	return errors.Join(err, e.ReadDefinitions())
}

// definingFleet is a fleet with a catalog.
func definingFleet(t *testing.T, rng *rand.Rand, rules *graph.Rules, engines, shards int) (*fleet, []fleetLog) {
	t.Helper()
	shared := &fleetCatalog{head: storage.NewMemStore(), applied: make([]int, engines)}
	logs := make([]fleetLog, engines)
	return newFleetOf(t, rng, rules, engines, shards, true, func(f *fleet, i int, c *Config) {
		logs[i] = fleetLog{shared, f, i}
		c.CatalogLog, c.Feed = logs[i], feed.Settings{On: true}
	}), logs
}

// together is one engine on the rows of all shards of a fleet, each as the engine has them that has the shard.
func (f *fleet) together(head storage.Store) *Engine {
	f.t.Helper()
	store := storage.NewMemStore()
	for id, owner := range f.owner {
		if err := f.engines[owner].Flush(context.Background()); err != nil && !errors.Is(err, ErrLost) {
			f.t.Fatal(err)
		}
		if err := copyShard(store, f.stores[owner], graph.ShardID(id)); err != nil {
			f.t.Fatal(err)
		}
	}
	var b storage.Batch
	if err := head.Iterate(nil, []byte{0xff}, func(key, value []byte) error { b.Set(key, value); return nil }); err != nil {
		f.t.Fatal(err)
	}
	if err := store.Commit(&b); err != nil {
		f.t.Fatal(err)
	}
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		f.t.Fatal(err)
	}
	e, err := Open(context.Background(), Config{
		Store: store, Deployment: row.Deployment{Shards: len(f.owner)}, Rules: f.rules, Memory: memory, Feed: feed.Settings{On: true},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			f.t.Error(err)
		}
	})
	return e
}

// listed are the members of all audiences that serve at an engine, as it lists and counts them.
func listed(t *testing.T, e *Engine) string {
	t.Helper()
	ctx := context.Background()
	counts, err := e.MemberCounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range e.Audiences().Definitions.Newest {
		var members int64
		for place, more := (MemberPlace{}), true; more; {
			var list []Member
			if list, place, more, err = e.Members(ctx, a.Number, place, 3); err != nil {
				t.Fatal(err)
			}
			for _, m := range list {
				lines = append(lines, a.Key+" "+m.ID.String())
			}
			members += int64(len(list))
		}
		if counts[a.Number] != members {
			t.Errorf("audience %s counts %d members and lists %d", a.Key, counts[a.Number], members)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// replayed are the members of audiences as a reader of the feed of an engine has them in the end. Nobody enters an audience twice, or
// leaves one without being in it.
func replayed(t *testing.T, e *Engine) string {
	t.Helper()
	in := map[graph.NodeKey]map[string]bool{}
	var trail []string
	for _, e := range readAll(t, reader(t, e, feed.Start)) {
		trail = append(trail, fmt.Sprintf("%d/%d order %d: %s %s %v %s %s", e.Shard, e.Number, e.Order, e.Kind, e.ID, e.Others, e.Audience, e.Why))
		if in[e.ID] == nil {
			in[e.ID] = map[string]bool{}
		}
		switch e.Kind {
		case graph.FeedMerged:
			for _, id := range e.Others {
				maps.Copy(in[e.ID], in[id])
				delete(in, id)
			}
		case graph.FeedSplit:
			if !slices.Contains(e.Others, e.ID) {
				delete(in, e.ID)
			}
		case graph.FeedEntered, graph.FeedExited:
			if in[e.ID][e.Audience] == (e.Kind == graph.FeedEntered) {
				t.Errorf("%s: it was so already", trail[len(trail)-1])
			}
			if in[e.ID][e.Audience] = true; e.Kind == graph.FeedExited {
				delete(in[e.ID], e.Audience)
			}
		}
	}
	if t.Failed() {
		t.Logf("the whole feed:\n%s", strings.Join(trail, "\n"))
	}
	var lines []string
	for id, keys := range in {
		for key := range keys {
			lines = append(lines, key+" "+id.String())
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// fleetAudiences are conditions that many people of a world meet.
func fleetAudiences(t *testing.T) (list []audience.Definition) {
	t.Helper()
	for _, a := range [][2]string{
		{"seen", `{"any":[{"signal":{"type":"track"},"count":{"at_least":1}},{"signal":{"type":"page"},"count":{"at_least":1}}]}`},
		{"known", `{"signal":{"type":"identify"},"count":{"at_least":1}}`},
		{"quiet", `{"signal":{"type":"page"},"count":{"at_most":1}}`},
		{"unknown", `{"not":{"signal":{"type":"identify"},"count":{"at_least":1}}}`},
		{"guests", `{"not":{"audience":"known"}}`},
		{"both", `{"all":[{"audience":"known"},{"audience":"quiet"}]}`},
		{"either", `{"any":[{"audience":"seen"},{"audience":"known"}]}`},
	} {
		where, err := audience.Parse([]byte(a[1]))
		if err != nil {
			t.Fatalf("%s: %v", a[0], err)
		}
		list = append(list, audience.Definition{Key: a[0], Where: where})
	}
	return list
}

// TestFleetAudiences: audiences are defined, changed and deleted at any of several engines, which hear of it late, while shards
// move between them. In the end every engine lists those whom one engine lists that had it all from the beginning.
func TestFleetAudiences(t *testing.T) {
	members, behind := 0, int64(0)
	for _, seed := range seeds(t, 8, 3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: KINDRED_SEED=%d go test ./actors -run TestFleetAudiences", seed)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			rng := rand.New(rand.NewPCG(seed, 51))
			world := oracle.RandomWorld(rng)
			withProperties(world.Events)
			shards := []int{4, 8}[rng.IntN(2)]
			f, logs := definingFleet(t, rng, world.Rules, 2+rng.IntN(2), shards)
			defer f.close()

			var over, settled, slow atomic.Bool
			var moving, carrying sync.WaitGroup
			defer carrying.Wait()
			defer moving.Wait()
			defer over.Store(true)
			defer settled.Store(true)
			slow.Store(true)
			mover, carrier := rand.New(rand.NewPCG(seed, 52)), rand.New(rand.NewPCG(seed, 53))
			moving.Go(func() {
				for !settled.Load() {
					time.Sleep(time.Duration(mover.IntN(2000)) * time.Microsecond)
					if slow.Load() { // all have to be found in place twice
						time.Sleep(time.Duration(mover.IntN(50)) * time.Millisecond)
					}
					f.move(graph.ShardID(mover.IntN(shards)), mover.IntN(len(f.engines)), mover.IntN(2) == 0)
				}
			})
			carrying.Go(func() {
				for !over.Load() {
					most := 20_000
					if slow.Load() {
						most = 1_000
					}
					time.Sleep(time.Duration(carrier.IntN(most)) * time.Microsecond)
					i := carrier.IntN(len(logs))
					if err := logs[i].carry(f.engines[i]); err != nil {
						t.Error(err)
					}
				}
			})
			list := fleetAudiences(t)
			first := defineAll(t, f.engines[0], list).Version
			await := func(version uint64) {
				t.Helper()
				for _, e := range f.engines {
					for e.Audiences() == nil || e.Audiences().Told < version {
						if ctx.Err() != nil {
							t.Fatalf("after two minutes the definitions are at %+v", e.Audiences().Definitions)
						}
						time.Sleep(time.Millisecond)
					}
				}
			}
			if rng.IntN(2) == 0 {
				await(first) // then versions without new signals serve at once
			}
			slow.Store(false)
			for i := range world.Events {
				if rng.IntN(4) == 0 {
					some := slices.Clone(list[:3])
					for _, a := range list[3:] {
						if rng.IntN(2) == 0 {
							some = append(some, a)
						}
					}
					if rng.IntN(8) == 0 {
						some = some[rng.IntN(3):3]
					}
					e := f.engines[0] // so that the others lag
					if rng.IntN(4) == 0 {
						e = f.any()
					}
					_, err := e.Define(ctx, func(now *audiences.State) (*audiences.State, error) { return now.Next(some) })
					if err != nil && !errors.Is(err, audiences.ErrWaiting) {
						t.Fatal(err)
					}
				}
				insist(t, f.any(), world.Events[i:i+1])
			}
			for _, a := range world.Assertions {
				if err := f.any().Assert(ctx, a); err != nil {
					t.Fatal(err)
				}
			}
			slow.Store(true)
			await(defineAll(t, f.any(), list).Version)
			settled.Store(true)
			moving.Wait()
			f.calm()
			for _, e := range f.engines {
				if err := e.Settle(ctx); err != nil {
					t.Fatal(err)
				}
			}
			for _, log := range logs {
				log.mu.Lock()
				err := log.apply(len(log.log))
				log.mu.Unlock()
				if err = errors.Join(err, f.engines[log.of].ReadDefinitions()); err != nil {
					t.Fatal(err)
				}
			}

			one := openEngine(t, storage.NewMemStore(), shards, world.Rules)
			defineAll(t, one, list)
			ingest(t, one, world, rng)
			awaitFilled(t, one)
			if err := one.Settle(ctx); err != nil {
				t.Fatal(err)
			}
			want := listed(t, one)
			for i, e := range f.engines {
				if got := listed(t, e); got != want {
					t.Fatalf("engine %d of %d lists\n%s\nwant\n%s", i, len(f.engines), got, want)
				}
			}
			together := f.together(logs[0].head)
			if got := listed(t, together); got != want {
				t.Errorf("all shards together list\n%s\nwant\n%s", got, want)
			}
			if got := replayed(t, together); got != want {
				t.Errorf("a replay of the feed ends with\n%s\nwant\n%s", got, want)
			}
			members += len(strings.Fields(want)) / 2
			behind += f.behind.Load()
		})
	}
	t.Logf("%d memberships, %d shards waited for definitions", members, behind)
	if members == 0 {
		t.Error("nobody is in any audience: this proves nothing")
	}
}
