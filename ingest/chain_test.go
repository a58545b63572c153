package ingest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

// receiver accepts events as a shard does: only the next of its chain.
type receiver struct{ position []int64 }

func (r *receiver) take(shard graph.ShardID, prev, number int64) bool {
	if prev != r.position[shard] || number <= prev {
		return false
	}
	r.position[shard] = number
	return true
}

// Any number of consumers read a partition at once, each from some offset at or below the first event not taken, and
// each stops at any moment. Every event is still taken once, in order.
func TestChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.IntRange(1, 4).Draw(t, "shards")
		routes := rapid.SliceOfN(rapid.IntRange(0, shards-1), 1, 60).Draw(t, "routes")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r := &receiver{make([]int64, shards)}
		for i := range r.position {
			r.position[i] = -1
		}
		var taken []int64
		type consumer struct {
			c    *Chain
			next int
		}
		floor := func() int {
			for i, s := range routes {
				if int64(i) > r.position[s] {
					return i
				}
			}
			return len(routes)
		}
		begin := func() *consumer {
			return &consumer{&Chain{last: slices.Clone(r.position)}, rng.IntN(floor() + 1)}
		}
		consumers := []*consumer{begin(), begin()}
		for steps := 0; floor() < len(routes); steps++ {
			if steps > 100_000 {
				t.Fatal("no end")
			}
			i := rng.IntN(len(consumers))
			c := consumers[i]
			if c.next == len(routes) || rng.IntN(20) == 0 {
				consumers[i] = begin()
				continue
			}
			shard, number := graph.ShardID(routes[c.next]), int64(c.next)
			c.next++
			prev, ok := c.c.link(shard, number)
			if !ok {
				continue
			}
			if r.take(shard, prev, number) {
				taken = append(taken, number)
			} else {
				consumers[i] = begin()
			}
		}
		slices.Sort(taken)
		for i, n := range taken {
			if n != int64(i) || len(taken) != len(routes) {
				t.Fatalf("taken %v of %d", taken, len(routes))
			}
		}
	})
}
