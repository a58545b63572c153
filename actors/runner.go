package actors

import (
	"sync/atomic"

	"github.com/kindred-id/kindred/actors/protoactor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// runner is the shard actor: it drives a Shard with the messages that its inbox hands over, and passes on what the shard lets
// out once it is durable: posts to other shards, and answers to deliveries. The shard itself comes and goes:
//
//	            first message
//	taken, closed ──────────► open ◄──► committing
//	     ▲                      │ Yield: flush, then close
//	     │ Take                 │ Lose, or a failure of its own: close at once
//	     └──────── away ◄───────┘
//
// Invariants:
//   - It has one batch on its way: from Step, or Flush, until the committer says committed, the inbox holds inputs back.
//   - While a shard is away, its inputs are answered Elsewhere, callers who ask are told ErrLost, and messages of other shards
//     are dropped: their senders keep them and send them again.
//   - A shard that was lost is not opened again while a batch of it is on its way to the store, and nobody is told until then
//     that it has left (A12): Take and Lose wait.
//   - A batch on its way belongs to the committer. Nothing else of a shard is touched by another goroutine.
//
// They force the order in which a step ends. A look-up may run between two inputs of a step, so it sees what is not
// durable, and only posts and answers wait for the commit. The steps of one shard, and who runs each:
//
//	inbox ──inputs──► step ──batch──► committer: one sync for many shards
//	                                      │ committed, a message to the inbox
//	posts, answers ◄── finish ◄───────────┘
//
// The obvious design, a runner that waits for its commit inside of step, would block a worker for each shard that
// commits, and a look-up would wait for the disk.
type runner struct {
	pool  *pool
	id    graph.ShardID
	inbox inbox
	// gone says why the shard is not with this process; nil while it is. The runner alone changes it.
	gone atomic.Pointer[lostError]
	// opened is set while the shard is open.
	opened atomic.Bool

	shard    *shard.Shard  // nil until it is opened
	openings uint64        // how often it was
	inputs   []shard.Input // of the step under way
	asks     []*asking
	turn     int         // inputs since this goroutine last let others run
	broken   bool        // the engine has failed: memory holds what was never logged, and must not be used
	writing  bool        // a batch is on its way to the store
	flush    flush       // of all deferred rows
	leaving  *yielding   // nothing more is taken: with the end of the flush the shard leaves
	takers   []*taking   // wait until nothing is on its way
	losers   []*losing   // so do these
	settles  []*settling // answered once the batch on its way is decided
	crowded  bool        // counted in pool.crowded
}

// flush is a flush under way: one batch after the other, and no step between them.
//
// A flush is a chain: Flush fills a batch with about FlushBytes of rows, its commit leads to flushNow, and so on
// until more is false. A step between two parts would make rows dirty again that were just written, and the log
// could not be cut to its end. A request that comes in meanwhile joins the waiting ones: it is answered with the
// flush that is under way.
type flush struct {
	on      bool
	more    bool // the batch on its way is not the last one
	waiting []*flushing
}

// Messages to a shard actor, beside step.
type (
	// committed says that the batch on its way is durable.
	committed struct{}
	// void says that the journal did not take the batch on its way.
	void struct{ err error }
	// asking lets a function run with the shard, on its goroutine.
	asking struct {
		fn     func(*shard.Shard) error
		answer chan error  // with room for the answer; nil where nobody waits
		taken  atomic.Bool // by the shard, or by a caller who gave up
	}
	// acks are what other shards have taken. The inbox uses their memory again.
	acks struct{ list []acked }
	// ticking lets the shard resend.
	ticking struct{}
	// ruling lets the shard judge by the rules in force, which have changed.
	ruling struct{ done chan error }
	// limiting lets the shard keep to its share of the memory, which has changed.
	limiting struct{}
	// flushing asks for everything to be written, and is answered when it is durable.
	flushing struct{ done chan error }
)

// acked is how far another shard has taken the channel to it.
type acked struct {
	from graph.ShardID
	seq  uint64
}

// run lets the function run, unless its caller gave up.
func (a *asking) run(s *shard.Shard) {
	if a.taken.CompareAndSwap(false, true) {
		a.reply(a.fn(s))
	}
}

// refuse tells the caller why the function does not run.
func (a *asking) refuse(err error) {
	if a.taken.CompareAndSwap(false, true) {
		a.reply(err)
	}
}

func (a *asking) reply(err error) {
	if a.answer != nil {
		a.answer <- err
	}
}

// Receive implements protoactor.Actor.
func (r *runner) Receive(message any, self protoactor.Context) {
	if r.broken {
		return // the engine has failed, and has answered everybody
	}
	switch m := message.(type) {
	case committed:
		r.committed()
	case void:
		r.written(m.err)
	case *taking:
		r.take(m, self)
	case *yielding:
		r.yield(m)
	case staying:
		if r.leaving == m.yield {
			r.leaving = nil
		}
	case *losing:
		if m.cause != nil {
			r.fail(m.cause)
		} else {
			r.lose(nil)
		}
		if r.writing {
			r.losers = append(r.losers, m)
		} else {
			close(m.done)
		}
	case ticking:
		if r.shard != nil { // else nothing waits in it
			r.deliver(r.shard.Tick(r.pool.now()))
		}
	case limiting:
		if r.shard != nil {
			r.shard.Limit(r.pool.limits())
		}
	case *settling:
		switch gone := r.gone.Load(); {
		case gone != nil:
			m.done <- gone
		case r.writing:
			r.settles = append(r.settles, m)
		default:
			m.done <- nil
		}
	case *step, *asking, *acks, *flushing, *ruling:
		if r.gone.Load() == nil && r.shard == nil {
			r.open(self)
		}
		if m, ok := message.(*ruling); ok {
			m.done <- r.changeRules(self)
			return
		}
		r.receive(message)
	}
}

func (r *runner) changeRules(self protoactor.Context) error {
	if gone := r.gone.Load(); gone != nil {
		return gone
	}
	return r.shard.ChangeRules(r.pool.rules, self.Host(r.pool.rules), r.pool.observers(r.id))
}

// receive takes a message that needs the shard.
func (r *runner) receive(message any) {
	gone := r.gone.Load()
	switch m := message.(type) {
	case *step:
		if gone != nil || r.leaving != nil {
			r.refuse(m.inputs)
			return
		}
		r.step(m.inputs)
	case *asking:
		if gone != nil {
			m.refuse(gone)
			return
		}
		m.run(r.shard)
	case *acks:
		if gone == nil {
			for _, a := range m.list {
				r.deliver(r.shard.Acked(a.from, a.seq, r.pool.now()))
			}
			r.crowd()
		}
	case *flushing:
		if gone != nil {
			m.done <- gone
			return
		}
		r.flush.waiting = append(r.flush.waiting, m)
		r.flushNow()
	}
}

// open recovers the shard, before the first message that needs it.
func (r *runner) open(self protoactor.Context) {
	opened, err := r.pool.openShard(r.id, self.Host(r.pool.rules), r.between)
	if err != nil {
		r.fail(err)
		return
	}
	r.shard = opened
	r.openings++
	r.opened.Store(true)
	if r.pool.network != nil {
		r.shard.Limit(r.pool.limits()) // they may have changed before it was seen to be open
	}
	// Messages in the log may have arrived long ago: only the other shards know. If the next tick asked them, a command
	// that opens an engine for one question and closes it would wait for that tick.
	r.deliver(opened.Tick(r.pool.now()))
	r.crowd()
}

// turnInputs is how many inputs a shard handles before it yields to reads.
const turnInputs = 16

// between is called between the inputs of a step: it answers the reads that came in meanwhile.
//
// It runs on the goroutine of the shard, in the middle of Step, so what it runs must not change evidence. A read
// sees each input whole or not at all: it is called before an input, never while one is handled.
func (r *runner) between() {
	r.asks = r.inbox.takeAsks(r.asks[:0])
	for _, a := range r.asks {
		a.run(r.shard)
	}
	if r.turn++; r.turn >= turnInputs || len(r.asks) > 0 {
		r.turn = 0
		r.pool.priority.yield()
	}
	clear(r.asks)
}

func (r *runner) step(inputs []shard.Input) {
	r.inputs = inputs
	if defined := r.pool.defined.Load(); defined != nil {
		r.shard.Define(defined.Signals, defined.Live)
	}
	changed, err := r.shard.Step(inputs, r.pool.now())
	if err != nil {
		r.fail(err)
		return
	}
	if !changed {
		r.finish()
		return
	}
	r.write()
}

// write puts the shard's batch on its way to the store. Steps wait until it is durable.
func (r *runner) write() {
	r.inbox.setCommitting(true)
	r.writing = true
	r.pool.commit(r, r.shard.Batch())
}

// committed is called when the batch on its way is durable: now, and only now, what follows from it may be seen outside (A1).
func (r *runner) committed() {
	r.written(nil)
	if r.shard == nil {
		return // it was lost meanwhile, and everybody was answered
	}
	r.finish()
	r.flushNow()
}

// written notes that no batch is on its way any more; err says that it never will be.
//
// A batch that the journal refuses is not an error of this process: another process owns the shard now, and decides
// what its log holds. The memory of the shard here is ahead of that log, so it is dropped. Requests to take the
// shard back were held until here (A12); they go to the inbox again, as messages like any other.
func (r *runner) written(err error) {
	r.writing = false
	r.inbox.setCommitting(false)
	if err != nil && r.shard != nil {
		r.pool.logger.Warn("the journal did not take what a shard wrote: the shard is with another process now", "shard", r.id, "error", err)
		r.lose(nil)
	}
	for _, m := range r.settles {
		m.done <- nil
	}
	for _, m := range r.losers {
		close(m.done)
	}
	for _, m := range r.takers {
		r.inbox.PostUserMessage(m)
	}
	r.takers, r.losers, r.settles = nil, nil, nil
}

// finish lets out what the shard has committed, and answers its inputs.
func (r *runner) finish() {
	r.deliver(r.shard.Committed(r.pool.now()))
	r.crowd()
	if inputs := r.inputs; inputs != nil {
		r.inputs = nil
		r.answer(inputs)
	}
}

// answer answers inputs whose outcomes are decided.
//
// Inputs of one delivery stand beside each other, as postInputs left them, so a delivery is told once for each run
// of its inputs, and its counter is touched once and not for each input.
func (r *runner) answer(inputs []shard.Input) {
	for i := 0; i < len(inputs); {
		owner := inputs[i].Delivery
		n := 1
		for i+n < len(inputs) && inputs[i+n].Delivery == owner {
			n++
		}
		if d, ok := owner.(*Delivery); ok {
			r.pool.gate.answered(n)
			d.answer(n)
		}
		i += n
	}
	r.inbox.recycle(inputs)
}

// refuse answers inputs Elsewhere.
func (r *runner) refuse(inputs []shard.Input) {
	shard.Refuse(inputs)
	r.answer(inputs)
}

// flushNow goes on with a flush, or begins the next one, unless a batch is on its way.
func (r *runner) flushNow() {
	f := &r.flush
	for !r.writing && (f.on || len(f.waiting) > 0 || r.leaving != nil) {
		if f.on && !f.more {
			f.on = false
			for _, m := range f.waiting {
				m.done <- nil
			}
			f.waiting = nil
			if leaving := r.leaving; leaving != nil {
				r.leaving = nil
				r.lose(nil)
				leaving.done <- nil
			}
			return
		}
		var err error
		if f.more, err = r.shard.Flush(r.pool.now()); err != nil {
			r.fail(err)
			return
		}
		if f.on = true; !r.shard.Batch().Empty() {
			r.write()
			return
		}
		r.finish()
	}
}

func (r *runner) deliver(posts []shard.Post) {
	for _, p := range posts {
		r.pool.post(p)
	}
}

// crowd notes whether the shard has too many messages under way. In one process a shard that others send to is at hand, and the room for
// inputs bounds what waits.
func (r *runner) crowd() {
	if r.pool.network == nil {
		return
	}
	crowded := r.shard != nil && r.shard.Crowded()
	switch {
	case crowded && !r.crowded:
		r.pool.crowded.Add(1)
	case !crowded && r.crowded:
		r.pool.crowded.Add(-1)
	}
	r.crowded = crowded
}
