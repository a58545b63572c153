package shard

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// recovery builds a shard's memory from the store: from the meta row, and then every record that is kept, each message
// handled by its node unless the node's row counts it (A4). The output of those messages is not sent again: it is in the records,
// too (A2), and waits in the outboxes until it is acknowledged.
//
// It may run on a shard that has failed in the middle of a step, so it begins with memory of its own for everything. Only
// those who wait for messages to arrive are kept, and what is known of stored nodes.
type recovery struct {
	shard *Shard
	now   int64 // of the record that is replayed
}

// recover builds the shard's memory anew.
func (s *Shard) recover() error {
	c := &s.config
	s.residents.clear()
	s.pending.forget()
	s.ids = newMessageIDs(c)
	before := s.channels.reset(c.Shards)
	s.counting.Counters = Counters{}
	s.step = step{draft: draft{shard: s}}
	s.step.batch.From(c.Buffers)
	r := recovery{shard: s}
	meta, err := r.readMeta()
	if err != nil {
		return err
	}
	if s.external, err = readExternal(c); err != nil {
		return err
	}
	if err := s.marking.read(c); err != nil {
		return err
	}
	if err := s.telling.read(c); err != nil {
		return err
	}
	if err := r.replayLog(meta.Low); err != nil {
		return err
	}
	if s.log.last() < meta.Applied {
		return fmt.Errorf("%w: log of shard %d ends at record %d, and its rows count up to %d", storage.ErrCorrupt, c.ID, s.log.last(), meta.Applied)
	}
	if err := r.finish(); err != nil {
		return err
	}
	for i := range before {
		s.channels.transit.arrive(before[i].waiting)
	}
	s.channels.transit.enter(c.ID)
	return nil
}

// readMeta reads what truncation has left of deleted records.
func (rc *recovery) readMeta() (row.ShardMeta, error) {
	s := rc.shard
	id, shards := s.config.ID, s.config.Shards
	meta, err := row.ReadMeta(s.config.Store, id)
	if errors.Is(err, storage.ErrNotFound) {
		return row.ShardMeta{Low: 1}, nil
	}
	if err != nil {
		return row.ShardMeta{}, err
	}
	for _, p := range meta.Positions {
		if int(p.Source) >= shards {
			return row.ShardMeta{}, fmt.Errorf("%w: meta row of shard %d names shard %d of %d", storage.ErrCorrupt, id, p.Source, shards)
		}
		s.channels.positions[p.Source] = p.Seq
	}
	for _, a := range meta.Sent {
		if int(a.To) >= shards {
			return row.ShardMeta{}, fmt.Errorf("%w: meta row of shard %d names shard %d of %d", storage.ErrCorrupt, id, a.To, shards)
		}
		// All that was sent before the first kept record was acknowledged (A5).
		s.channels.outboxes[a.To].sent = a.Seq
	}
	return meta, nil
}

// replayLog replays the records from low on.
func (rc *recovery) replayLog(low uint64) error {
	s := rc.shard
	s.log = logSpan{low: low}
	order := LogOrder{Last: low - 1}
	return row.ScanRecords(s.config.Store, s.config.ID, low, func(number uint64, record []byte) error {
		err := order.Follow(number)
		if err == nil {
			err = rc.replay(record) // outboxes keep slices of the record
		}
		if err != nil {
			return fmt.Errorf("log of shard %d, record %d: %w", s.config.ID, number, err)
		}
		s.log.append(len(record), rc.now)
		return nil
	})
}

// replay takes one record in.
func (rc *recovery) replay(data []byte) error {
	s := rc.shard
	record, err := s.codec.dec.Record(data)
	if err != nil {
		return err
	}
	rc.now = record.Now
	for i := range record.Inputs {
		if err := rc.replayInput(&record, &record.Inputs[i]); err != nil {
			return err
		}
	}
	for _, out := range record.Outputs {
		if int(out.To) >= s.config.Shards {
			return fmt.Errorf("%w: message to shard %d of %d", storage.ErrCorrupt, out.To, s.config.Shards)
		}
		o, brings := &s.channels.outboxes[out.To], row.BringsEvent(out.Body)
		o.sent = max(o.sent, out.Seq)
		o.waiting = append(o.waiting, outgoing{Wire{out.Seq, out.Body, s.channels.transit.departAgain(brings)}, record.Seq, brings})
		o.bytes += len(out.Body)
	}
	for _, ack := range record.Acks {
		if int(ack.To) >= s.config.Shards {
			return fmt.Errorf("%w: ack of shard %d of %d", storage.ErrCorrupt, ack.To, s.config.Shards)
		}
		s.channels.outboxes[ack.To].acknowledge(ack.Seq)
	}
	return nil
}

