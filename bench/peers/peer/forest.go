package peer

import (
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/graph"
)

// forest is what a store of a peer holds, read back: identifiers with the person each was put to, and people with the person
// each was merged into.
type forest struct {
	keys   []graph.NodeKey
	of     []int64         // by key
	into   map[int64]int64 // people that were merged away
	events map[int64]uint64
}

func newForest() *forest { return &forest{into: map[int64]int64{}, events: map[int64]uint64{}} }

func (f *forest) identifier(key graph.NodeKey, person int64) {
	f.keys, f.of = append(f.keys, key), append(f.of, person)
}

func (f *forest) root(person int64) int64 {
	for {
		into, merged := f.into[person]
		if !merged {
			return person
		}
		person = into
	}
}

func (f *forest) outcome() *outcome.Outcome {
	members := map[int64][]graph.NodeKey{}
	for i, key := range f.keys {
		root := f.root(f.of[i])
		members[root] = append(members[root], key)
	}
	o := &outcome.Outcome{}
	for root, keys := range members {
		o.Add(keys, f.events[root])
	}
	return o
}
