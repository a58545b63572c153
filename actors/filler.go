package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"golang.org/x/sync/errgroup"
)

// A filler lets shards look through their stored events on behalf of audiences that are new, part by part, while events come
// in. Each part is an input, so that it has its place among the steps of its shard. Once all shards have, and what they have sent
// has arrived, the new audiences serve (pass).
//
// The obvious design, a reader beside the shards that folds timelines and writes what it finds, would be a second writer, and
// could not tell which events the shard had marked itself meanwhile.
type filler struct {
	engine  *Engine
	due     chan struct{} // a version may wait; room for one
	reading sync.Mutex    // held while what is defined is read: the newest wins
	over    atomic.Uint64 // number of the last pass that is over here
}

// fillAgain is how long the filler waits after a failure that may pass.
const fillAgain = time.Second

// Audiences are what is defined; nil if nothing ever was.
func (p *pool) Audiences() *audiences.State { return p.defined.Load() }

// Define changes the audiences. decide is given what is defined, which may be nil, and returns what is to be; it may be called
// again. When Define returns, events are marked for the new audiences; they serve once stored events were looked through.
func (e *Engine) Define(ctx context.Context, decide func(now *audiences.State) (*audiences.State, error)) (next *audiences.State, err error) {
	err = e.catalog.Change(ctx, func(change *catalog.Change) error {
		now, err := audiences.Load(change)
		if err != nil {
			return err
		}
		if next, err = decide(now); err != nil || next == nil {
			return err
		}
		next.Definitions.Put(change.Batch())
		return nil
	})
	if err == nil && next != nil {
		err = e.ReadDefinitions()
	}
	return next, err
}

// ReadDefinitions puts in force what the catalog has, which another process may have changed.
func (e *Engine) ReadDefinitions() error {
	e.filler.reading.Lock()
	defer e.filler.reading.Unlock()
	now, err := audiences.Load(e.catalog.Reader())
	if err != nil || now.Edition() == e.Audiences().Edition() {
		return err
	}
	e.defined.Store(now)
	e.filler.wake()
	return nil
}

func (f *filler) wake() {
	select {
	case f.due <- struct{}{}:
	default:
	}
}

// often fills what waits, whenever something may.
func (f *filler) often() {
	ctx := f.engine.ending
	again := time.NewTimer(0) // at once: a version may have waited when the process ended
	defer again.Stop()
	for {
		select {
		case <-f.due:
		case <-again.C:
		case <-f.engine.stop:
			return
		}
		switch err := f.fill(ctx); {
		case err == nil:
		case errors.Is(err, ErrClosed), ctx.Err() != nil:
			return
		default:
			f.engine.logger.Warn("stored events were not looked through for new audiences; it goes on soon", "error", err)
			again.Reset(fillAgain)
		}
	}
}

// fill makes the passes that are due, one after the other.
//
// Messages that are under way when the last shard is through may still bring what was told before: they are waited for, so that nobody is
// left of whom an audience that was deleted is told.
func (f *filler) fill(ctx context.Context) error {
	for {
		p, due := nextPass(f.engine.Audiences())
		if !due {
			return nil
		}
		over, err := f.make(ctx, p)
		if err != nil {
			return err
		}
		if !over {
			continue
		}
		_, err = f.engine.Define(ctx, func(defined *audiences.State) (*audiences.State, error) {
			switch {
			case p.through(defined.Filled, defined.Told): // another process was first
				return nil, nil
			case p.tell:
				return defined.Tell(p.version)
			}
			return defined.Fill(p.version)
		})
		if err != nil {
			return err
		}
	}
}

// fillers is how many shards look through their events at a time: one leaves a processor to intake.
const fillers = 1

// parts lets the shards here make a pass. One that leaves meanwhile goes on elsewhere.
func (f *filler) parts(ctx context.Context, p pass) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fillers)
	for id, r := range f.engine.runners {
		if f.engine.network != nil && !r.here() {
			continue
		}
		group.Go(func() error {
			err := f.part(ctx, graph.ShardID(id), func(s *shard.Shard) bool { return p.through(s.Filled(), s.Told()) })
			if f.engine.network != nil && errors.Is(err, ErrLost) {
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

// part lets a shard do part after part until it is done.
func (f *filler) part(ctx context.Context, id graph.ShardID, done func(*shard.Shard) bool) error {
	for {
		through := false
		err := f.engine.ask(ctx, id, func(s *shard.Shard) error { through = done(s); return nil })
		if err != nil || through {
			return err
		}
		d := &Delivery{}
		d.fill(id)
		if err := f.engine.submitAndWait(ctx, d); err != nil {
			return err
		}
		if d.Outcomes[0] == Quarantined {
			return fmt.Errorf("shard %d: a stored event can't be taken; see the quarantine", id)
		}
	}
}
