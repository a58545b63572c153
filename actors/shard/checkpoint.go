package shard

import (
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/row"
)

// A step ends with its record, and beside it, in the same batch, it writes deferred rows: of nodes that keep the log from being
// truncated, and of those that memory has no room for. Rows cost more than records, so they are deferred for as long as the
// limit of the log allows; what a row lacks is in the log.

// checkpoint writes deferred rows into the batch of a step: of nodes, and of what deleted records held beside nodes.
type checkpoint struct {
	shard *Shard
	batch *storage.Batch
}

// write puts a node's row, and the block of its timeline that is not stored yet, into the batch.
// Both count up to this record, which is in the same batch.
func (c *checkpoint) write(r *resident) {
	s, enc := c.shard, c.shard.codec.enc
	enc.PutNode(c.batch, s.config.ID, &r.Node, s.log.last())
	if !r.pending.empty() {
		s.codec.events = s.pending.list(s.codec.events[:0], r.pending)
		enc.PutBlock(c.batch, s.config.ID, r.Key, s.log.last(), s.codec.events)
		s.step.blocked = append(s.step.blocked, r)
	}
	r.applied, r.dirtySince = s.log.last(), 0
	s.residents.measure(r)
}

// truncateShare is the part of the log limit by which the log is truncated at a time: every
// truncation is a range deletion, and those are not free.
const truncateShare = 4

// truncate deletes the records that nothing needs any more (A5), if they have at least so many bytes.
func (c *checkpoint) truncate(least int64) error {
	s := c.shard
	if s.log.bytes < least {
		return nil // before looking at every outbox
	}
	low := s.log.last() // the last record stays: it has the counters
	if r := s.residents.dirty.head(); r != nil {
		low = min(low, r.dirtySince)
	}
	if len(s.ids.notes.hashes) > 0 {
		low = min(low, s.ids.notes.from)
	}
	if oldest := s.channels.oldest(); oldest > 0 {
		low = min(low, oldest)
	}
	if low <= s.log.low || s.log.before(low) < least {
		return nil
	}
	for _, memory := range []*dedupe.Memory{s.ids.seen, s.ids.told} {
		if err := memory.Expire(s.step.now, c.batch); err != nil {
			return err
		}
	}
	if err := s.ids.told.Flush(c.batch); err != nil {
		return err
	}
	if err := s.ids.seen.Flush(c.batch); err != nil {
		return err
	}
	row.DeleteRecords(c.batch, s.config.ID, s.log.low, low)
	s.log.truncate(low)
	c.writeMeta()
	return nil
}

// writeMeta writes what the records held that truncation deletes, beside nodes.
func (c *checkpoint) writeMeta() {
	s, enc := c.shard, c.shard.codec.enc
	meta := row.ShardMeta{Applied: s.log.last(), Low: s.log.low}
	for i, p := range s.channels.positions {
		if p > 0 {
			meta.Positions = append(meta.Positions, row.Position{Source: uint16(i), Seq: p})
		}
	}
	for i := range s.channels.outboxes {
		if o := &s.channels.outboxes[i]; o.sent > 0 {
			meta.Sent = append(meta.Sent, row.Ack{To: uint16(i), Seq: o.sent})
		}
	}
	enc.PutMeta(c.batch, s.config.ID, &meta)
	if stored, ok := s.external.row(s.log.last()); ok {
		enc.PutPositions(c.batch, s.config.ID, &stored)
	}
}

// Flush writes dirty nodes, and once all are written truncates the log as far as it goes, so that the
// next start has nothing to replay. It does so in parts: more says that another is to follow. Step's
// rules hold for each: what it leaves in Batch is to be committed.
func (s *Shard) Flush(now int64) (more bool, err error) {
	t := &s.step
	t.begin(s.log.after(now), nil)
	deferred := checkpoint{s, &t.batch}
	for r := s.residents.dirty.head(); r != nil; r = s.residents.dirty.head() {
		deferred.write(r)
		if t.batch.Size() >= s.config.Limits.FlushBytes {
			return true, nil
		}
	}
	if s.channels.unnoted() {
		// The last record stays. With messages that have arrived it would have the next start send them again, and
		// count them as in transit.
		t.closeRecord()
	}
	return false, deferred.truncate(0)
}
