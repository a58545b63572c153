package shard

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/row"
)

// One message id with several contents is several events, and Conflicting counts how many more than ids there are.
// Contents of one id have other routes, so no shard of a route can count them. A shard therefore notes the id of each
// event that it takes for the first time, and tells the shard of the id, which is a function of the id alone and
// remembers the ids that it was told of:
//
//	shard of the route ── note of the id ──► shard of the id: told before? Conflicting is one more. Else it is told now.
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

// messageIDs are what a shard remembers of message ids: which it took (A11), which it was told of by the shards of their
// events, and which it noted and is to tell.
type messageIDs struct {
	seen    *dedupe.Memory // events taken here, by message id and content
	told    *dedupe.Memory // ids that belong here
	notes   notes
	shards  int
	byShard [][]uint64 // scratch of tellNotes
}

func newMessageIDs(c *Config) messageIDs {
	return messageIDs{seen: dedupe.New(c.Store, c.ID, c.Seen), told: dedupe.NewIDs(c.Store, c.ID, c.Seen), shards: c.Shards}
}

// limit changes how much memory each of the two may take.
func (m *messageIDs) limit(bytes int64) {
	m.seen.SetBytes(bytes)
	m.told.SetBytes(bytes)
}

// take remembers an event, and reports whether it was taken before.
func (ids *messageIDs) take(e *graph.Event, now int64) (taken bool, err error) {
	taken, err = ids.seen.Has(e.Seen)
	if err == nil && !taken && e.Former != 0 {
		taken, err = ids.seen.Has(e.Former)
	}
	if err != nil || taken {
		return taken, err
	}
	ids.seen.Add(e.Seen, now)
	return false, nil
}

// note keeps the id of an event that record seq takes, until it is told.
func (ids *messageIDs) note(e *graph.Event, seq uint64, size int) {
	n := &ids.notes
	if len(n.hashes) == 0 {
		n.from = seq
	}
	n.hashes = append(n.hashes, messageHash(e))
	n.bytes += int64(size)
}

// shardOf is the shard that an id belongs to.
func (ids *messageIDs) shardOf(h uint64) graph.ShardID { return graph.ShardID(h % uint64(ids.shards)) }

// split lays the notes out by the shards of their ids.
func (ids *messageIDs) split() [][]uint64 {
	if ids.byShard == nil {
		ids.byShard = make([][]uint64, ids.shards)
	}
	for to := range ids.byShard {
		ids.byShard[to] = ids.byShard[to][:0]
	}
	for _, h := range ids.notes.hashes {
		to := ids.shardOf(h)
		ids.byShard[to] = append(ids.byShard[to], h)
	}
	return ids.byShard
}

func (n *notes) clear() { n.hashes, n.from, n.bytes = n.hashes[:0], 0, 0 }

// tellNotes adds to the record under way that the shards of the ids are told, if it is time.
func (t *step) tellNotes() error {
	s, c := t.shard, &t.shard.codec
	notes := &s.ids.notes
	n := len(notes.hashes)
	if n == 0 || !notes.now && n < notesMost && notes.bytes <= s.config.Limits.LogBytes/notesShare {
		return nil
	}
	t.add(sourceTold, uint64(n), nil)
	for to, hashes := range s.ids.split() {
		switch {
		case len(hashes) == 0:
			continue
		case graph.ShardID(to) == s.config.ID:
			for _, h := range hashes {
				if err := s.ids.hear(h, t.now, &s.counting.Counters); err != nil {
					return err
				}
			}
		default:
			c.body = row.AppendNotes(c.body[:0], hashes)
			t.post(graph.ShardID(to), c.body, 0)
		}
	}
	notes.clear()
	return nil
}

// hear is told of the id of an event.
func (ids *messageIDs) hear(h uint64, now int64, counters *Counters) error {
	told, err := ids.told.Has(h)
	if err != nil {
		return err
	}
	if told {
		counters.Conflicting++
		return nil
	}
	ids.told.Add(h, now)
	return nil
}

// replayTold takes in again that a record told all notes up to it: those of ids of other shards wait in the outboxes.
func (ids *messageIDs) replayTold(id graph.ShardID, now int64) {
	for _, h := range ids.notes.hashes {
		if ids.shardOf(h) == id {
			ids.told.Add(h, now)
		}
	}
	ids.notes.clear()
}

// replayNotes takes notes of another shard in again. The counters are in the record.
func (ids *messageIDs) replayNotes(body []byte, now int64) error {
	return row.Notes(body, func(h uint64) error {
		ids.told.Add(h, now)
		return nil
	})
}
