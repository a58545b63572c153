package shard

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// step is the step under way: what was taken, what nodes changed, and what they sent. It is prepared in memory and becomes one
// record of the log, beside rows.
//
//	begin ──► (accept ──► handle ──► collect ──► next)* for every input ──► close
//
// Invariants:
//   - All that a node takes is in the record before it takes it: inputs by accept, messages to nodes of this shard by next.
//   - A node is reached by one message at a time, and what it sends to nodes of this shard waits in the queue until it is
//     done: handling never nests.
//   - The memory of the record is given back when the step ends: timelines and outboxes copy what they need of it. That of
//     the batch is given back when the batch is durable.
//
// One input goes through a step like this, where A and B are nodes of this shard and C is a node of another one:
//
//	accept ──► handle A ──► collect ──► message to C: numbered, into the record as an output
//	                            └─────► message to B: queue
//	next   ──► message to B, into the record as an input ──► handle B ──► collect ──► next: nil, the input is done
//
// A recovery relies on this: the record lists an input and all that followed from it in the shard, in the order in
// which nodes took it. So replay lets each node take the inputs that are for it, and ignores what nodes send
// meanwhile.
//
// The obvious design, a handler that calls the handler of the next node, would let a node change while its own
// handler is in the middle of a change, and a long chain of joins would grow the stack.
type step struct {
	draft
	now      int64
	epoch    uint64 // of the input being handled
	tidy     bool   // observers are to delete what they keep no more
	flushTo  uint64 // rows of nodes that lack records up to this one are to be written, some of them
	batch    storage.Batch
	queue    queue         // to nodes of this shard
	outside  graph.Message // being handled: from outside the shard
	event    graph.Event   // of a message from another shard; valid until its input is done
	out      graph.Outbox  // of the node being handled
	diff     graph.Diff    // of the component that is being closed
	logged   []loggedEvent // events that go to timelines
	blocked  []*resident   // whose pending events the batch has in blocks
	observed observed      // what observers are shown
}

// StepInputs is how many inputs a step may have at most.
const StepInputs = 512

// Room in a record beside its inputs: for what they send. A record that needs more grows.
const (
	recordRoom     = 512
	recordRoomEach = 64
)

// Step takes inputs and handles them. It reports whether there is something to commit; if not, the inputs were duplicates of
// what is durable already, and Committed may be called at once.
//
// An input whose handler fails is set aside, after what the step did was undone by a recovery. An error stops the shard.
func (s *Shard) Step(inputs []Input, now int64) (changed bool, err error) {
	for {
		err := s.take(inputs, now)
		if err == nil {
			return s.step.close()
		}
		if err := s.setAside(inputs, now, err); err != nil {
			return false, err
		}
	}
}

