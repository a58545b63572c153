package shard

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/row"
)

// logSpan is the log that the store holds: records from low to the last one, with their sizes.
type logSpan struct {
	low   uint64 // the first record kept
	sizes []int  // from low on
	bytes int64
}

func (l *logSpan) append(size int) {
	l.sizes = append(l.sizes, size)
	l.bytes += int64(size)
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

func (l *logSpan) truncate(low uint64) {
	for l.low < low && len(l.sizes) > 0 {
		l.bytes -= int64(l.sizes[0])
		l.sizes = l.sizes[1:]
		l.low++
	}
}

// dirtyQueue holds nodes whose rows lack records, in the order in which they began to. An entry
// whose node has been written since is passed over.
type dirtyQueue struct {
	entries []dirtyEntry
}

type dirtyEntry struct {
	r     *resident
	since uint64
}

func (q *dirtyQueue) push(r *resident) { q.entries = append(q.entries, dirtyEntry{r, r.dirtySince}) }

// head is the node that has been dirty for the longest; nil when none is.
func (q *dirtyQueue) head() *resident {
	for len(q.entries) > 0 {
		if e := q.entries[0]; e.r.dirtySince == e.since {
			return e.r
		}
		q.pop()
	}
	q.entries = nil
	return nil
}

func (q *dirtyQueue) pop() {
	q.entries[0] = dirtyEntry{}
	q.entries = q.entries[1:]
}

// evictionsPerCommit bounds how many nodes one commit makes room of. It is above what a step may add, or memory would
// grow for as long as new visitors come.
const evictionsPerCommit = 2 * StepInputs

// prepare closes the record and adds to the batch what is written behind: the nodes that keep the
// log from being truncated, and those that memory has no room for.
func (s *Shard) prepare() (bool, error) {
	if err := s.tellNotes(); err != nil {
		return false, err
	}
	if !s.begun {
		return !s.batch.Empty(), nil
	}
	s.closeRoots(false)
	record := s.closeRecord()
	for _, e := range s.logged {
		e.r.pending = append(e.r.pending, record[e.start:e.end:e.end])
	}
	s.flights.launch(s.sending)
	for _, m := range s.sending {
		o := &s.outboxes[m.to]
		o.waiting = append(o.waiting, outgoing{Wire{m.seq, record[m.start:m.end:m.end], m.epoch}, s.seq})
	}

	cut := s.log.cut(s.limits.LogBytes)
	for r := s.dirty.head(); r != nil && r.dirtySince < cut; r = s.dirty.head() {
		s.write(r)
	}
	s.makeRoom()
	return true, s.truncate(s.limits.LogBytes / truncateShare)
}

// closeRecord notes what was acknowledged and counted, and adds the record to the batch.
func (s *Shard) closeRecord() []byte {
	for i := range s.outboxes {
		if o := &s.outboxes[i]; o.acked > o.noted {
			s.record.AddAck(uint16(i), o.acked)
			o.noted = o.acked
		}
	}
	s.addExternal()
	s.seq++
	closing := Closing{Record: s.seq, Now: s.now, Batch: &s.batch, Log: &s.record, touched: s.touched}
	for _, o := range s.observers {
		o.Close(&closing)
	}
	record := s.record.Bytes()
	s.enc.PutRecord(&s.batch, s.id, s.seq, record)
	s.log.append(len(record))
	return record
}

// write puts a node's row, and the block of its timeline that is not stored yet, into the batch.
// Both count up to this record, which is in the same batch.
func (s *Shard) write(r *resident) {
	s.enc.PutNode(&s.batch, s.id, &r.Node, s.seq)
	if len(r.pending) > 0 {
		s.enc.PutBlock(&s.batch, s.id, r.Key, s.seq, r.pending)
		r.pending = nil
	}
	r.applied, r.dirtySince = s.seq, 0
	s.nodes.measure(r)
}

// makeRoom writes nodes that are to be passivated. They leave memory once that is durable.
func (s *Shard) makeRoom() {
	clear(s.leaving)
	s.leaving = s.leaving[:0]
	over := s.nodes.bytes - s.limits.ActorBytes
	for n := 0; over > 0 && n < evictionsPerCommit; n++ {
		r := s.nodes.candidate()
		if r == nil {
			return
		}
		over -= residentBytes + int64(r.size)
		if r.dirtySince != 0 {
			s.write(r)
		}
		s.leaving = append(s.leaving, r)
	}
}

// truncateShare is the part of the log limit by which the log is truncated at a time: every
// truncation is a range deletion, and those are not free.
const truncateShare = 4

// truncate deletes the records that nothing needs any more (A5), if they have at least so many bytes.
func (s *Shard) truncate(least int64) error {
	low := s.seq // the last record stays: it has the counters
	if r := s.dirty.head(); r != nil {
		low = min(low, r.dirtySince)
	}
	if len(s.notes.hashes) > 0 {
		low = min(low, s.notes.from)
	}
	for i := range s.outboxes {
		if oldest := s.outboxes[i].oldest(); oldest > 0 {
			low = min(low, oldest)
		}
	}
	if low <= s.log.low || s.log.before(low) < least {
		return nil
	}
	for _, memory := range []*dedupe.Memory{s.seen, s.ids} {
		if err := memory.Expire(s.now, &s.batch); err != nil {
			return err
		}
	}
	if err := s.ids.Flush(&s.batch); err != nil {
		return err
	}
	if err := s.seen.Flush(&s.batch); err != nil {
		return err
	}
	row.DeleteRecords(&s.batch, s.id, s.log.low, low)
	s.log.truncate(low)
	s.writeMeta()
	return nil
}

func (s *Shard) writeMeta() {
	meta := row.ShardMeta{Applied: s.seq, Low: s.log.low}
	for i, p := range s.positions {
		if p > 0 {
			meta.Positions = append(meta.Positions, row.Position{Source: uint16(i), Seq: p})
		}
	}
	for i := range s.outboxes {
		if o := &s.outboxes[i]; o.sent > 0 {
			meta.Sent = append(meta.Sent, row.Ack{To: uint16(i), Seq: o.sent})
		}
	}
	s.enc.PutMeta(&s.batch, s.id, &meta)
	s.writeExternal()
}

// Flush writes dirty nodes, and once all are written truncates the log as far as it goes, so that the
// next start has nothing to replay. It does so in parts: more says that another is to follow. Step's
// rules hold for each: what it leaves in Batch is to be committed.
func (s *Shard) Flush(now int64) (more bool, err error) {
	s.begin(now, 0)
	for r := s.dirty.head(); r != nil; r = s.dirty.head() {
		s.write(r)
		if s.batch.Size() >= s.limits.FlushBytes {
			return true, nil
		}
	}
	if s.unnoted() {
		// The last record stays. With messages that have arrived it would have the next start send them again, and
		// count them as in transit.
		s.closeRecord()
	}
	return false, s.truncate(0)
}

// unnoted tells whether an acknowledgement came that no record holds.
func (s *Shard) unnoted() bool {
	for i := range s.outboxes {
		if s.outboxes[i].acked > s.outboxes[i].noted {
			return true
		}
	}
	return false
}

// Batch is what the step under way writes. It is valid until the next Step.
func (s *Shard) Batch() *storage.Batch { return &s.batch }

// Committed is called when the batch is durable. It returns what may leave the shard now: messages
// to other shards, with acknowledgements.
func (s *Shard) Committed(now int64) (posts []Post) {
	for i := range s.outboxes {
		s.outboxes[i].ready = s.outboxes[i].sent
		if wires := s.outboxes[i].fly(now); len(wires) > 0 {
			posts = append(posts, s.post(graph.ShardID(i), wires))
		}
	}
	for _, from := range s.heard {
		posts = s.ack(posts, from)
	}
	s.heard = s.heard[:0]
	s.external.committed()
	for _, o := range s.observers {
		o.Committed()
	}
	s.passivate()
	return posts
}

func (s *Shard) post(to graph.ShardID, wires []Wire) Post {
	return Post{to, Envelope{From: s.id, Messages: wires}}
}

// ack tells a shard what was taken of its channel, along with messages to it where there are any.
func (s *Shard) ack(posts []Post, to graph.ShardID) []Post {
	for i := range posts {
		if posts[i].To == to {
			posts[i].Acked, posts[i].HasAck = s.positions[to], true
			return posts
		}
	}
	return append(posts, Post{to, Envelope{From: s.id, Acked: s.positions[to], HasAck: true}})
}

// Acked notes how far another shard has taken this one's messages, and returns what may follow.
func (s *Shard) Acked(from graph.ShardID, seq uint64, now int64) []Post {
	o := &s.outboxes[from]
	if seq > o.sent {
		return nil // of a message that was never committed: impossible, and harmless
	}
	o.acknowledge(seq)
	if wires := o.fly(now); len(wires) > 0 {
		return []Post{s.post(from, wires)}
	}
	return nil
}

// Tick resends what was not acknowledged for too long.
func (s *Shard) Tick(now int64) (posts []Post) {
	for i := range s.outboxes {
		o := &s.outboxes[i]
		if !o.overdue(now) && o.flown == len(o.waiting) {
			continue
		}
		if wires := o.fly(now); len(wires) > 0 {
			posts = append(posts, s.post(graph.ShardID(i), wires))
		}
	}
	return posts
}

// Waiting is how many messages to other shards are not acknowledged.
func (s *Shard) Waiting() (n int) {
	for i := range s.outboxes {
		n += len(s.outboxes[i].waiting)
	}
	return n
}

// passivate drops residents that memory has no room for. Only clean ones go: their rows are durable.
func (s *Shard) passivate() {
	for _, r := range s.leaving { // the clock's hand has passed them, and would come back only after all others
		if s.nodes.bytes > s.limits.ActorBytes && r.dirtySince == 0 && s.nodes.get(r.Key) == r {
			s.drop(r)
		}
	}
	clear(s.leaving)
	s.leaving = s.leaving[:0]
	for turns := len(s.nodes.ring); s.nodes.bytes > s.limits.ActorBytes && turns > 0; turns-- {
		r := s.nodes.candidate()
		if r == nil {
			return
		}
		if r.dirtySince != 0 {
			continue
		}
		s.drop(r)
	}
}

func (s *Shard) drop(r *resident) {
	if r.Component != nil {
		s.stop(r)
	}
	if r.moved > 0 {
		s.outboxes[r.Parent.Shard(s.shards)].noteMoved(r.Parent, r.moved)
	}
	s.nodes.remove(r)
}
