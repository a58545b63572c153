package shard

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/hashset"
	"github.com/kindred-id/kindred/storage/row"
)

// Sources of log inputs beside shards and storage's external ones.
const (
	SourceCounters = 0xFFFD // Body is the counters after this record
	SourceSkipped  = 0xFFFC // Body is the shard whose message Seq was set aside, or passed over
	SourceChannel  = 0xFFFB // Body is the external channel that was taken up to Seq, one above the number
	SourceTold     = 0xFFFA // the ids of all events up to this record, Seq of them, were told
)

// recover builds the shard's memory from the store: meta, then every kept record, each message
// handled by its node unless the node's row is newer (A4). What those messages sent is not sent
// again: it is in the records too (A2), and waits in the outboxes until it is acknowledged.
func (s *Shard) recover() error {
	for _, r := range s.nodes.ring {
		if r.actor != nil { // a handler that failed may have left a root without one, or a forward with one
			s.stop(r)
		}
	}
	// What is known of stored nodes stays true: too much of it only costs a read.
	s.nodes = newNodeTable()
	s.seen = dedupe.New(s.store, s.id, s.seenLimits)
	s.ids = dedupe.NewIDs(s.store, s.id, s.seenLimits)
	s.notes = notes{}
	s.positions = make([]uint64, s.shards)
	before := s.outboxes
	s.outboxes = make([]outbox, s.shards)
	for i := range s.outboxes {
		s.outboxes[i].flights = s.flights
		if before != nil {
			s.outboxes[i].waits = before[i].waits
		}
	}
	s.counting.Counters = Counters{}
	s.dirty = dirtyQueue{}
	s.queue, s.logged, s.sending, s.heard, s.touched = nil, nil, nil, nil, nil

	meta, err := s.readMeta()
	if err != nil {
		return err
	}
	if err := s.readExternal(); err != nil {
		return err
	}
	s.seq = meta.Low - 1
	s.log = logSpan{low: meta.Low}
	err = row.ScanRecords(s.store, s.id, meta.Low,
		func(seq uint64, record []byte) error { // outboxes and timelines keep slices of the record
			if seq != s.seq+1 {
				return fmt.Errorf("%w: log of shard %d: record %d follows %d", storage.ErrCorrupt, s.id, seq, s.seq)
			}
			if err := s.replay(record); err != nil {
				return fmt.Errorf("log of shard %d, record %d: %w", s.id, seq, err)
			}
			s.seq = seq
			s.log.append(len(record))
			return nil
		})
	if err != nil {
		return err
	}
	if s.seq < meta.Applied {
		return fmt.Errorf("%w: log of shard %d ends at record %d, and its rows count up to %d", storage.ErrCorrupt, s.id, s.seq, meta.Applied)
	}
	s.closeRoots(true)
	for _, o := range s.observers {
		if err := o.Recover(&Recovery{s.seq, s.touched}); err != nil {
			return err
		}
	}
	s.forgetTouched()
	for i := range s.outboxes {
		o := &s.outboxes[i]
		o.noted, o.ready = o.acked, o.sent
		if err := s.noteMoves(o); err != nil {
			return err
		}
		o.answer()
	}
	for i := range before {
		s.flights.land(before[i].waiting)
	}
	s.external.committed()
	return nil
}

// noteMoves looks into what waits for evidence of forwards: whose it is, they do not know any more.
func (s *Shard) noteMoves(o *outbox) error {
	for i := range o.waiting {
		if row.AreNotes(o.waiting[i].Body) {
			continue
		}
		m, err := s.dec.Message(o.waiting[i].Body)
		if err != nil {
			return fmt.Errorf("message %d that waits: %w", o.waiting[i].Seq, err)
		}
		if m.Kind == graph.KindAbsorb {
			o.noteMoved(m.To, o.waiting[i].Seq)
		}
	}
	return nil
}

func (s *Shard) readMeta() (row.ShardMeta, error) {
	meta, err := s.dec.GetMeta(s.store, s.id)
	if errors.Is(err, storage.ErrNotFound) {
		return row.ShardMeta{Low: 1}, nil
	}
	if err != nil {
		return row.ShardMeta{}, err
	}
	for _, p := range meta.Positions {
		if int(p.Source) >= s.shards {
			return row.ShardMeta{}, fmt.Errorf("%w: meta row of shard %d names shard %d of %d", storage.ErrCorrupt, s.id, p.Source, s.shards)
		}
		s.positions[p.Source] = p.Seq
	}
	for _, a := range meta.Sent {
		if int(a.To) >= s.shards {
			return row.ShardMeta{}, fmt.Errorf("%w: meta row of shard %d names shard %d of %d", storage.ErrCorrupt, s.id, a.To, s.shards)
		}
		// All that was sent before the first kept record was acknowledged (A5).
		s.outboxes[a.To].sent = a.Seq
	}
	return meta, nil
}

