package signal

import (
	"fmt"
	"maps"
	"slices"
)

// LiveMax bounds the signals of a deployment. Each costs memory in the fragment of everyone who has its events.
const LiveMax = 1_000

// Index finds the signals that an event is of. It is made once for a version of the definitions and never changes.
type Index struct {
	byName map[string][]entry // of events with this name
	byType map[string][]entry // of events of any name
	all    map[ID]Definition
}

type entry struct {
	id  ID
	def Definition
}

// Mark says that an event is of a signal, and the value of the property that the signal remembers.
type Mark struct {
	Signal ID
	Value  Scalar
	Has    bool // the event has the property
}

// NewIndex makes the index of some signals. It fails if there are more than LiveMax, one is wrong, or two different ones have one id.
func NewIndex(definitions []Definition) (*Index, error) {
	x := &Index{byName: map[string][]entry{}, byType: map[string][]entry{}, all: map[ID]Definition{}}
	for _, d := range definitions {
		if err := d.Check(); err != nil {
			return nil, fmt.Errorf("signal of %q: %w", d.Event.Name, err)
		}
		id := d.Canonical()
		if old, ok := x.all[id]; ok {
			if string(old.appendCanonical(nil)) != string(d.appendCanonical(nil)) {
				return nil, fmt.Errorf("signal of %q: its hash is that of another signal; change a value of its conditions", d.Event.Name)
			}
			continue
		}
		x.all[id] = d
		if d.Event.Name != "" {
			x.byName[d.Event.Name] = append(x.byName[d.Event.Name], entry{id, d})
		} else {
			x.byType[d.Event.Type] = append(x.byType[d.Event.Type], entry{id, d})
		}
	}
	if len(x.all) > LiveMax {
		return nil, fmt.Errorf("%d signals; at most %d: events(…) with different conditions are different signals", len(x.all), LiveMax)
	}
	return x, nil
}

// Signals returns the ids of all signals, ascending.
func (x *Index) Signals() []ID { return slices.Sorted(maps.Keys(x.all)) }

// Definition returns a signal.
func (x *Index) Definition(id ID) (Definition, bool) {
	d, ok := x.all[id]
	return d, ok
}

// valuesOfEventMax bounds the values that one event adds to a signal that keeps several: the products of an order.
const valuesOfEventMax = 64

// Match appends the marks of an event: one a signal, and of one that keeps several values one a value. Values belong to the event. It allocates nothing but the marks.
func (x *Index) Match(marks []Mark, eventType string, name []byte, p Properties, scratch *Scratch) []Mark {
	if len(name) > 0 {
		for i := range x.byName[string(name)] {
			if e := &x.byName[string(name)][i]; e.def.Event.Type == "" || e.def.Event.Type == eventType {
				marks = e.match(marks, p, scratch)
			}
		}
	}
	for i := range x.byType[eventType] {
		marks = x.byType[eventType][i].match(marks, p, scratch)
	}
	return marks
}

func (e *entry) match(marks []Mark, p Properties, scratch *Scratch) []Mark {
	for i := range e.def.Event.Where {
		if !e.def.Event.Where[i].Holds(p, scratch) {
			return marks
		}
	}
	if e.def.Of == "" {
		return append(marks, Mark{Signal: e.id})
	}
	n := len(marks)
	limit := n + 1
	if e.def.Kind == Distinct || e.def.Kind == Recent {
		limit = n + valuesOfEventMax
	}
	for _, value := range scratch.at(p, e.def.Of) {
		if value.Kind != Null && len(marks) < limit {
			marks = append(marks, Mark{Signal: e.id, Value: value, Has: true})
		}
	}
	if len(marks) == n && e.def.Kind == Days {
		marks = append(marks, Mark{Signal: e.id}) // the event counts, and adds nothing to the sum
	}
	return marks
}
