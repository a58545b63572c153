package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/actors/protoactor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrLost is returned to callers who need a shard that this process does not have. Every error of it is in this class; the
// text says which shard, and why.
var ErrLost = shard.ErrLost

// lostError says which shard is not with this process, and why.
type lostError struct {
	id    graph.ShardID
	cause error // nil: nobody gave it to this process, or it was yielded
}

func (e *lostError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("shard %d: %v; ask the process that has it", e.id, ErrLost)
	}
	return fmt.Sprintf("shard %d stopped, and the others go on: %v; start again to recover it: nothing that was acknowledged is lost", e.id, e.cause)
}

// Unwrap gives the class and the cause.
func (e *lostError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrLost}
	}
	return []error{ErrLost, e.cause}
}

// Messages to a shard actor about where the shard is.
type (
	taking   struct{ done chan error }
	yielding struct{ done chan error }
	losing   struct {
		cause error
		done  chan struct{}
	}
	// staying takes a yield back whose caller gave up.
	staying struct{ yield *yielding }
)

// placement gives shards to this process and takes them from it, each on its own.
type placement struct{ *pool }

// Take gives a shard to this process, which recovers it from the store and serves it from then on. It waits until nothing of
// an earlier opening is on its way to the store (A12). Of a shard that is there, it does nothing. It fails with ErrBehind while
// this process has not read the definitions that the shard goes by: it would take people for those who left.
func (p placement) Take(id graph.ShardID) error {
	if err := p.knows(id); err != nil {
		return err
	}
	m := &taking{make(chan error, 1)}
	p.runners[id].inbox.PostUserMessage(m)
	err := p.placed(context.Background(), m.done)
	if err == nil {
		p.learner.group.Go(func() { p.learner.learn(p.runners[id]) })
	}
	return err
}

// ErrBehind is returned for a shard that goes by definitions which this process has not read yet.
var ErrBehind = errors.New("audiences have changed, and this process has not read it yet; take the shard a moment later")

// knows reports, with ErrBehind, that this process has older definitions than a shard.
func (p placement) knows(id graph.ShardID) error {
	marking, err := row.ReadMarking(p.store, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	telling, err := row.ReadTelling(p.store, id)
	if err != nil {
		return err
	}
	var version, served uint64
	if now := p.defined.Load(); now != nil {
		version, served = now.Version, now.Served
	}
	if marking.Version > version || telling.Version > served {
		return fmt.Errorf("shard %d: %w", id, ErrBehind)
	}
	return nil
}

// Yield takes a shard from this process in good order: it takes nothing more in, writes all deferred rows, so that
// its log holds nothing that rows lack, and leaves. If ctx ends first, the shard stays. Inputs meanwhile are answered Elsewhere.
func (p placement) Yield(ctx context.Context, id graph.ShardID) error {
	m := &yielding{make(chan error, 1)}
	p.runners[id].inbox.PostUserMessage(m)
	err := p.placed(ctx, m.done)
	if err != nil && ctx.Err() != nil {
		p.runners[id].inbox.PostUserMessage(staying{m})
	}
	return err
}

// Lose takes a shard from this process at once: its memory is dropped, and what it did not answer is answered Elsewhere. A
// batch on its way may become durable all the same. Lose returns once it is, or never will be: from then on nothing of this process
// reaches rows of the shard, and the caller may write those of another process over them (A12). It is for a process that
// learns that the shard is another's. A Journal that is still asked for a batch has to decide it, or Lose waits.
func (p placement) Lose(id graph.ShardID) {
	m := &losing{done: make(chan struct{})}
	p.runners[id].inbox.PostUserMessage(m)
	_ = p.await(context.Background(), m.done) // an engine that failed or was closed has no shard
}

// Has reports whether a shard is with this process.
func (p placement) Has(id graph.ShardID) bool { return p.runners[id].here() }

// here reports whether the shard is with this process.
func (r *runner) here() bool { return r.gone.Load() == nil }

// failed says why the shard has failed on its own; nil if it has not.
func (r *runner) failed() *lostError {
	if gone := r.gone.Load(); gone != nil && gone.cause != nil {
		return gone
	}
	return nil
}

func (r *runner) take(m *taking, self protoactor.Context) {
	if r.gone.Load() == nil {
		m.done <- nil
		return
	}
	if r.writing {
		r.takers = append(r.takers, m)
		return
	}
	r.gone.Store(nil)
	r.pool.divide(1)
	if r.open(self); r.shard != nil {
		m.done <- nil
	} else if gone := r.gone.Load(); gone != nil {
		m.done <- gone
	} // else the engine has failed
}

func (r *runner) yield(m *yielding) {
	switch gone := r.gone.Load(); {
	case gone != nil:
		m.done <- gone
	case r.leaving != nil:
		m.done <- fmt.Errorf("shard %d: being yielded already; wait until that has ended", r.id)
	case r.shard == nil: // nothing was asked of it
		r.lose(nil)
		m.done <- nil
	default:
		r.leaving = m
		r.flushNow()
	}
}

// fail deals with an error of the shard: memory may be ahead of the store. It is the shard's own unless the store has failed.
func (r *runner) fail(err error) {
	if r.pool.store.Err() == nil {
		r.pool.logger.Error("a shard stops", "shard", r.id, "error", err)
		r.lose(err)
		return
	}
	r.broken = true
	r.pool.fail(err)
}

// lose closes the shard, and answers everybody who waits for it.
func (r *runner) lose(cause error) {
	if r.gone.Load() != nil {
		return
	}
	gone := &lostError{r.id, cause}
	r.gone.Store(gone)
	r.pool.divide(-1)
	r.opened.Store(false)
	if r.shard != nil {
		r.shard.Close()
		r.shard = nil
		r.crowd()
	}
	inputs, waiting, leaving, settles := r.inputs, r.flush.waiting, r.leaving, r.settles
	r.inputs, r.flush, r.leaving, r.settles = nil, flush{}, nil, nil
	r.inbox.setCommitting(false) // so that what comes is answered
	if inputs != nil {
		r.refuse(inputs)
	}
	for _, m := range waiting {
		m.done <- gone
	}
	if leaving != nil {
		leaving.done <- gone
	}
	for _, m := range settles {
		m.done <- gone
	}
}