// replay takes one record in.
func (s *Shard) replay(data []byte) error {
	record, err := s.dec.Record(data)
	if err != nil {
		return err
	}
	s.now = record.Now
	for i := range record.Inputs {
		if err := s.replayInput(&record, &record.Inputs[i]); err != nil {
			return err
		}
	}
	for _, out := range record.Outputs {
		if int(out.To) >= s.shards {
			return fmt.Errorf("%w: message to shard %d of %d", storage.ErrCorrupt, out.To, s.shards)
		}
		o := &s.outboxes[out.To]
		o.sent = max(o.sent, out.Seq)
		o.waiting = append(o.waiting, outgoing{Wire{out.Seq, out.Body, s.flights.relaunch()}, record.Seq})
	}
	for _, ack := range record.Acks {
		if int(ack.To) >= s.shards {
			return fmt.Errorf("%w: ack of shard %d of %d", storage.ErrCorrupt, ack.To, s.shards)
		}
		s.outboxes[ack.To].acknowledge(ack.Seq)
	}
	return nil
}

func (s *Shard) replayInput(record *row.Record, in *row.Input) error {
	switch in.Source {
	case row.ExternalInput:
		e, err := s.dec.Event(in.Body)
		if err != nil {
			return err
		}
		s.seen.Add(e.Seen, record.Now)
		s.note(e, record.Seq, len(in.Body))
		r, err := s.node(e.Route())
		if err != nil {
			return err
		}
		if r.applied < record.Seq {
			s.dirtied(r, record.Seq)
			r.pending = append(r.pending, in.Body)
		}
		return s.reapply(&graph.Message{Kind: graph.KindObserve, To: e.Route(), Event: e}, record.Seq)
	case SourceSkipped:
		from, n := binary.Uvarint(in.Body)
		if n <= 0 || from >= uint64(s.shards) {
			return fmt.Errorf("%w: skipped message of shard %d of %d", storage.ErrCorrupt, from, s.shards)
		}
		s.positions[from] = max(s.positions[from], in.Seq)
		return nil
	case SourceChannel:
		return s.replayExternal(in)
	case SourceTold:
		s.replayTold()
		return nil
	}
	for _, o := range s.observers {
		if o, ok := o.(Replayer); ok && o.Source() == in.Source {
			return o.Replay(in)
		}
	}
	if in.Source != row.ExternalMessage && int(in.Source) >= s.shards {
		return fmt.Errorf("%w: message of shard %d of %d", storage.ErrCorrupt, in.Source, s.shards)
	}
	if in.Source != row.ExternalMessage && graph.ShardID(in.Source) != s.id {
		s.positions[in.Source] = max(s.positions[in.Source], in.Seq)
	}
	if row.AreNotes(in.Body) {
		return s.replayNotes(in.Body)
	}
	m, err := s.dec.Message(in.Body)
	if err != nil {
		return err
	}
	return s.reapply(m, record.Seq)
}

// reapply lets a node take a message again, unless its row counts it.
func (s *Shard) reapply(m *graph.Message, seq uint64) error {
	r, err := s.node(m.To)
	if err != nil {
		return err
	}
	if r.applied >= seq {
		return nil
	}
	s.dirtied(r, seq)
	s.out.Reset()
	err = s.observed(r, m, true)
	if r.handsOn(&s.out) {
		r.handed = seq
	}
	return err
}

func (s *Shard) dirtied(r *resident, seq uint64) {
	if r.dirtySince == 0 {
		r.dirtySince = seq
		s.dirty.push(r)
	}
}

// Known takes the fingerprints of all nodes that have a row, gathered while the shard worked: from
// then on the store is not asked for nodes that were never seen.
func (s *Shard) Known(rows *hashset.Fingerprints) {
	for _, key := range s.fresh {
		rows.Add(key)
	}
	s.known, s.fresh = rows, nil
}

// quarantine keeps an input aside, with the reason.
func (s *Shard) quarantine(in *Input) {
	s.counting.Quarantined++
	q := row.Quarantined{Reason: in.poison.Error(), At: s.now, Input: row.Input{Source: uint16(in.From), Seq: in.Seq, Body: in.Body}}
	switch {
	case in.Event != nil:
		q.Input.Source = row.ExternalInput
	case in.Message != nil:
		q.Input.Source = row.ExternalMessage
	}
	s.enc.PutQuarantined(&s.batch, s.id, s.counting.Quarantined, &q)
	if in.Outcome == nil {
		s.skip(in)
	} else {
		s.begun = true // the counters are to be durable
	}
}

// poisonRate allows 100 inputs a minute to be set aside.
type poisonRate struct {
	minute int64
	count  int
}

func (p *poisonRate) allow(now int64) bool {
	if m := now / 60_000; m != p.minute {
		p.minute, p.count = m, 0
	}
	p.count++
	return p.count <= 100
}
