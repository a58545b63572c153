package shard

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// marking is by which version of the definitions the shard marks events, and what it has to look through of its stored events.
//
// A step raises the version before it takes its first input, and writes that in its own batch: the barrier. So the events of
// each record are marked by one version (M1). An event says by which version it was marked, so a fill knows of each stored
// event which signals it was not asked about, and asks once:
//
//	raise to v ──► fill: rows of nodes up to the barrier ──► fill: stored timelines, node by node ──► filled up to v
//	   │                 until no event of before is in          a patch a node, and the place, in
//	   ▼                 the log alone                           one batch
//	events are marked by v
//
// A crash leaves the place of the last batch, and the patches up to it in the log.
type marking struct {
	row.Marking
	definitions *signals.Definitions // in force from the next step on
	marker      signals.Marker
	marks       signals.Marks
	event       graph.Event // marked anew: it shares the lists of its caller's event
	stored      graph.Event // read from a timeline
	changed     bool        // the row is to be written with the step
	filled      uint64      // durably; see Filled
}

// fillEvents is how many events one part of a fill reads, unless the limits say otherwise. A part ends with a whole node.
const fillEvents = 1024

// read takes what the store says.
func (m *marking) read(c *Config) (err error) {
	m.Marking, err = row.ReadMarking(c.Store, c.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	m.changed, m.filled = false, m.through()
	if known := m.definitions.Version(); m.Version > known {
		return fmt.Errorf("%w: shard %d marks events by version %d of the definitions, and this process knows version %d", storage.ErrCorrupt, c.ID, m.Version, known)
	}
	return nil
}

// Define gives the shard other definitions, and audiences that serve. They are in force from its next step on. Older ones than it
// has change nothing.
func (s *Shard) Define(d *signals.Definitions, live *audiences.Live) {
	if d.Version() > s.marking.definitions.Version() {
		s.marking.definitions = d
	}
	if live != nil && (s.telling.next == nil || live.Version() >= s.telling.next.Version()) {
		s.telling.next = live
	}
}

// Filled is the version of the definitions for which the shard has looked through all of its stored events, durably.
func (s *Shard) Filled() uint64 { return s.marking.filled }

// through is Filled as the step under way leaves it.
func (m *marking) through() uint64 {
	if len(m.Fills) > 0 {
		return m.Fills[0].From
	}
	return m.Version
}

// raise puts the newest definitions in force. REQUIRES: the step has taken nothing
func (t *step) raise() {
	m := &t.shard.marking
	to := m.definitions.Version()
	if to <= m.Version {
		return
	}
	if m.definitions.Since(m.Version, to) {
		m.Fills = append(m.Fills, row.Fill{From: m.Version, To: to, Barrier: t.number() - 1})
	}
	m.Version, m.changed = to, true
}

// mark returns an event as it is to be taken, and its encoding: marked by the version in force. Most events were marked so by
// their caller. The event is valid until the next one, and its encoding until anything is encoded.
func (t *step) mark(in *Input) (*graph.Event, []byte) {
	m, c := &t.shard.marking, &t.shard.codec
	if in.Event.Marked == m.Version {
		return in.Event, in.Body
	}
	m.marks.Reset()
	m.event = *in.Event
	m.event.Marked, m.event.Marks = m.Version, m.marker.Mark(m.definitions, in.Event, 0, m.Version, &m.marks)
	c.body = c.enc.Event(c.body[:0], &m.event, true)
	return &m.event, c.body
}

// fill does a part of the oldest fill.
func (t *step) fill() error {
	s, m := t.shard, &t.shard.marking
	if len(m.Fills) == 0 {
		t.findPass()
		return nil
	}
	f := &m.Fills[0]
	if r := s.residents.dirty.head(); r != nil && r.dirtySince <= f.Barrier {
		t.begun, t.flushTo = true, f.Barrier // events of before the barrier are in the log alone
		return nil
	}
	m.changed = true
	done, err := t.patches(f)
	if done {
		m.Fills = m.Fills[1:]
	}
	return err
}

// errPart ends a part of a fill.
var errPart = errors.New("a part of the fill is done")

// patches sends the nodes after the cursor what they lack of signals, for a part of them, and moves the cursor. It reports
// whether these were the last.
func (t *step) patches(f *row.Fill) (done bool, err error) {
	s := t.shard
	var patch *graph.Patch
	events, most := 0, s.config.Limits.FillEvents
	if most == 0 {
		most = fillEvents
	}
	send := func() {
		if patch != nil && len(patch.Signals) > 0 {
			t.queue.push(&graph.Message{Kind: graph.KindPatch, To: patch.Node, Patch: patch})
		}
	}
	err = s.codec.dec.ScanTimelines(s.config.Store, s.config.ID, f.Cursor, func(node graph.NodeKey, encoded []byte) error {
		if patch == nil || patch.Node != node {
			send()
			if patch != nil {
				if f.Cursor = patch.Node; events >= most {
					patch = nil
					return errPart
				}
			}
			patch = &graph.Patch{Node: node}
		}
		events++
		return t.lacking(patch, f, encoded)
	})
	if errors.Is(err, errPart) {
		return false, nil
	}
	send()
	return true, err
}

// lacking adds an event of a timeline to the signals that came after it was marked.
func (t *step) lacking(patch *graph.Patch, f *row.Fill, encoded []byte) error {
	m := &t.shard.marking
	e := &m.stored
	if err := t.shard.codec.dec.EventInto(encoded, e); err != nil {
		return err
	}
	if e.Marked >= f.To {
		return nil
	}
	m.marks.Reset()
	e.Marks = m.marker.Mark(m.definitions, e, max(e.Marked, f.From), f.To, &m.marks)
	patch.Fold(e)
	e.Marks = nil // the next event has them in memory of its own
	return nil
}

// noteMarking writes by which version the shard marks, if the step has changed it.
func (t *step) noteMarking() {
	s := t.shard
	if s.marking.changed {
		s.codec.enc.PutMarking(&t.batch, s.config.ID, &s.marking.Marking)
		s.marking.changed = false
	}
}
