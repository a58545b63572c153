package shard

import (
	"encoding/binary"

	"github.com/kindred-id/kindred/storage"
)

// pending holds the events of timelines that no block holds yet, a list for each resident. Each event is copied from the
// record of its step into a chunk, and a chunk's memory goes back to the buffers with the last event in it.
//
//	resident ──► first ─────────────┐             last
//	             ▼                  ▼ next         ▼
//	chunk │ next, length, event │ … │ next, length, event │     chunk counts the events in it
//
// Invariants:
//   - A chunk counts the events in it that are in a list, and its memory is used again when the count drops to 0:
//     blocks are written in the order of records, nearly, so that a chunk stays about as long as the log.
//   - An event stays until the block that holds it is durable: until then a read would find it nowhere.
//   - A caller that reads an event copies what it keeps: the event is valid until the next call of the shard.
//   - Chunk 0 is no chunk, so the zero place is no event and the zero list is empty.
//
// Three designs failed. A slice of events for each resident that pointed into records was allocated for nearly every event, and
// left records to the garbage collector: each step began with new memory, cleared and cold. To count the events of records,
// and use their memory again, saved most of that; but records have all sizes, a fifth found no memory that fits, and what a
// record holds beside events stayed as long as they did. And a table of slots that pointed to events took 40 bytes each in a
// list that append moved as it grew: 143 bytes allocated an event, all of which the garbage collector had to look at.
type pending struct {
	buffers *storage.Buffers
	size    int     // of chunks
	chunks  []chunk // by number
	free    []int32 // numbers of chunks without memory
	filling int32   // the chunk that has room; 0 if none has
}

// place is where an event stands: its head, and after it the event.
type place struct{ chunk, offset int32 }

// events is a list of pending events, in their order. The zero value is the empty list; last has no meaning then.
type events struct{ first, last place }

func (l *events) empty() bool { return l.first.chunk == 0 }

// The head of an event: the place of the next one of its list, and the event's length.
//
//	 4 B          4 B      4 B
//	+------------+--------+--------+-------
//	| next chunk | offset | length | event
//	+------------+--------+--------+-------
const headLen = 12

// chunk is memory that pending events stand in. It never moves: room has checked its capacity.
type chunk struct {
	bytes  []byte
	events int32 // that are in a list
}

// Sizes of chunks. A shard has one that is not full and one that is not empty, nearly, so small logs have small ones.
const (
	chunkMost  = 64 << 10
	chunkLeast = 4 << 10
	chunkShare = 8 // part of the log
	// An event above that part of a chunk gets one of its own.
	chunkAlone = 4
)

func newPending(c *Config) pending {
	size := max(chunkLeast, min(c.Limits.LogBytes/chunkShare, chunkMost))
	return pending{buffers: c.Buffers, size: int(size), chunks: make([]chunk, 1)}
}

// add copies an event to the end of a list.
func (p *pending) add(l *events, event []byte) {
	at := p.room(headLen + len(event))
	c := &p.chunks[at.chunk]
	c.bytes = binary.LittleEndian.AppendUint64(c.bytes, 0)
	c.bytes = binary.LittleEndian.AppendUint32(c.bytes, uint32(len(event)))
	c.bytes = append(c.bytes, event...)
	c.events++
	if l.empty() {
		l.first = at
	} else {
		last := p.chunks[l.last.chunk].bytes[l.last.offset:]
		binary.LittleEndian.PutUint32(last, uint32(at.chunk))
		binary.LittleEndian.PutUint32(last[4:], uint32(at.offset))
	}
	l.last = at
}

// room finds the place of an event that takes so many bytes with its head.
func (p *pending) room(size int) place {
	if size > p.size/chunkAlone {
		return place{chunk: p.newChunk(size)}
	}
	if c := &p.chunks[p.filling]; p.filling == 0 || cap(c.bytes)-len(c.bytes) < size {
		p.filling = p.newChunk(p.size)
	}
	return place{p.filling, int32(len(p.chunks[p.filling].bytes))}
}

// newChunk returns the number of a new chunk.
func (p *pending) newChunk(size int) int32 {
	memory := p.buffers.Take(size)
	p.buffers.Hold(cap(memory))
	if n := len(p.free); n > 0 {
		number := p.free[n-1]
		p.free = p.free[:n-1]
		p.chunks[number].bytes = memory
		return number
	}
	p.chunks = append(p.chunks, chunk{bytes: memory})
	return int32(len(p.chunks) - 1)
}

// at returns the event at a place, and the place of the next one of its list.
func (p *pending) at(here place) (event []byte, next place) {
	b := p.chunks[here.chunk].bytes[here.offset:]
	next = place{int32(binary.LittleEndian.Uint32(b)), int32(binary.LittleEndian.Uint32(b[4:]))}
	length := int(binary.LittleEndian.Uint32(b[8:]))
	return b[headLen : headLen+length : headLen+length], next
}

// list appends the events of a list.
func (p *pending) list(to [][]byte, l events) [][]byte {
	for here := l.first; here.chunk != 0; {
		event, next := p.at(here)
		to, here = append(to, event), next
	}
	return to
}

// drop empties a list, and gives back the memory of chunks in which no event is left.
func (p *pending) drop(l *events) {
	for here := l.first; here.chunk != 0; {
		_, next := p.at(here)
		in := &p.chunks[here.chunk]
		if in.events--; in.events == 0 {
			p.buffers.Hold(-cap(in.bytes))
			p.buffers.Give(in.bytes)
			in.bytes = nil
			p.free = append(p.free, here.chunk)
			if here.chunk == p.filling {
				p.filling = 0
			}
		}
		here = next
	}
	*l = events{}
}

// forget drops all lists, and leaves their chunks to the garbage collector.
func (p *pending) forget() {
	for i := range p.chunks {
		p.buffers.Hold(-cap(p.chunks[i].bytes))
	}
	p.chunks, p.free, p.filling = make([]chunk, 1), nil, 0
}
