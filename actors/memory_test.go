package actors

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// TestMemoryFollowsShards: what the open shards of a process may hold together is its memory, whichever shards it has.
func TestMemoryFollowsShards(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 39))
	const shards = 8
	f := newFleet(t, rng, oracle.RandomWorld(rng).Rules, 2, shards, false)
	defer f.close()
	check := func() {
		t.Helper()
		for i, e := range f.engines {
			var here []int64
			for id := range graph.ShardID(shards) {
				if !e.Has(id) {
					continue
				}
				if err := e.ask(ctx, id, func(s *shard.Shard) error { here = append(here, s.Limits().ActorBytes); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			for _, share := range here {
				if want := e.memory.actors / int64(len(here)); share != want {
					t.Errorf("engine %d has %d shards; one may take %d bytes, want %d", i, len(here), share, want)
				}
			}
		}
	}
	for id := range graph.ShardID(shards) {
		f.move(id, 0, true)
	}
	check()
	for range 12 {
		f.move(graph.ShardID(rng.IntN(shards)), rng.IntN(2), rng.IntN(2) == 0)
		check()
	}
}
