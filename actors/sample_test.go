package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

// sampled is who is in a share of all, by public id.
func sampled(t *testing.T, e *Engine, share float64) []string {
	t.Helper()
	var ids []string
	if err := e.Sample(context.Background(), share, func(c *graph.Component) error {
		for _, p := range c.Profiles(e.Rules(), false) {
			ids = append(ids, fmt.Sprint(p.ID))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// TestSampleIsOfTheEvents: a share draws the same identities whatever the shards, the order of events, restarts and what is in
// memory; a smaller one is part of a larger one, and 1 is all. Worlds with a generic value are left out: see Sample.
func TestSampleIsOfTheEvents(t *testing.T) {
	shares := []float64{0, 0.1, 0.5, 0.9, 1}
	for seed, worlds := uint64(0), 0; worlds < 10; seed++ {
		world := oracle.RandomWorld(rand.New(rand.NewPCG(seed, 7)))
		if anyGeneric(&world) {
			continue
		}
		worlds++
		var want [][]string
		for _, shards := range []int{1, 4, 64} {
			store := storage.NewMemStore()
			for round := range 2 { // the second after a restart, when nothing is in memory
				e := openEngine(t, store, shards, world.Rules)
				if round == 0 {
					ingest(t, e, world, rand.New(rand.NewPCG(seed, uint64(shards))))
				}
				var got [][]string
				for _, share := range shares {
					got = append(got, sampled(t, e, share))
				}
				if want == nil {
					want = got
				}
				for i, ids := range got {
					if !slices.Equal(ids, want[i]) {
						t.Errorf("seed %d, %d shards, round %d: a share of %v is %v, want %v", seed, shards, round, shares[i], ids, want[i])
					}
					for _, id := range ids {
						if i+1 < len(got) && !slices.Contains(got[i+1], id) {
							t.Errorf("seed %d: %s is in a share of %v and not in one of %v", seed, id, shares[i], shares[i+1])
						}
					}
				}
				if len(got[0]) != 0 {
					t.Errorf("seed %d: %d in a share of nothing", seed, len(got[0]))
				}
				if err := e.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if all := oracle.Profiles(world.Events, world.Assertions, world.Rules); len(want[len(want)-1]) != len(all) {
			t.Errorf("seed %d: %d in a share of 1, want %d", seed, len(want[len(want)-1]), len(all))
		}
	}
}

// anyGeneric reports whether a profile of the world has a generic value.
func anyGeneric(w *oracle.World) bool {
	for _, p := range oracle.AllProfiles(w.Events, w.Assertions, w.Rules) {
		if slices.ContainsFunc(p.Identifiers, func(id graph.ProfileIdentifier) bool { return id.Generic }) {
			return true
		}
	}
	return false
}

// TestDrawnIsFair: a share draws that many of every class, though the class is the highest part of a key.
func TestDrawnIsFair(t *testing.T) {
	const keys = 50_000
	rng := rand.New(rand.NewPCG(1, 7))
	for class := range uint64(1 << classBits) {
		for _, share := range []float64{0, 0.05, 0.25, 1} {
			n := 0
			for range keys {
				if drawn(graph.NodeKey{Hi: class<<(64-classBits) | rng.Uint64()>>classBits, Lo: rng.Uint64()}, share) {
					n++
				}
			}
			if got := float64(n) / keys; got < share-0.01 || got > share+0.01 {
				t.Errorf("a share of %v draws %v of class %d", share, got, class)
			}
		}
	}
}
