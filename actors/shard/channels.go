package shard

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// channels are the numbered streams of messages between this shard and all shards, in both directions. Packets may be lost,
// repeated, delayed or overtaken; numbers make a channel of them that loses nothing and takes nothing twice.
//
// Invariants:
//   - A3: a message is taken if and only if its number is the one after the last one taken from there. The position moves in
//     the record that takes the message.
//   - A message waits in its outbox from the step that sends it until it is acknowledged, and is in the log for as long.
//   - What the step under way sends does not leave before the step is durable, whatever asks for messages meanwhile: an
//     acknowledgement or a tick may come while the commit is under way (outbox.ready).
//
// A message on its way from shard S to shard T, and what each of the two may forget:
//
//	S: step, number n, record in the log ──► durable: ready = n ──► fly: Envelope ───┐
//	T: take if n = position + 1, record in the log ◄─────────────────────────────────┘
//	T: durable: acknowledge n ──► S: acknowledge, leave the outbox, note in the next record
//	S: the record with n may be deleted
//
// A crash of S before its record is durable loses the step with the message: nothing of it was seen. After that,
// the outbox is made again from the log and the message is sent again. A crash of T before its record is durable
// loses the position with it, so the message is taken when it comes again. T acknowledges what it has seen even if
// it takes nothing: its last acknowledgement may be what was lost.
//
// The obvious design, to take a message whatever its number and remember the numbers that were taken, would need a
// set for each channel, and evidence could overtake the evidence before it.
type channels struct {
	id        graph.ShardID
	transit   *Transit
	positions []uint64        // by shard: the last message taken
	outboxes  []outbox        // by shard
	heard     []graph.ShardID // touched by the step under way, to be acknowledged
	departing []graph.ShardID // to which the step under way has sent
	acked     []graph.ShardID // which acknowledged something that no record notes yet
	crowded   int             // outboxes that are
	posts     []Post          // of the last call, to be used again
	wires     []Wire          // of posts
}

// reset forgets everything but who waits for messages to arrive. It returns the outboxes before.
func (c *channels) reset(shards int) (before []outbox) {
	before = c.outboxes
	c.positions, c.outboxes = make([]uint64, shards), make([]outbox, shards)
	c.heard, c.departing, c.acked, c.crowded = nil, nil, nil, 0
	for i := range c.outboxes {
		c.outboxes[i].transit = c.transit
		if before != nil {
			c.outboxes[i].waits = before[i].waits
		}
	}
	return before
}

// take reports whether a message is the next one of its channel, and moves the position. Taken or not, the channel is to be
// acknowledged.
func (c *channels) take(from graph.ShardID, seq uint64) bool {
	if !slices.Contains(c.heard, from) {
		c.heard = append(c.heard, from)
	}
	if seq != c.positions[from]+1 {
		return false
	}
	c.positions[from] = seq
	return true
}

// to is the outbox for messages to a node.
func (c *channels) to(node graph.NodeKey) *outbox { return &c.outboxes[node.Shard(len(c.outboxes))] }

// number gives the next message to a shard its number.
func (c *channels) number(to graph.ShardID) uint64 {
	o := &c.outboxes[to]
	if o.sent == o.ready {
		c.departing = append(c.departing, to)
	}
	o.sent++
	return o.sent
}

// wait puts the messages of a record into their outboxes. Their bodies get memory of their own, which nobody writes again:
// a body may be on its way once more, or twice, when its message has long been acknowledged.
func (c *channels) wait(messages []sending, record []byte, number uint64) {
	c.transit.depart(messages)
	size := 0
	for _, m := range messages {
		size += m.end - m.start
	}
	bodies := make([]byte, 0, size)
	for _, m := range messages {
		at := len(bodies)
		bodies = append(bodies, record[m.start:m.end]...)
		o := &c.outboxes[m.to]
		was := o.crowded()
		o.wait(outgoing{Wire{m.seq, bodies[at:len(bodies):len(bodies)], m.epoch}, number, m.brings})
		if !was && o.crowded() {
			c.crowded++
		}
	}
}

// wiresKept is how much memory of the lists of messages is kept: more are under way only while a shard resends.
const wiresKept = 1024

// begin begins a list of posts, in the memory of the last one.
func (c *channels) begin() []Post {
	if cap(c.wires) > wiresKept {
		c.wires = nil
	}
	clear(c.wires)
	c.wires = c.wires[:0]
	return c.posts[:0]
}

// end keeps the memory of a list of posts.
func (c *channels) end(posts []Post) []Post {
	c.posts = posts
	return posts
}

