package shard

import "github.com/kindred-id/kindred/storage"

// pending holds the events of timelines that no block holds yet, a list for each resident. Each event is copied from the
// record of its step into a chunk, and a chunk's memory goes back to the buffers with the last event in it.
//
//	resident ──► slot ──► slot ──► 0
//	              │        │
//	              ▼        ▼
//	            chunk    chunk: memory, and how many slots point into it
//
// Invariants:
//   - A chunk is counted once for each slot that points into it, and its memory is used again when the count drops to 0:
//     blocks are written in the order of records, nearly, so that a chunk stays about as long as the log.
//   - An event stays until the block that holds it is durable: until then a read would find it nowhere.
//   - A caller that reads an event copies what it keeps: the event is valid until the next call of the shard.
//   - Slot 0 is no slot, so the zero list is empty.
//
// Two designs failed. A slice of events for each resident that pointed into records was allocated for nearly every event, and
// left records to the garbage collector: each step began with new memory, cleared and cold. To count the events of records,
// and use their memory again, saved most of that; but records have all sizes, a fifth found no memory that fits, and what a
// record holds beside events stayed as long as they did.
type pending struct {
	buffers *storage.Buffers
	size    int // of chunks
	filling *chunk
	slots   []slot
	free    int32 // the first free slot
}

// next of a slot in use is the next event of its list; of a free one, the next free slot. 0 ends either list.
type slot struct {
	event []byte
	chunk *chunk
	next  int32
}

// chunk is memory that pending events stand in.
//
// events counts slots that point here, so a chunk whose list was dropped in part stays until the last one is
// dropped. The memory of a chunk never moves: append stays within its capacity, which room has checked.
type chunk struct {
	bytes  []byte
	events int
}

// events is a list of pending events, in their order.
//
// It is two slots, 8 bytes in each resident. The zero value is the empty list; last has no meaning then.
type events struct{ first, last int32 }

// Sizes of chunks. A shard has one that is not full and one that is not empty, nearly, so small logs have small ones.
const (
	chunkMost  = 64 << 10
	chunkLeast = 4 << 10
	chunkShare = 8 // part of the log
	// An event above that part of a chunk gets one of its own.
	chunkAlone = 4
)

func newPending(c *Config) pending {
	return pending{buffers: c.Buffers, size: int(max(chunkLeast, min(c.Limits.LogBytes/chunkShare, chunkMost)))}
}

// add copies an event to the end of a list.
func (p *pending) add(l *events, event []byte) {
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
	in := p.room(len(event))
	start := len(in.bytes)
	in.bytes = append(in.bytes, event...)
	in.events++
	p.slots[at] = slot{event: in.bytes[start:len(in.bytes):len(in.bytes)], chunk: in}
	if l.first == 0 {
		l.first = at
	} else {
		p.slots[l.last].next = at
	}
	l.last = at
}

// room returns a chunk with room for an event.
func (p *pending) room(size int) *chunk {
	if size > p.size/chunkAlone {
		return &chunk{bytes: p.buffers.Take(size)}
	}
	if c := p.filling; c == nil || cap(c.bytes)-len(c.bytes) < size {
		p.filling = &chunk{bytes: p.buffers.Take(p.size)}
	}
	return p.filling
}

// list appends the events of a list.
func (p *pending) list(to [][]byte, l events) [][]byte {
	for at := l.first; at != 0; at = p.slots[at].next {
		to = append(to, p.slots[at].event)
	}
	return to
}

// drop empties a list, and gives back the memory of chunks in which nothing stands any more.
func (p *pending) drop(l *events) {
	for at := l.first; at != 0; {
		s := &p.slots[at]
		next := s.next
		in := s.chunk
		if in.events--; in.events == 0 {
			p.buffers.Give(in.bytes)
			if in == p.filling {
				p.filling = nil
			}
		}
		*s = slot{next: p.free}
		p.free, at = at, next
	}
	*l = events{}
}

// forget drops all lists, and leaves their chunks to the garbage collector.
func (p *pending) forget() { p.slots, p.free, p.filling = nil, 0, nil }
