package signals

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/signal"
)

// Marker finds the marks of events. One goroutine at a time uses it.
type Marker struct {
	properties properties
	scratch    signal.Scratch
	found      []signal.Mark
}

// Marks is memory for the marks of events, which is released all at once. It never moves what it gave out.
type Marks struct {
	list []graph.SignalMark
	text []byte
}

// Reset releases all marks.
func (m *Marks) Reset() { m.list, m.text = m.list[:0], m.text[:0] }

// Mark finds the marks of an event for the signals that came after version from and not after to. They are valid until marks
// are reset.
func (m *Marker) Mark(d *Definitions, e *graph.Event, from, to uint64, marks *Marks) []graph.SignalMark {
	if d == nil {
		return nil
	}
	m.properties.begin(e.Properties)
	m.found = d.index.Match(m.found[:0], e.Type.String(), e.Name, &m.properties, &m.scratch)
	start := len(marks.list)
	for i := range m.found {
		n := d.live[m.found[i].Signal]
		if n.since <= from || n.since > to {
			continue
		}
		mark := n.SignalMark
		if m.found[i].Has {
			mark.Value = marks.keep(m.found[i].Value.Key())
		}
		marks.list = append(marks.list, mark)
	}
	return marks.list[start:len(marks.list):len(marks.list)]
}

// keep copies a value; the copy is never nil.
func (m *Marks) keep(value []byte) []byte {
	if len(value) == 0 {
		return []byte{}
	}
	start := len(m.text)
	m.text = append(m.text, value...)
	return m.text[start:len(m.text):len(m.text)]
}