func (rc *recovery) replayInput(record *row.Record, in *row.Input) error {
	s := rc.shard
	e, err := ParseInput(in, s.codec.dec, s.config.Shards)
	if err != nil {
		return err
	}
	switch e.Kind {
	case EntryEvent:
		return rc.replayEvent(record, in, e.Event)
	case EntrySkipped:
		rc.took(e.From, e.Seq)
	case EntryPosition:
		// The last record wins, not the highest number: an operator may have moved the position back.
		s.external.set(e.Position.Channel, e.Position.Number)
	case EntryTold:
		s.ids.replayTold(s.config.ID, rc.now)
	case EntryNotes:
		rc.took(e.From, e.Seq)
		return s.ids.replayNotes(in.Body, rc.now)
	case EntryMessage:
		if !e.Outside && e.From != s.config.ID {
			rc.took(e.From, e.Seq)
		}
		if e.Message.Kind == graph.KindGroup {
			return nil // its rows are in the batch of the record (A13)
		}
		return rc.reapply(e.Message, record.Seq)
	case EntryWoken: // what was told then is in rows
	case EntryObserver:
		for _, o := range s.observers {
			if o, ok := o.(replayer); ok && o.Source() == in.Source {
				return o.Replay(in)
			}
		}
	}
	return nil
}

// took moves the position in the channel of another shard.
func (rc *recovery) took(from graph.ShardID, seq uint64) {
	positions := rc.shard.channels.positions
	positions[from] = max(positions[from], seq)
}

func (rc *recovery) replayEvent(record *row.Record, in *row.Input, e *graph.Event) error {
	s := rc.shard
	s.ids.seen.Add(e.Seen, record.Now)
	s.ids.note(e, record.Seq, len(in.Body))
	r, err := s.residents.node(e.Route())
	if err != nil {
		return err
	}
	if r.applied < record.Seq {
		s.residents.touch(r, record.Seq)
		s.pending.add(&r.pending, in.Body)
	}
	return rc.reapply(&graph.Message{Kind: graph.KindObserve, To: e.Route(), Event: e}, record.Seq)
}

// reapply lets a node take a message again, unless its row counts it.
func (rc *recovery) reapply(m *graph.Message, seq uint64) error {
	s := rc.shard
	r, err := s.residents.node(m.To)
	if err != nil {
		return err
	}
	if r.applied >= seq {
		return nil
	}
	s.residents.touch(r, seq)
	err = s.step.show(r, m, true)
	if r.handsOn(&s.step.out) {
		r.handed = seq
	}
	return err
}

// finish ends a recovery once the log was replayed.
func (rc *recovery) finish() error {
	s := rc.shard
	s.step.closeRoots(true)
	for _, o := range s.observers {
		if err := o.Recover(&Recovery{s.log.last(), s.step.observed.touched}); err != nil {
			return err
		}
	}
	s.step.observed.forget()
	for i := range s.channels.outboxes {
		o := &s.channels.outboxes[i]
		if o.noted, o.ready = o.acked, o.sent; o.crowded() {
			s.channels.crowded++
		}
		if err := rc.noteMoves(o); err != nil {
			return err
		}
		o.answer()
	}
	s.external.committed()
	return nil
}

// noteMoves looks into what waits for evidence of forwards: whose it is, they do not know any more.
func (rc *recovery) noteMoves(o *outbox) error {
	for i := range o.waiting {
		if row.AreNotes(o.waiting[i].Body) {
			continue
		}
		m, err := rc.shard.codec.dec.Message(o.waiting[i].Body)
		if err != nil {
			return fmt.Errorf("message %d that waits: %w", o.waiting[i].Seq, err)
		}
		if m.Kind == graph.KindAbsorb {
			o.noteMoved(m.To, o.waiting[i].Seq)
		}
	}
	return nil
}