// take lets each input be handled: by the node that it is for, and what follows in this shard by the nodes after it.
//
// A failure is charged to the input from which the chain began, even where a node further on in the chain has
// failed: that input is the only thing that can be left out when the step is done again. An error of the store is
// no fault of an input, so it is returned as it is and stops the shard.
func (s *Shard) take(inputs []Input, now int64) (err error) {
	t := &s.step
	t.begin(s.log.after(now), inputs)
	t.raise()
	t.shard.telling.begin(t.number())
	at := 0
	defer func() {
		if cause := recover(); cause != nil {
			err = &errPoison{at, fmt.Errorf("handler panicked: %v", cause)}
		}
	}()
	for at = range inputs {
		if s.config.Between != nil {
			s.config.Between()
		}
		r, m, err := t.accept(&inputs[at])
		for err == nil && m != nil {
			if m.Kind == graph.KindGroup {
				err = s.groups.take(m.Event)
			} else if r, err = t.handle(r, m); err == nil {
				t.collect(r, m)
			}
			if err == nil {
				r, m, err = t.next()
			}
		}
		if errors.Is(err, graph.ErrCorrupt) || errors.Is(err, errUndecodable) {
			return &errPoison{at, err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin starts a step. The size of its record follows from its inputs.
func (t *step) begin(now int64, inputs []Input) {
	size := recordRoom
	for i := range inputs {
		size += len(inputs[i].Body) + recordRoomEach
	}
	t.now = now
	t.start(size, now)
	t.tidy, t.shard.ids.notes.now, t.flushTo = false, false, 0
	t.batch.Release()
	t.queue.clear()
	t.logged = t.logged[:0]
	t.shard.channels.heard = t.shard.channels.heard[:0]
	t.shard.external.begin()
	t.shard.groups.forget()
	t.observed.forget()
}

// accept decides whether an input is to be handled, and adds it to the record. It returns the message that is to be handled,
// nil if there is nothing to do, and its node where that is known.
//
// The order of the cases matters. A position in an external channel moves before the case of poison, so that an
// event whose handler fails does not hold up its channel. A message of another shard has its own order for the same
// reason: its number is taken first, then it is set aside.
func (t *step) accept(in *Input) (*resident, *graph.Message, error) {
	t.epoch = in.Epoch
	switch {
	case in.Outcome == nil:
		return t.acceptMessage(in)
	case in.Channel != 0 && !t.shard.external.take(in):
		*in.Outcome = OutOfTurn
	case in.Channel != 0 && in.Event == nil:
		*in.Outcome = Accepted
		t.begun = true // the position is to be durable
	case in.poison != nil:
		*in.Outcome = Quarantined
		t.quarantine(in)
	case in.Event != nil:
		return t.acceptEvent(in)
	case in.Tell:
		*in.Outcome = Accepted
		t.shard.ids.notes.now = true
	case in.Tidy:
		*in.Outcome = Accepted
		t.tidy = true
	case in.Wake:
		*in.Outcome = Accepted
		t.shard.telling.wake = true
	case in.Fill:
		*in.Outcome = Accepted
		if err := t.fill(); err != nil {
			return nil, nil, err
		}
		return t.next()
	default:
		*in.Outcome = Accepted
		t.add(row.ExternalMessage, 0, in.Body)
		t.outside = *in.Message
		return nil, &t.outside, nil
	}
	return nil, nil, nil
}

// acceptEvent takes an event from outside, once. Its memory is here, in the shard of its route,
// before anything is passed on.
//
// A duplicate that comes through no external channel adds nothing to the record, so a step of such duplicates alone
// commits nothing. It is answered at once: its first copy is durable.
func (t *step) acceptEvent(in *Input) (*resident, *graph.Message, error) {
	s, e := t.shard, in.Event
	t.begun = t.begun || in.Channel != 0 // a duplicate moves the position, too
	taken, err := s.ids.take(e, t.now)
	if err != nil {
		return nil, nil, err
	}
	if taken {
		*in.Outcome = Duplicate
		s.counting.Duplicates++
		return nil, nil, nil
	}
	*in.Outcome = Accepted
	s.counting.Accepted++
	e, body := t.mark(in)
	s.ids.note(e, t.number(), len(body))
	start, end := t.add(row.ExternalInput, 0, body)
	r, err := s.residents.node(e.Route())
	if err != nil {
		return nil, nil, err
	}
	s.residents.touch(r, t.number())
	t.logged = append(t.logged, loggedEvent{r, start, end})
	if e.Group != nil {
		m := e.GroupMessage()
		t.send(&m)
	}
	t.outside = graph.Message{Kind: graph.KindObserve, To: e.Route(), Event: e}
	return r, &t.outside, nil
}

// acceptMessage takes a message of another shard if it is the next one (A3).
func (t *step) acceptMessage(in *Input) (*resident, *graph.Message, error) {
	s := t.shard
	if !s.channels.take(in.From, in.Seq) {
		return nil, nil, nil
	}
	if in.poison != nil {
		t.quarantine(in)
		return nil, nil, nil
	}
	if row.AreNotes(in.Body) {
		t.add(uint16(in.From), in.Seq, in.Body)
		return nil, nil, row.Notes(in.Body, func(h uint64) error { return s.ids.hear(h, t.now, &s.counting.Counters) })
	}
	if err := s.codec.dec.MessageInto(in.Body, &t.outside, &t.event); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	ahead, err := t.ahead(&t.outside)
	if err != nil {
		return nil, nil, err
	}
	if ahead {
		t.skip(in)
		return nil, nil, nil
	}
	t.add(uint16(in.From), in.Seq, in.Body)
	return nil, &t.outside, nil
}

// next takes the next message that a node of this shard has sent to a node of this shard; nil if there is none.
func (t *step) next() (*resident, *graph.Message, error) {
	for {
		m := t.queue.pop()
		if m == nil {
			return nil, nil, nil
		}
		ahead, err := t.ahead(m)
		if err != nil {
			return nil, nil, err
		}
		if ahead {
			continue
		}
		c := &t.shard.codec
		c.body = c.enc.Message(c.body[:0], m)
		t.add(uint16(t.shard.config.ID), 0, c.body)
		return nil, m, nil
	}
}

// ahead reports whether a Repoint answers an event that passed its forward ahead of evidence, or in the same record: the
// evidence may still be on its way along forwards that the Repoint leaves out, and a look-up would miss it (A10). It is
// not taken then; another follows the next event. It is decided once: a log has what was taken.
//
// The events that reach this, with a forward F, its parent P, and a root R above P:
//
//	an event passes F on its way to P        Passed is this record
//	F hands evidence on to P                 handed is this record, or a later one
//	R takes the event, and answers F         Repoint to R, with Passed
//	F would lead to R from now on            a look-up goes from F to R; the evidence may still be on its way to P
//
// As Passed <= handed, F keeps P as its parent. An event that passes F in a later record takes the road of the
// evidence, after it, so its Repoint comes when the evidence has arrived.
func (t *step) ahead(m *graph.Message) (bool, error) {
	if m.Kind != graph.KindRepoint {
		return false, nil
	}
	r, err := t.shard.residents.node(m.To)
	return err == nil && !r.Parent.IsZero() && m.Passed <= r.handed, err
}

// handle lets a node take a message. Where r is nil the node is looked up; it is returned.
func (t *step) handle(r *resident, m *graph.Message) (*resident, error) {
	if r == nil {
		var err error
		if r, err = t.shard.residents.node(m.To); err != nil {
			return nil, err
		}
	}
	t.shard.residents.touch(r, t.number())
	return r, t.show(r, m, false)
}

// collect takes in what a node has sent and reported.
//
// While all is judged again under other rules (sweeping), a forward that hands evidence on also sends a Recheck
// after it, in the same channel, so that the parent is judged with that evidence.
func (t *step) collect(r *resident, m *graph.Message) {
	if m.Kind == graph.KindRepoint {
		r.moved = 0 // it answers an event that took the road of the evidence, after all of it
	}
	for i := range t.out.Messages {
		if next := &t.out.Messages[i]; next.Kind == graph.KindObserve && m.Via.IsZero() {
			next.Passed = t.number() // r is its Via
		}
		t.send(&t.out.Messages[i])
	}
	moved := r.handsOn(&t.out)
	if moved {
		r.moved, r.handed = t.shard.channels.to(r.Parent).sent, t.number()
	}
	if moved && t.shard.sweeping {
		t.send(&graph.Message{Kind: graph.KindRecheck, To: r.Parent})
	}
}

// send queues a message to a node of this shard, or numbers one to another shard.
func (t *step) send(m *graph.Message) {
	to := m.To.Shard(t.shard.config.Shards)
	if to == t.shard.config.ID {
		t.queue.push(m)
		return
	}
	c := &t.shard.codec
	c.body = c.enc.Message(c.body[:0], m)
	t.post(to, c.body, t.epoch)
}

// close closes the record and adds deferred rows to the batch. It reports whether there is something to commit.
//
// The order is forced. Notes may still add to the record. Roots are closed before the record, since observers add
// to it what they saw. The record is closed before its parts are copied to timelines and outboxes, as its buffer
// may move while it grows. Rows come last: they count up to this record, which is in the same batch.
//
// The rows of two kinds of nodes are written: those that lack records before cut, which would keep the log above
// its limit, and those that are to leave memory.
func (t *step) close() (changed bool, err error) {
	s := t.shard
	if err := t.tellNotes(); err != nil {
		return false, err
	}
	if t.tidy {
		t.tidyObservers()
	}
	if err := t.findDue(); err != nil {
		return false, err
	}
	t.noteMarking()
	if !t.begun {
		s.telling.note()
		t.end(t.buffer)
		return !t.batch.Empty(), nil
	}
	t.closeRoots(false)
	if err := t.tell(); err != nil {
		return false, err
	}
	s.telling.note()
	s.groups.close(s.codec.enc, &t.batch)
	record := t.closeRecord()
	for _, e := range t.logged {
		s.pending.add(&e.r.pending, record[e.start:e.end])
	}
	s.channels.wait(t.sending, record, s.log.last())
	t.end(record)

	deferred := checkpoint{s, &t.batch}
	cut := s.log.cut(s.config.Limits.LogBytes)
	for r := s.residents.dirty.head(); r != nil && r.dirtySince < cut; r = s.residents.dirty.head() {
		deferred.write(r)
	}
	for r := s.residents.dirty.head(); r != nil && r.dirtySince <= t.flushTo; r = s.residents.dirty.head() {
		if deferred.write(r); t.batch.Size() >= s.config.Limits.FlushBytes {
			break
		}
	}
	for r := range s.residents.excess() {
		if r.dirtySince != 0 {
			deferred.write(r)
		}
	}
	return true, deferred.truncate(s.config.Limits.LogBytes / truncateShare)
}

// settle lets go of what is in the store: the batch, and events that stand in blocks now.
func (t *step) settle() {
	for _, r := range t.blocked {
		t.shard.pending.drop(&r.pending)
	}
	clear(t.blocked)
	t.blocked = t.blocked[:0]
	t.batch.Release()
}

// tidyObservers lets observers delete what they keep no more.
func (t *step) tidyObservers() {
	for _, o := range t.shard.observers {
		if o, ok := o.(tidier); ok {
			o.Tidy(&t.batch)
		}
	}
}

// closeRecord notes what was acknowledged and counted, and adds the record to the batch.
func (t *step) closeRecord() []byte {
	s, c := t.shard, &t.shard.codec
	s.channels.note(&t.record)
	s.external.note(&t.record, c)
	closing := Closing{Record: t.number(), Now: t.now, Batch: &t.batch, Log: &t.record, Memberships: s.telling.entries, touched: t.observed.touched}
	for _, o := range s.observers {
		o.Close(&closing)
	}
	record := t.record.Bytes()
	s.log.append(len(record), t.now)
	c.enc.PutRecord(&t.batch, s.config.ID, s.log.last(), record)
	return record
}

// closeRoots ends the step, or the replay of the log, for the components that it touched: they are divided anew where they
// changed, and measured. A replay announces nothing: its identities were announced when they were first made.
func (t *step) closeRoots(replay bool) {
	for _, r := range t.observed.touched {
		switch {
		case r.Component == nil: // it left, and that was told
			continue
		case replay:
			r.Component.Close(t.shard.config.Rules, &t.diff)
		default:
			t.changed(r.Component)
		}
		t.shard.residents.grown(r)
	}
}

// changed shows observers what the step made of the identities of a component.
func (t *step) changed(c *graph.Component) {
	if !c.Unclosed() {
		return
	}
	c.Close(t.shard.config.Rules, &t.diff)
	t.shard.telling.compared(&t.diff)
	for _, o := range t.shard.observers {
		o.Changed(&t.diff)
	}
}

// Batch is what the step under way writes. It is valid until Committed.
func (s *Shard) Batch() *storage.Batch { return &s.step.batch }

// Committed is called when the batch is durable. It returns what may leave the shard now: messages
// to other shards, with acknowledgements.
//
// The blocks of timelines are dropped from memory first, and nodes leave last: a node may leave only if its row is
// durable, and only now it is.
func (s *Shard) Committed(now int64) []Post {
	s.step.settle()
	posts := s.channels.committed(now)
	s.external.committed()
	s.marking.filled = s.marking.through()
	s.telling.committed()
	for _, o := range s.observers {
		o.Committed()
	}
	s.residents.passivate()
	return posts
}

// loggedEvent is where an event of this step stands in the record, for its node's timeline.
type loggedEvent struct {
	r          *resident
	start, end int
}

// sending is where a message of this step stands in the record.
type sending struct {
	to         graph.ShardID
	seq        uint64
	start, end int
	epoch      uint64
	brings     bool // it brings an event on
}

// queue holds messages from nodes of the shard to nodes of the shard.
//
// It is first in, first out, so that two messages from one node to another keep their order within a step, as they
// do in the channel between two shards. A message that is handled may push others, which can move messages in
// memory: pop hands out a copy.
type queue struct {
	messages []graph.Message
	next     int
	local    graph.Message // being handled: the queue may move meanwhile
}

func (q *queue) push(m *graph.Message) { q.messages = append(q.messages, *m) }

// pop gives the next message, which is valid until the next pop; nil if there is none.
func (q *queue) pop() *graph.Message {
	if q.next == len(q.messages) {
		q.clear()
		return nil
	}
	q.local = q.messages[q.next]
	q.next++
	return &q.local
}

func (q *queue) clear() {
	clear(q.messages)
	q.messages, q.next = q.messages[:0], 0
}
