package shard

import "github.com/kindred-id/kindred/storage"

// pending holds the events of timelines that no block holds yet, a list for each resident. The events stand in the records
// of their steps, and a record's memory goes back to the buffers with the last event that stands in it.
//
//	resident ──► slot ──► slot ──► 0
//	              │        │
//	              ▼        ▼
//	            record   record: memory, and how many slots point into it
//
// Invariants:
//   - A record is counted once for each slot that points into it, and its memory is given back when the count drops to 0:
//     blocks are written in the order of records, nearly, so that a record stays about as long as the log.
//   - A caller that reads an event copies what it keeps: the event is valid until the shard writes the next block.
//   - Slot 0 is no slot, so the zero list is empty.
//
// The obvious design, a slice of events for each resident, allocated for nearly every event, and left records to the garbage
// collector: each step then had to begin with new memory, cleared and cold.
type pending struct {
	buffers *storage.Buffers
	slots   []slot
	free    int32 // the first free slot
}

type slot struct {
	event  []byte
	record *record // that the event stands in; nil: its memory is the garbage collector's
	next   int32
}

// record is the memory of a record that pending events stand in.
type record struct {
	bytes  []byte
	events int
}

// events is a list of pending events, in their order.
type events struct{ first, last int32 }

// add puts an event at the end of a list.
func (p *pending) add(l *events, event []byte, in *record) {
	if len(p.slots) == 0 {
		p.slots = make([]slot, 1, 64)
	}
	at := p.free
	if at == 0 {
		at = int32(len(p.slots))
		p.slots = append(p.slots, slot{})
	} else {
		p.free = p.slots[at].next
	}
	p.slots[at] = slot{event: event, record: in}
	if in != nil {
		in.events++
	}
	if l.first == 0 {
		l.first = at
	} else {
		p.slots[l.last].next = at
	}
	l.last = at
}

// list appends the events of a list.
func (p *pending) list(to [][]byte, l events) [][]byte {
	for at := l.first; at != 0; at = p.slots[at].next {
		to = append(to, p.slots[at].event)
	}
	return to
}

// drop empties a list, and gives back the memory of records in which nothing stands any more.
func (p *pending) drop(l *events) {
	for at := l.first; at != 0; {
		s := &p.slots[at]
		next := s.next
		if in := s.record; in != nil {
			if in.events--; in.events == 0 {
				p.buffers.Give(in.bytes)
			}
		}
		*s = slot{next: p.free}
		p.free, at = at, next
	}
	*l = events{}
}

// forget drops all lists, and leaves their records to the garbage collector.
func (p *pending) forget() { p.slots, p.free = nil, 0 }
