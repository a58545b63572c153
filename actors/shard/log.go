package shard

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// logSpan is the part of the log that the store holds, with the record under way once it is closed: records from low to the
// last one, with their sizes. Records have numbers without a gap.
type logSpan struct {
	low   uint64 // the first record kept
	sizes []int  // from low on
	bytes int64
	now   int64 // of the last record, ms since 1970
}

// last is the number of the last record; one below low where there is none.
func (l *logSpan) last() uint64 { return l.low + uint64(len(l.sizes)) - 1 }

// append adds the next record.
func (l *logSpan) append(size int, now int64) {
	l.now = now
	l.sizes = append(l.sizes, size)
	l.bytes += int64(size)
}

// clockAhead is how much the last record may be ahead of the clock, ms: more, and the clock was wrong then.
const clockAhead = 24 * 3600 * 1000

// after is the time of a step that begins at a time by this process's clock. Clocks of processes differ, and go back: a shard that
// has moved goes on from the time of its last record, unless that is out of all reason.
func (l *logSpan) after(clock int64) int64 {
	if l.now-clock > clockAhead {
		return clock
	}
	return max(clock, l.now)
}

// cut is the first record of the newest ones that together have at most keep bytes.
func (l *logSpan) cut(keep int64) uint64 {
	rest := l.bytes
	for i, size := range l.sizes {
		if rest <= keep {
			return l.low + uint64(i)
		}
		rest -= int64(size)
	}
	return l.low + uint64(len(l.sizes))
}

// before is the size of the records before seq.
func (l *logSpan) before(seq uint64) (bytes int64) {
	for i := uint64(0); i+l.low < seq && i < uint64(len(l.sizes)); i++ {
		bytes += int64(l.sizes[i])
	}
	return bytes
}

// truncate forgets the records before low.
func (l *logSpan) truncate(low uint64) {
	for l.low < low && len(l.sizes) > 0 {
		l.bytes -= int64(l.sizes[0])
		l.sizes = l.sizes[1:]
		l.low++
	}
}

// LogOrder holds the records of one shard's log to their order, for recovery and for audits.
type LogOrder struct {
	Last uint64 // number of the last record that was read
}

// Follow takes the number of the next record. It reports an error unless the record is the one after the last; the next one
// may follow it all the same.
func (l *LogOrder) Follow(number uint64) error {
	last := l.Last
	if l.Last = number; number != last+1 {
		return fmt.Errorf("%w: record %d follows %d: the log has a gap", storage.ErrCorrupt, number, last)
	}
	return nil
}

// Entry is an input of a record, decoded: what a step took. Kind decides which fields count.
type Entry struct {
	Kind     EntryKind
	Event    *graph.Event        // of EntryEvent
	Message  *graph.Message      // of EntryMessage
	Outside  bool                // of EntryMessage: from outside the shards
	From     graph.ShardID       // of EntryMessage, EntryNotes and EntrySkipped: whose channel
	Seq      uint64              // the same: the number there; 0 of a message of the shard to itself
	Position row.ChannelPosition // of EntryPosition
}

// EntryKind is what an Entry is.
type EntryKind uint8

// The kinds of entries.
const (
	EntryEvent    EntryKind = 1 + iota // an event from outside
	EntryMessage                       // another message, from outside, of another shard or of the shard itself
	EntryNotes                         // ids of events, told by another shard
	EntrySkipped                       // a message of another shard that was set aside or passed over
	EntryPosition                      // how far the step took an external channel
	EntryTold                          // all ids that were noted up to this record were told
	EntryObserver                      // an observer's: of the source that it owns
	EntryWoken                         // roots were evaluated because of the time
)

// Sources of log inputs beside shards and those of package row. Observers own those below.
const (
	sourceCounters = 0xFFFD // Body is the counters after this record
	sourceSkipped  = 0xFFFC // Body is the shard whose message Seq was set aside, or passed over
	sourceChannel  = 0xFFFB // Body is the external channel that was taken up to Seq, one above the number
	sourceTold     = 0xFFFA // the ids of all events up to this record, Seq of them, were told
)

// ParseInput decodes an input of a record, of a deployment of so many shards.
func ParseInput(in *row.Input, dec *row.Decoder, shards int) (e Entry, err error) {
	switch in.Source {
	case row.ExternalInput:
		e.Kind = EntryEvent
		e.Event, err = dec.Event(in.Body)
		return e, err
	case sourceCounters:
		return Entry{Kind: EntryObserver}, nil
	case sourceSkipped:
		from, n := binary.Uvarint(in.Body)
		if n <= 0 || from >= uint64(shards) {
			return e, fmt.Errorf("%w: skipped message of shard %d of %d", storage.ErrCorrupt, from, shards)
		}
		return Entry{Kind: EntrySkipped, From: graph.ShardID(from), Seq: in.Seq}, nil
	case sourceChannel:
		e.Kind = EntryPosition
		e.Position, err = decodePosition(in)
		return e, err
	case sourceTold:
		return Entry{Kind: EntryTold}, nil
	case sourceWoken:
		if in.Seq == 0 || uint64(len(in.Body)) != in.Seq*16 {
			return e, fmt.Errorf("%w: %d roots that were due, in %d bytes", storage.ErrCorrupt, in.Seq, len(in.Body))
		}
		return Entry{Kind: EntryWoken}, nil
	}
	e = Entry{Kind: EntryMessage, From: graph.ShardID(in.Source), Seq: in.Seq, Outside: in.Source == row.ExternalMessage}
	if !e.Outside && int(in.Source) >= shards {
		return e, fmt.Errorf("%w: message of shard %d of %d", storage.ErrCorrupt, in.Source, shards)
	}
	if !e.Outside && row.AreNotes(in.Body) {
		e.Kind = EntryNotes
		return e, nil
	}
	e.Message, err = dec.Message(in.Body)
	return e, err
}
