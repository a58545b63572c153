package actors

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

// ReadMany shows, each in its place, the components that Read shows: of roots, of what was merged into others on other
// shards, asked for twice, and nothing of what was never seen.
func TestReadMany(t *testing.T) {
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
			err := e.Read(t.Context(), key, func(v *View) error { want[i] = v.Component.Root(); return nil })
			if err != nil && !errors.Is(err, ErrUnknown) {
				t.Fatal(err)
			}
			if want[i] != key && !want[i].IsZero() {
				forwards++
			}
		}
		var mu sync.Mutex
		got, calls := make([]graph.NodeKey, len(keys)), 0
		if err := e.ReadMany(t.Context(), keys, func(i int, v *View) {
			mu.Lock()
			defer mu.Unlock()
			got[i] = v.Component.Root()
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
