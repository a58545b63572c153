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
		if now == nil || now.Filled == now.Version && now.Told == now.Served {
			return nil
		}
		if now.Filled == now.Version {
			if err := f.tell(ctx, now.Served); err != nil {
				return err
			}
			continue
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

// tell lets all people be evaluated by the audiences that serve. Messages that are under way when the last shard is through may still
// bring what was told before: they are waited for, so that nobody is left of whom an audience that was deleted is told.
func (f *filler) tell(ctx context.Context, version uint64) error {
	group, passing := errgroup.WithContext(ctx)
	group.SetLimit(fillers)
	for id := range f.engine.runners {
		group.Go(func() error {
			return f.part(passing, graph.ShardID(id), func(s *shard.Shard) bool { return s.Told() >= version })
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := f.engine.Visible(ctx); err != nil {
		return err
	}
	_, err := f.engine.changeDefinitions(ctx, func(defined *audiences.State) (*audiences.State, error) {
		return defined.Tell(version)
	})
	return err
}

func (f *filler) fillShard(ctx context.Context, id graph.ShardID, version uint64) error {
	return f.part(ctx, id, func(s *shard.Shard) bool { return s.Filled() >= version })
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
