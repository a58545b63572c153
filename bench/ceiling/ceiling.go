// Package ceiling is the yardstick of the engine: a single-threaded resolver in memory over the same bytes.
//
//	line ──► segment.Decoder ──► seen? ──► nodes ──► union-find ──► fold
//	         the product's own    set      table     arrays         arrays
//
// It parses each line with the product's own decoder, which normalises and hashes the identifiers, drops duplicates,
// joins identifiers by union-find, and folds counts, times, traits and orders into the person. It applies no rules,
// keeps no event, answers no query and writes nothing, so its time is that of the work that no resolver can avoid.
//
// It is lean, so that it flatters nobody. Nodes are found in one table by open addressing, by keys of 128 bits; parents
// and people are arrays; traits are lists within an array. No map, no pointer and no string is in its state, so the
// garbage collector has nothing to follow, and in the steady state an event costs no allocation: only tables grow, by
// doubling.
package ceiling

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Resolver is the ceiling. It is not safe for concurrent use.
type Resolver struct {
	decoder *segment.Decoder
	event   graph.Event
	seen    hashSet
	nodes   nodeTable
	keys    []graph.NodeKey // by node
	parent  []int32         // by node; a root is its own parent
	people  []person        // by node
	traits  []trait
	text    []byte // values of traits
	orders  []order
	ordered int
	merges  int
}

// New returns an empty resolver.
func New(registry *identifier.Registry, options segment.Options) *Resolver {
	return &Resolver{decoder: segment.NewDecoder(registry, options)}
}

// resetEvery is how many events share the memory of the decoder.
const resetEvery = 1024

// Run ingests all lines of data and returns the number of events. It does not count lines without an identifier.
func (r *Resolver) Run(data []byte, received int64) (events int, err error) {
	for len(data) > 0 {
		line := data
		if end := bytes.IndexByte(data, '\n'); end >= 0 {
			line, data = data[:end], data[end+1:]
		} else {
			data = nil
		}
		if len(line) == 0 {
			continue
		}
		if events%resetEvery == 0 {
			r.decoder.Reset()
		}
		if err := r.decoder.Event(line, received, nil, &r.event); err != nil {
			var rejection *segment.Rejection
			if errors.As(err, &rejection) && rejection.Code == segment.CodeNoIdentifier {
				continue
			}
			return events, fmt.Errorf("event %d: %w", events, err)
		}
		events++
		r.Take(&r.event)
	}
	return events, nil
}

// Take takes one decoded event, and keeps nothing that it points to.
func (r *Resolver) Take(e *graph.Event) {
	if !r.seen.add(e.Seen) {
		return
	}
	root := r.find(r.node(e.Identifiers[0].Key))
	for i := range e.Identifiers[1:] {
		root = r.unite(root, r.find(r.node(e.Identifiers[1+i].Key)))
	}
	r.fold(root, e)
}

// People returns the number of people with an event.
func (r *Resolver) People() (n int) {
	for i := range r.parent {
		if r.parent[i] == int32(i) && r.people[i].events > 0 {
			n++
		}
	}
	return n
}

// Identifiers returns the number of distinct identifiers.
func (r *Resolver) Identifiers() int { return len(r.keys) }

// Merges returns how many times two people, both with events, became one.
func (r *Resolver) Merges() int { return r.merges }

// Distinct returns the number of events without duplicates.
func (r *Resolver) Distinct() int {
	if r.seen.zero {
		return r.seen.used + 1
	}
	return r.seen.used
}

// Outcome returns the people.
func (r *Resolver) Outcome() *outcome.Outcome {
	members := make([][]graph.NodeKey, len(r.keys))
	for i, key := range r.keys {
		root := r.find(int32(i))
		members[root] = append(members[root], key)
	}
	o := &outcome.Outcome{}
	for root, keys := range members {
		if len(keys) > 0 {
			o.Add(keys, uint64(r.people[root].events))
		}
	}
	return o
}

// node returns the number of an identifier.
func (r *Resolver) node(key graph.NodeKey) int32 {
	r.nodes.reserve()
	slot := r.nodes.slot(key)
	if slot.number != 0 {
		return slot.number - 1
	}
	i := int32(len(r.parent))
	slot.key, slot.number = key, i+1
	r.nodes.used++
	r.keys = append(r.keys, key)
	r.parent = append(r.parent, i)
	r.people = append(r.people, person{})
	return i
}

// find returns the root of a node. Each step makes a node skip its parent (path halving), so that paths stay short
// without a second pass over them.
func (r *Resolver) find(i int32) int32 {
	for r.parent[i] != i {
		r.parent[i] = r.parent[r.parent[i]]
		i = r.parent[i]
	}
	return i
}

// unite joins two roots and returns the one that is left: that with more events.
func (r *Resolver) unite(a, b int32) int32 {
	if a == b {
		return a
	}
	if r.people[a].events < r.people[b].events {
		a, b = b, a
	}
	if r.people[b].events > 0 {
		r.merges++
	}
	r.parent[b] = a
	r.merge(a, b)
	return a
}

// concentration returns the events of the person with the most, and the share of the hundredth of people with the most.
func (r *Resolver) concentration() (largest int, share float64) {
	var events []uint32
	for i := range r.parent {
		if r.parent[i] == int32(i) && r.people[i].events > 0 {
			events = append(events, r.people[i].events)
		}
	}
	if len(events) == 0 {
		return 0, 0
	}
	slices.SortFunc(events, func(a, b uint32) int { return cmp.Compare(b, a) })
	hot := 0
	for _, n := range events[:max(1, len(events)/100)] {
		hot += int(n)
	}
	return int(events[0]), float64(hot) / float64(r.Distinct())
}
