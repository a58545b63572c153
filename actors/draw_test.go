package actors

import (
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// Over many seeds everybody is drawn about equally often, whatever their ids have in common.
func TestDrawsAreFair(t *testing.T) {
	const people, drawn, seeds = 40, 10, 4000
	counts := map[graph.NodeKey]int{}
	for seed := range uint64(seeds) {
		var lowest lots
		for i := range uint64(people) {
			id := graph.NodeKey{Hi: 1 << 61, Lo: i}
			lowest.add(lot{lotOf(id, seed), id}, drawn)
		}
		if len(lowest) != drawn {
			t.Fatalf("drew %d", len(lowest))
		}
		for _, l := range lowest {
			counts[l.id]++
		}
	}
	const mean = seeds * drawn / people // of a binomial with a deviation of 27
	for id, n := range counts {
		if n < mean-150 || n > mean+150 {
			t.Errorf("%s was drawn %d times, want about %d", id, n, mean)
		}
	}
	if len(counts) != people {
		t.Errorf("%d people were ever drawn", len(counts))
	}
}
