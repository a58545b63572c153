package peer

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// batch joins the events of one transaction before any of them reaches the store, so that the store does each thing once: it
// looks each identifier up once, and counts each person once.
type batch struct {
	seen   []uint64 // ascending, distinct
	events []batchEvent
	known  map[uint64]int // index into events

	keys   []graph.NodeKey // ascending; of the events that are new to the store
	groups []group         // connected identifiers
	group  []int           // by key
}

type batchEvent struct {
	time int64
	keys []graph.NodeKey
	line []byte // in the memory of the input
}

// group is the identifiers that the batch connects, with the events of the batch.
type group struct {
	events      int64
	first, last int64
}

func (b *batch) add(e *event) {
	if b.known == nil {
		b.known = map[uint64]int{}
	}
	if _, twice := b.known[e.seen]; twice {
		return
	}
	b.known[e.seen] = len(b.events)
	b.seen = append(b.seen, e.seen)
	b.events = append(b.events, batchEvent{e.time, slices.Clone(e.keys), e.line})
}

// sort makes transactions lock in one order.
func (b *batch) sort() { slices.Sort(b.seen) }

// connect makes the groups of the events that the store had not seen before.
func (b *batch) connect(fresh []uint64) {
	b.keys, b.groups = b.keys[:0], b.groups[:0]
	for _, seen := range fresh {
		b.keys = append(b.keys, b.events[b.known[seen]].keys...)
	}
	slices.SortFunc(b.keys, graph.NodeKey.Compare)
	b.keys = slices.Compact(b.keys)
	place := make(map[graph.NodeKey]int, len(b.keys))
	parent := make([]int, len(b.keys))
	for i, key := range b.keys {
		place[key], parent[i] = i, i
	}
	for _, seen := range fresh {
		keys := b.events[b.known[seen]].keys
		for _, key := range keys[1:] {
			parent[find(parent, place[key])] = find(parent, place[keys[0]])
		}
	}
	number := make(map[int]int, len(b.keys))
	b.group = b.group[:0]
	for i := range b.keys {
		root := find(parent, i)
		g, ok := number[root]
		if !ok {
			g = len(b.groups)
			number[root] = g
			b.groups = append(b.groups, group{})
		}
		b.group = append(b.group, g)
	}
	for _, seen := range fresh {
		e := &b.events[b.known[seen]]
		b.groups[b.group[place[e.keys[0]]]].count(1, e.time, e.time)
	}
}

func find(parent []int, i int) int {
	for parent[i] != i {
		parent[i] = parent[parent[i]]
		i = parent[i]
	}
	return i
}

// count adds events between two times.
func (g *group) count(events, first, last int64) {
	if events == 0 {
		return
	}
	if g.events == 0 {
		g.first, g.last = first, last
	}
	g.events += events
	g.first, g.last = min(g.first, first), max(g.last, last)
}

// joined is a person who takes what groups have in common, with the people who are merged into it.
type joined struct {
	person int64
	fresh  bool // the person is new
	losers []int64
	counts group
}

// join unites groups that meet in a person of the store. roots are the people whom each group has in the store, without
// those who were merged away; fresh is a new person of each group, 0 if it has made none.
func (b *batch) join(roots [][]int64, fresh []int64) (list []joined, of []int) {
	parent := make([]int, len(b.groups))
	at := map[int64]int{}
	for g := range b.groups {
		parent[g] = g
	}
	for g := range b.groups {
		for _, root := range roots[g] {
			if other, ok := at[root]; ok {
				parent[find(parent, g)] = find(parent, other)
			}
			at[root] = g
		}
	}
	place := map[int]int{}
	of = make([]int, len(b.groups))
	for g := range b.groups {
		top := find(parent, g)
		n, ok := place[top]
		if !ok {
			n = len(list)
			place[top] = n
			list = append(list, joined{})
		}
		of[g] = n
		j := &list[n]
		j.counts.count(b.groups[g].events, b.groups[g].first, b.groups[g].last)
		for _, root := range roots[g] {
			if !slices.Contains(j.losers, root) {
				j.losers = append(j.losers, root)
			}
		}
		if fresh[g] != 0 {
			j.losers = append(j.losers, fresh[g])
		}
	}
	for i := range list {
		j := &list[i]
		slices.Sort(j.losers)
		j.person, j.losers = j.losers[0], j.losers[1:] // the oldest person stays
		j.fresh = slices.Contains(fresh, j.person)
	}
	return list, of
}
