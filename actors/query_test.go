package actors

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

// TestViewMany: it shows, each in its place, the components that View shows: of roots, of what was merged into others on other
// shards, asked for twice, and nothing of what was never seen.
func TestViewMany(t *testing.T) {
	forwards := 0
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 17))
		world := oracle.RandomWorld(rng)
		e := openEngine(t, storage.NewMemStore(), []int{1, 4, 64}[seed%3], world.Rules)
		ingest(t, e, world, rng)
		keys := []graph.NodeKey{oracle.Key("user_id", "never seen")}
		for i := range world.Events {
			for _, id := range world.Events[i].Identifiers {
				keys = append(keys, id.Key)
			}
		}
		want := make([]graph.NodeKey, len(keys))
		for i, key := range keys {
			if _, err := e.View(t.Context(), key, func(c *graph.Component) { want[i] = c.Root() }); err != nil {
				t.Fatal(err)
			}
			if want[i] != key && !want[i].IsZero() {
				forwards++
			}
		}
		var mu sync.Mutex
		got, calls := make([]graph.NodeKey, len(keys)), 0
		if err := e.ViewMany(t.Context(), keys, func(i int, c *graph.Component) {
			mu.Lock()
			defer mu.Unlock()
			got[i] = c.Root()
			calls++
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) || calls != len(keys)-1 {
			t.Fatalf("seed %d: %d calls for %d nodes\n got %v\nwant %v", seed, calls, len(keys)-1, got, want)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if forwards == 0 {
		t.Error("no node led elsewhere")
	}
}
