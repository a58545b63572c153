package ceiling

import (
	"bytes"
	"testing"

	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// now is when the tests receive events: after the time of all of them, or the decoder would take the time of reception.
const now = 1_800_000_000_000

func registry(t *testing.T) *identifier.Registry {
	t.Helper()
	r, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// plain resolves by maps and sets, without a line of the ceiling.
func plain(t *testing.T, data []byte) *outcome.Outcome {
	t.Helper()
	type person struct {
		keys   map[graph.NodeKey]bool
		events uint64
	}
	decoder, seen, of := segment.NewDecoder(registry(t), segment.Options{}), map[uint64]bool{}, map[graph.NodeKey]*person{}
	for line := range bytes.Lines(data) {
		var e graph.Event
		if err := decoder.Event(bytes.TrimSpace(line), now, nil, &e); err != nil {
			t.Fatal(err)
		}
		if seen[e.Seen] {
			continue
		}
		seen[e.Seen] = true
		joined := &person{keys: map[graph.NodeKey]bool{}, events: 1}
		for i := range e.Identifiers {
			key := e.Identifiers[i].Key
			joined.keys[key] = true
			if p := of[key]; p != nil && len(p.keys) > 0 {
				for k := range p.keys {
					joined.keys[k] = true
				}
				joined.events += p.events
				clear(p.keys)
			}
		}
		for k := range joined.keys {
			of[k] = joined
		}
	}
	o := &outcome.Outcome{}
	for _, p := range of {
		var keys []graph.NodeKey
		for k := range p.keys {
			keys = append(keys, k)
		}
		o.Add(keys, p.events)
		clear(p.keys)
	}
	return o
}

// The ceiling makes the same people of every workload as a resolver of maps and sets.
func TestOutcome(t *testing.T) {
	for _, w := range workload.All() {
		data := w.Lines(3, 4000)
		r := New(registry(t), segment.Options{})
		n, err := r.Run(data, now)
		if err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		if n != 4000 {
			t.Errorf("%s: %d events", w.Name, n)
		}
		want := plain(t, data)
		if err := r.Outcome().Differ(want); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
		if r.People() != want.People() || uint64(r.Distinct()) != want.Events() {
			t.Errorf("%s: %d people, %d events; want %d, %d", w.Name, r.People(), r.Distinct(), want.People(), want.Events())
		}
	}
}

// In the steady state, in which tables need not grow, an event costs no allocation.
func TestAllocations(t *testing.T) {
	w, _ := workload.Named("web")
	data := w.Lines(1, 5000)
	decoder, r := segment.NewDecoder(registry(t), segment.Options{}), New(registry(t), segment.Options{})
	var events []graph.Event
	for line := range bytes.Lines(data) {
		var e graph.Event
		if err := decoder.Event(bytes.TrimSpace(line), now, nil, &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
		r.Take(&e)
	}
	i := 0
	allocations := testing.AllocsPerRun(2000, func() {
		e := &events[i%len(events)]
		e.Seen += 1 << 40 // another event of the same people
		e.Stamp.Time++
		r.Take(e)
		i++
	})
	if allocations != 0 {
		t.Errorf("%v allocations an event", allocations)
	}
}