// committed gives what may leave now that the step is durable.
//
// Only outboxes that the step has sent to are looked at: what waits in another one for room in its window goes with an
// acknowledgement, and what is overdue with a tick.
func (c *channels) committed(now int64) []Post {
	posts := c.begin()
	for _, to := range c.departing {
		c.outboxes[to].ready = c.outboxes[to].sent
		posts = c.fly(posts, to, now)
	}
	c.departing = c.departing[:0]
	for _, from := range c.heard {
		posts = c.acknowledge(posts, from)
	}
	c.heard = c.heard[:0]
	return c.end(posts)
}

// fly adds what may go to a shard.
func (c *channels) fly(posts []Post, to graph.ShardID, now int64) []Post {
	before := len(c.wires)
	c.wires = c.outboxes[to].fly(c.wires, now)
	if after := len(c.wires); after > before {
		posts = append(posts, Post{to, Envelope{From: c.id, Messages: c.wires[before:after:after]}})
	}
	return posts
}

// acknowledge tells a shard what was taken of its channel, along with messages to it where there are any.
//
// Posts are few, at most one a shard, so the search is short. An acknowledgement along with messages saves an
// envelope.
func (c *channels) acknowledge(posts []Post, to graph.ShardID) []Post {
	for i := range posts {
		if posts[i].To == to {
			posts[i].Acked, posts[i].HasAck = c.positions[to], true
			return posts
		}
	}
	return append(posts, Post{to, Envelope{From: c.id, Acked: c.positions[to], HasAck: true}})
}

// acknowledged notes how far a shard has taken messages, and gives what may follow.
func (c *channels) acknowledged(from graph.ShardID, seq uint64, now int64) []Post {
	o := &c.outboxes[from]
	if seq > o.sent {
		return nil // of a message that was never committed: impossible, and harmless
	}
	if seq > o.acked && o.acked == o.noted {
		c.acked = append(c.acked, from)
	}
	was := o.crowded()
	if o.acknowledge(seq); was && !o.crowded() {
		c.crowded--
	}
	return c.end(c.fly(c.begin(), from, now))
}

// tick gives again what was not acknowledged for too long.
//
// Messages that were never put on their way count, too: those that a recovery has found in the log.
func (c *channels) tick(now int64) []Post {
	posts := c.begin()
	for i := range c.outboxes {
		if o := &c.outboxes[i]; o.overdue(now) || o.flown < len(o.waiting) {
			posts = c.fly(posts, graph.ShardID(i), now)
		}
	}
	return c.end(posts)
}

// waiting is how many messages are not acknowledged.
func (c *channels) waiting() (n int) {
	for i := range c.outboxes {
		n += len(c.outboxes[i].waiting)
	}
	return n
}

// Waiting is how many messages to some shards are not acknowledged.
func (s *Shard) Waiting(to func(graph.ShardID) bool) (n int) {
	for i := range s.channels.outboxes {
		if to(graph.ShardID(i)) {
			n += len(s.channels.outboxes[i].waiting)
		}
	}
	return n
}

// Crowded reports whether more messages to one shard are not acknowledged than may be while events are taken in.
func (s *Shard) Crowded() bool { return s.channels.crowded > 0 }

// oldest is the first record that holds a message which is not acknowledged; 0 when there is none.
func (c *channels) oldest() (record uint64) {
	for i := range c.outboxes {
		if oldest := c.outboxes[i].oldest(); oldest > 0 && (record == 0 || oldest < record) {
			record = oldest
		}
	}
	return record
}

// note adds to a record which messages were acknowledged since the last one.
//
// An acknowledgement waits for the next record; only Flush writes a record for it. If it is lost in a crash, the
// messages are sent again, and the receiver, which has taken them, acknowledges them again.
func (c *channels) note(record *row.RecordWriter) {
	for _, from := range c.acked {
		o := &c.outboxes[from]
		record.AddAck(uint16(from), o.acked)
		o.noted = o.acked
	}
	c.acked = c.acked[:0]
}

// unnoted reports whether an acknowledgement came that no record holds.
func (c *channels) unnoted() bool { return len(c.acked) > 0 }

// moving is the number of the message with which evidence that a forward has handed on is still on its
// way to its parent; 0 when none is.
//
// Two places may know it: the forward itself, while it is in memory, and the outbox, on behalf of forwards that
// left memory or were recovered. The outbox knows by root, not by forward, so a look-up may wait for the evidence
// of another forward to the same root. That costs time and is never wrong.
func (c *channels) moving(r *resident) uint64 {
	if r.Parent.IsZero() {
		return 0
	}
	o := c.to(r.Parent)
	seq := max(r.moved, o.moved[r.Parent])
	if o.arrived(seq) {
		return 0
	}
	return seq
}
