package shard

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// One message id with several contents is several events, and Conflicting counts how many more than ids there are.
// Contents of one id have other routes, so no shard of a route can count them. A shard therefore notes the id of each
// event that it takes for the first time, and tells the shard of the id, which is a function of the id alone and
// remembers the ids that it was told of:
//
//	shard of the route ── note of the id ──► shard of the id: known? Conflicting is one more. Else it is known now.
//
// The memory of duplicates lets each pair of id and content pass once (A11), and notes travel in the numbered channels
// between shards, so each arrives once: whatever the order, the crashes and the number of shards, the sum over all shards
// is events less ids.
//
// Notes are told many at a time: a message an event would cost more than the event. Until then they are in the log, in the
// events themselves, so the log is kept from the oldest event that was not told (A5).
const (
	notesMost  = 4096 // ids that wait to be told
	notesShare = 4    // part of the limit of the log that events which were not told may take
)

// notes are the ids of events that the shard took and did not tell.
type notes struct {
	hashes []uint64
	from   uint64 // the first record with such an event
	bytes  int64  // of the events
	now    bool   // the step under way is to tell them all
}

// messageHash names a message id, of its source where that numbers apart.
func messageHash(e *graph.Event) uint64 {
	h := xxhash.Sum64(e.ID)
	if e.Apart {
		hi, lo := bits.Mul64(h^0x9ae16a3b2f90404f, xxhash.Sum64(e.Source)^0xc3a5c85c97cb3127)
		h = hi ^ lo
	}
	return h
}

func (s *Shard) shardOf(h uint64) graph.ShardID { return graph.ShardID(h % uint64(s.shards)) }

// note keeps the id of an event that record seq takes, until it is told.
func (s *Shard) note(e *graph.Event, seq uint64, size int) {
	if len(s.notes.hashes) == 0 {
		s.notes.from = seq
	}
	s.notes.hashes = append(s.notes.hashes, messageHash(e))
	s.notes.bytes += int64(size)
}

// tellNotes adds to the record under way that the shards of the ids are told, if it is time.
func (s *Shard) tellNotes() error {
	n := len(s.notes.hashes)
	if n == 0 || !s.notes.now && n < notesMost && s.notes.bytes <= s.limits.LogBytes/notesShare {
		return nil
	}
	s.begun = true
	s.addInput(SourceTold, uint64(n), nil)
	if s.byShard == nil {
		s.byShard = make([][]uint64, s.shards)
	}
	for _, h := range s.notes.hashes {
		to := s.shardOf(h)
		s.byShard[to] = append(s.byShard[to], h)
	}
	for to, hashes := range s.byShard {
		switch {
		case len(hashes) == 0:
			continue
		case graph.ShardID(to) == s.id:
			for _, h := range hashes {
				if err := s.hearOf(h); err != nil {
					return err
				}
			}
		default:
			s.body = row.AppendNotes(s.body[:0], hashes)
			o := &s.outboxes[to]
			o.sent++
			start, end := s.record.AddOutput(uint16(to), o.sent, s.body)
			s.sending = append(s.sending, sending{graph.ShardID(to), o.sent, start, end, 0})
		}
		s.byShard[to] = hashes[:0]
	}
	s.notes.clear()
	return nil
}

func (n *notes) clear() { n.hashes, n.from, n.bytes = n.hashes[:0], 0, 0 }

// hearOf is told of the id of an event.
func (s *Shard) hearOf(h uint64) error {
	known, err := s.ids.Has(h)
	if err != nil {
		return err
	}
	if known {
		s.counting.Conflicting++
		return nil
	}
	s.ids.Add(h, s.now)
	return nil
}

// takeNotes takes notes of another shard.
func (s *Shard) takeNotes(in *Input) error {
	s.addInput(uint16(in.From), in.Seq, in.Body)
	return row.Notes(in.Body, s.hearOf)
}

// replayTold takes in again that a record told all notes up to it: those of ids of other shards wait in the outboxes.
func (s *Shard) replayTold() {
	for _, h := range s.notes.hashes {
		if s.shardOf(h) == s.id {
			s.ids.Add(h, s.now)
		}
	}
	s.notes.clear()
}

// replayNotes takes notes of another shard in again. The counters are in the record.
func (s *Shard) replayNotes(body []byte) error {
	return row.Notes(body, func(h uint64) error {
		s.ids.Add(h, s.now)
		return nil
	})
}
