package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"golang.org/x/sync/errgroup"
)

// A filler lets shards look through their stored events on behalf of audiences that are new, part by part, while events come
// in. Each part is an input, so that it has its place among the steps of its shard. Once all shards have, and what they have sent
// has arrived, the new audiences serve.
//
// The obvious design, a reader beside the shards that folds timelines and writes what it finds, would be a second writer, and
// could not tell which events the shard had marked itself meanwhile.
type filler struct {
	engine  *Engine
	due     chan struct{} // a version may wait; room for one
	changes sync.Mutex    // guards changes of what is defined in this process: the newest wins
}

// fillAgain is how long the filler waits after a failure that may pass.
const fillAgain = time.Second

// Audiences are what is defined; nil if nothing ever was.
func (p *pool) Audiences() *audiences.State { return p.defined.Load() }

// Define changes the audiences. decide is given what is defined, which may be nil, and returns what is to be; it may be called
// again. When Define returns, events are marked for the new audiences; they serve once stored events were looked through.
func (e *Engine) Define(ctx context.Context, decide func(now *audiences.State) (*audiences.State, error)) (*audiences.State, error) {
	next, err := e.changeDefinitions(ctx, decide)
	if err == nil {
		e.filler.wake()
	}
	return next, err
}

func (e *Engine) changeDefinitions(ctx context.Context, decide func(now *audiences.State) (*audiences.State, error)) (next *audiences.State, err error) {
	e.filler.changes.Lock()
	defer e.filler.changes.Unlock()
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
		e.defined.Store(next)
	}
	return next, err
}

func (f *filler) wake() {
	select {
	case f.due <- struct{}{}:
	default:
	}
}

// often fills what waits, whenever something may.
func (f *filler) often() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
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
		case errors.Is(err, ErrClosed):
			return
		default:
			f.engine.logger.Warn("stored events were not looked through for new audiences; it goes on soon", "error", err)
			again.Reset(fillAgain)
		}
	}
}

// fill fills up to the newest version.
func (f *filler) fill(ctx context.Context) error {
	for {
		now := f.engine.Audiences()
		if now == nil || now.Filled == now.Version {
			return nil
		}
		if err := f.fillShards(ctx, now.Version); err != nil {
			return err
		}
		if err := f.engine.Visible(ctx); err != nil {
			return err
		}
		_, err := f.engine.changeDefinitions(ctx, func(defined *audiences.State) (*audiences.State, error) {
			return defined.Fill(now.Version)
		})
		if err != nil {
			return err
		}
	}
}

// fillers is how many shards look through their events at a time: one leaves a processor to intake.
const fillers = 1

func (f *filler) fillShards(ctx context.Context, version uint64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fillers)
	for id := range f.engine.runners {
		group.Go(func() error { return f.fillShard(ctx, graph.ShardID(id), version) })
	}
	return group.Wait()
}

func (f *filler) fillShard(ctx context.Context, id graph.ShardID, version uint64) error {
	for {
		var filled uint64
		err := f.engine.ask(ctx, id, func(s *shard.Shard) error { filled = s.Filled(); return nil })
		if err != nil || filled >= version {
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
