// Package outcome compares what resolvers made of the same events: which identifiers are one person, and how many
// events each person has. A time counts only after its outcome proved equal to that of the engine.
package outcome

import (
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// Outcome is the people of one resolver. Add every person once, then compare with Differ.
type Outcome struct {
	people []person
	keys   []graph.NodeKey // of all people, one after the other
	sorted bool
}

type person struct {
	first    graph.NodeKey // the smallest key
	from, to int           // in keys
	events   uint64
}

// Add adds a person. People without an event are left out: some resolvers know an identifier before its first event.
func (o *Outcome) Add(keys []graph.NodeKey, events uint64) {
	if events == 0 || len(keys) == 0 {
		return
	}
	p := person{from: len(o.keys), to: len(o.keys) + len(keys), events: events}
	o.keys = append(o.keys, keys...)
	own := o.keys[p.from:p.to]
	slices.SortFunc(own, graph.NodeKey.Compare)
	p.first = own[0]
	o.people = append(o.people, p)
	o.sorted = false
}

// People is the number of people.
func (o *Outcome) People() int { return len(o.people) }

// Identifiers is the number of identifiers of all people.
func (o *Outcome) Identifiers() int { return len(o.keys) }

// Events is the number of events of all people.
func (o *Outcome) Events() (n uint64) {
	for i := range o.people {
		n += o.people[i].events
	}
	return n
}

// Differ returns nil if two outcomes are equal: the same partition of the same identifiers, and the same number of events
// for each person. Otherwise the error describes the first difference, without identifiers.
func (o *Outcome) Differ(other *Outcome) error {
	o.sort()
	other.sort()
	if len(o.people) != len(other.people) || len(o.keys) != len(other.keys) {
		return fmt.Errorf("%d people with %d identifiers, but %d people with %d identifiers",
			len(o.people), len(o.keys), len(other.people), len(other.keys))
	}
	for i := range o.people {
		a, b := &o.people[i], &other.people[i]
		if !slices.Equal(o.keys[a.from:a.to], other.keys[b.from:b.to]) {
			return fmt.Errorf("person %d of %d: %d identifiers and %d other identifiers", i+1, len(o.people), a.to-a.from, b.to-b.from)
		}
		if a.events != b.events {
			return fmt.Errorf("person %d of %d: %d events, but %d", i+1, len(o.people), a.events, b.events)
		}
	}
	return nil
}

func (o *Outcome) sort() {
	if o.sorted {
		return
	}
	slices.SortFunc(o.people, func(a, b person) int { return a.first.Compare(b.first) })
	o.sorted = true
}
