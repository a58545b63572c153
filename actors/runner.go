package actors

import (
	"time"

	"github.com/kindred-id/kindred/actors/protoactor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// runner is the shard actor: it drives a Shard with the messages that its inbox hands over, and passes on what the shard lets
// out once it is durable: posts to other shards, and answers to deliveries.
//
//   - It has one step under way: from shard.Step until the committer says committed, the inbox holds inputs back.
//   - Once the shard has failed (broken) it is not touched again: its memory is ahead of the log.
type runner struct {
	pool   *pool
	id     graph.ShardID
	inbox  inbox
	shard  *shard.Shard
	inputs []shard.Input // of the step under way
	asks   []*asking
	turn   int  // inputs since this goroutine last let others run
	broken bool // the shard failed: its memory holds what was never logged, and must not be used
}

// Messages to a shard actor, beside step.
type (
	// committed says that the batch of the step under way is durable.
	committed struct{}
	// asking lets fn run with the shard, on the goroutine that runs it.
	asking struct{ fn func(*shard.Shard) }
	// acked is what another shard has taken.
	acked struct {
		from graph.ShardID
		seq  uint64
	}
	// ticking lets the shard resend.
	ticking struct{}
	// flushing asks for everything to be written; done is closed when it is durable.
	flushing struct{ done chan struct{} }
)

// Receive implements protoactor.Actor.
func (r *runner) Receive(message any, self protoactor.Context) {
	if r.broken {
		return // the engine has failed, and has answered everybody
	}
	switch message.(type) {
	case *step, *asking, acked, *flushing:
		if r.shard == nil && !r.open(self) {
			return
		}
	case ticking:
		if r.shard == nil {
			return // nothing waits in a shard that was not recovered
		}
	}
	switch m := message.(type) {
	case *step:
		r.step(m.inputs)
	case committed:
		r.committed()
	case *asking:
		m.fn(r.shard)
	case acked:
		r.deliver(r.shard.Acked(m.from, m.seq, r.pool.now()))
	case ticking:
		r.deliver(r.shard.Tick(r.pool.now()))
	case *flushing:
		r.flush(m)
	}
}

// open recovers the shard, before the first message that needs it.
func (r *runner) open(self protoactor.Context) bool {
	p := r.pool
	opened, err := p.openShard(r.id, self.Host(p.rules), r.between)
	if err != nil {
		r.broken = true
		p.fail(err)
		return false
	}
	r.shard = opened
	// Messages in the log may have arrived long ago: only the other shards know. If the next tick asked them, a command
	// that opens an engine for one question and closes it would wait for that tick.
	r.deliver(opened.Tick(p.now()))
	return true
}

// turnInputs is how many inputs a shard handles before it yields to reads.
const turnInputs = 16

// between is called between the inputs of a step: it answers the reads that came in meanwhile.
func (r *runner) between() {
	r.asks = r.inbox.takeAsks(r.asks[:0])
	for _, a := range r.asks {
		a.fn(r.shard)
	}
	if r.turn++; r.turn >= turnInputs || len(r.asks) > 0 {
		r.turn = 0
		r.pool.priority.yield()
	}
	clear(r.asks)
}

func (r *runner) step(inputs []shard.Input) {
	r.inputs = inputs
	changed, err := r.shard.Step(inputs, r.pool.now())
	if err != nil {
		r.broken = true
		r.pool.fail(err)
		return
	}
	if !changed {
		r.finish()
		return
	}
	r.inbox.setCommitting(true)
	r.pool.committer.submit(r)
}

// committed is called when the step's batch is durable: now, and only now, what follows from it
// may be seen outside (A1).
func (r *runner) committed() {
	r.inbox.setCommitting(false)
	r.finish()
}

func (r *runner) finish() {
	r.deliver(r.shard.Committed(r.pool.now()))
	for i := 0; i < len(r.inputs); {
		owner := r.inputs[i].Delivery
		n := 1
		for i+n < len(r.inputs) && r.inputs[i+n].Delivery == owner {
			n++
		}
		if d, ok := owner.(*Delivery); ok {
			d.answer(n)
		}
		i += n
	}
	r.inbox.recycle(r.inputs)
	r.inputs = nil
}

func (r *runner) deliver(posts []shard.Post) {
	for _, p := range posts {
		r.pool.runners[p.To].receive(p.Envelope)
	}
}

// receive takes an envelope of another shard.
func (r *runner) receive(e shard.Envelope) {
	if e.HasAck {
		r.inbox.PostUserMessage(acked{e.From, e.Acked})
	}
	if len(e.Messages) == 0 {
		return
	}
	inputs := make([]shard.Input, len(e.Messages))
	for i, w := range e.Messages {
		inputs[i] = shard.Input{From: e.From, Seq: w.Seq, Body: w.Body, Epoch: w.Epoch}
	}
	r.inbox.postInputs(inputs)
}

func (r *runner) flush(m *flushing) {
	r.inbox.mu.Lock()
	busy := r.inbox.committing
	r.inbox.mu.Unlock()
	if busy { // the batch is being written: come back once it is
		time.AfterFunc(time.Millisecond, func() { r.inbox.PostUserMessage(m) })
		return
	}
	for more := true; more; {
		var err error
		if more, err = r.shard.Flush(r.pool.now()); err == nil {
			err = r.pool.store.Commit(r.shard.Batch())
		}
		if err != nil {
			r.broken = true
			r.pool.fail(err)
			return
		}
		r.deliver(r.shard.Committed(r.pool.now()))
	}
	close(m.done)
}
