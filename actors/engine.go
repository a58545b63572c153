package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrClosed is returned once Close was called.
var ErrClosed = errors.New("engine: closed; open its data directory again")

// ErrBusy is what callers of Submit report when they stop waiting for room: the events under way fill their share of memory.
var ErrBusy = errors.New("engine: too many events under way; send the same again a little later")

// ErrBacklog is returned by Submit, and told of a delivery, while too many messages to one shard of another process wait there to be
// acknowledged: no process has it, or the one that has it is far behind. It is in the class of ErrBusy.
var ErrBacklog = fmt.Errorf("%w: messages to a shard of another process wait", ErrBusy)

// Config is what an engine runs on. Store, Deployment and Rules are required.
type Config struct {
	Store      storage.Store
	Deployment row.Deployment
	Rules      *graph.Rules
	// Before are the rules under which the store was last used; nil if they are not known. If they differ from Rules, the
	// engine first finishes under them what was under way, and writes it all to rows: a record means what it meant when it was
	// written. If the deployment has a change feed, the engine reads the last rules there and ignores Before.
	Before *graph.Rules
	// Keep is called once everything is finished under the last rules, and before anything happens under Rules: there the
	// caller adds the new rules to a change of the catalog (N4), which has what else changes with them. It may be called
	// several times. Nil adds nothing. An error of it ends Open.
	Keep func(*catalog.Change) error
	// Shards are those that are taken at once; nil is all of them. Take takes others.
	Shards []graph.ShardID
	// Journal decides which batches count, beside other processes; nil is the store alone.
	Journal Journal
	// CatalogLog orders changes of the catalog, beside other processes; nil is the store alone.
	CatalogLog catalog.Log
	// Network reaches shards that are with other processes; nil if there are no other processes.
	Network Network
	Memory  storage.Memory
	// LogBytes bounds the log that a start may have to replay, over all shards; 0 is Memory's share. More
	// means fewer writes of the same profile, and a longer recovery.
	LogBytes int64
	// SeenFor is how long a message id is remembered; 0 is 7 days.
	SeenFor time.Duration
	// Clock gives ms since 1970; nil is the machine's.
	Clock func() int64
	// Background lets Open return before the shards are recovered. They recover a few at a time, and a shard that is
	// asked for recovers at once. A shard that can't be
	// recovered is lost then, and the others go on.
	Background bool
	// Feed turns the change feed on, and bounds how much of it is kept.
	Feed feed.Settings
	// Merged is called with the merges of a step once they are durable, from the shards'
	// goroutines: it must not block.
	Merged func([]graph.Merge)
	Logger *slog.Logger
}

// Open recovers all shards from the store, once, and starts them. If the rules have changed, it first finishes under the last
// ones what is under way (N5). The log holds incoming events, and the messages between shards that those rules led to. Under other
// rules, a replay would decide differently, and the messages that it would send instead, with their evidence, would be lost.
func Open(ctx context.Context, c Config) (*Engine, error) {
	last, err := feed.LastRules(c.Store)
	if err != nil {
		return nil, err
	}
	if last == nil {
		last = c.Before
	}
	if last == nil || last.Version == c.Rules.Version {
		return open(ctx, &c)
	}
	return openUnder(ctx, &c, last)
}

// open opens an engine whose rules are those that the log was written under.
func open(ctx context.Context, c *Config) (*Engine, error) {
	e, err := newEngine(c, c.Rules)
	if err != nil {
		return nil, err
	}
	if err := e.prepare(ctx, c); err != nil {
		return nil, err
	}
	if err := e.start(ctx, c, c.Background); err != nil {
		return nil, err
	}
	e.serve(ctx, c.Background)
	return e, nil
}

// openUnder opens an engine under the last rules, finishes what is under way, and then changes its rules. Until the catalog has
// the new rules nothing has happened under them, and from then on nothing happens under the last ones: a crash leaves either.
func openUnder(ctx context.Context, c *Config, last *graph.Rules) (*Engine, error) {
	e, err := newEngine(c, last)
	if err != nil {
		return nil, err
	}
	if e.feed, err = feed.Open(e.store, e.catalog, len(e.runners), last, c.Feed); err != nil {
		return nil, err
	}
	if err := e.start(ctx, c, false); err != nil {
		return nil, err
	}
	err = e.finish(ctx)
	if err != nil {
		err = fmt.Errorf("finish what was under way under the rules %q: %w", last.Name, err)
	} else {
		e.rules = c.Rules // no shard looks until it is told
		if err = e.prepare(ctx, c); err == nil {
			err = e.changeRules(ctx)
		}
	}
	if err != nil {
		e.shutdown()
		return nil, err
	}
	e.serve(ctx, false)
	return e, nil
}

// Engine runs the shards of one process on one store. Callers bring events to its intake and ask its queries; both reach
// shards through the pool.
//
//	Submit ──► intake ──► pool: runner, shard, committer ──► answer
//	Read, Profile, … ──► queries ──► pool.ask ──► shard
//
// Invariants:
//   - An answer without an error means that all inputs of the delivery are durable.
//   - After a failure every answer is an error, and nothing is written to the store any more.
//   - Nothing of an input leaves its shard, neither an answer nor a message, before its commit is durable (A1).
//
// They force an order: a delivery is registered before its first input is posted, so that a failure answers it; Close refuses
// input first, then waits until shards are at rest, flushes, and stops the actors last, because each step needs the one before.
//
// The obvious design puts a lock on each component and lets callers commit. It fails in two ways: every caller pays a sync
// of its own, where a shard commits once for all inputs that arrived meanwhile; and a merge of two components would have to
// hold two locks across the network once shards are on several nodes.
type Engine struct {
	*pool
	*intake
	queries
	placement
	catalog  *catalog.Catalog
	channels *ExternalChannels
	feed     *feed.Feed // nil: the deployment has none
	filler   filler
	bulletin bulletin
	ticker   *time.Ticker
	tasks    sync.WaitGroup
}

// newEngine has shards that are not started.
func newEngine(c *Config, rules *graph.Rules) (*Engine, error) {
	p := newPool(*c)
	p.rules = rules
	others := newFar(p)
	e := &Engine{pool: p, queries: queries{others}, intake: newIntake(others, max(c.Memory.Ingest, 1<<20)), placement: placement{p}}
	if c.Feed.Order = &p.clock; c.Network != nil {
		c.Feed.Others = changes{e}
	}
	e.bulletin.logger, e.bulletin.onMerge = p.logger, c.Merged
	e.catalog = catalog.New(c.Store, c.CatalogLog)
	e.filler = filler{engine: e, due: make(chan struct{}, 1)}
	p.refuse = e.intake.refuse
	p.observers = e.observers
	var err error
	if e.channels, err = loadChannels(e); err != nil {
		return nil, err
	}
	defined, err := audiences.Load(c.Store)
	if err != nil {
		return nil, err
	}
	e.defined.Store(defined)
	p.open = &e.channels.open
	return e, nil
}

// prepare makes one change of the catalog of all that is to be known before anything happens under the rules in force, and opens
// the change feed under them.
func (e *Engine) prepare(ctx context.Context, c *Config) error {
	err := e.catalog.Change(ctx, func(change *catalog.Change) error {
		if c.Keep != nil {
			if err := c.Keep(change); err != nil {
				return err
			}
		}
		return feed.Prepare(change, e.rules, c.Feed, e.now())
	})
	if err == nil {
		e.feed, err = feed.Open(e.store, e.catalog, len(e.runners), e.rules, c.Feed)
	}
	return err
}

// start starts the shards. Unless they recover in the background, it waits until all have. It leaves nothing running if it fails.
func (e *Engine) start(ctx context.Context, c *Config, background bool) error {
	err := e.pool.start(commitBytes(c.Memory))
	if err == nil && !background {
		err = e.recoverShards(ctx)
		if lost := (*lostError)(nil); errors.As(err, &lost) {
			err = lost.cause // all or nothing
		}
	}
	if err != nil {
		e.shutdown()
		return err
	}
	e.ticker = time.NewTicker(shard.ResendAfter * time.Millisecond)
	e.tasks.Go(e.tick)
	return nil
}

// serve starts what goes on beside the shards.
func (e *Engine) serve(ctx context.Context, recovering bool) {
	e.tasks.Go(func() {
		if recovering {
			if err := e.recoverShards(ctx); err != nil && !errors.Is(err, ErrLost) {
				return // the engine has failed, or was stopped
			}
		}
		e.learner.learnAll()
	})
	e.tasks.Go(e.filler.often)
	e.tasks.Go(waker{e}.often)
	if e.feed != nil {
		e.tasks.Go(e.trimmer().often)
	}
}

// observers makes the observers of a shard.
func (e *Engine) observers(id graph.ShardID) []shard.Observer {
	all := []shard.Observer{&news{to: &e.bulletin}}
	if e.feed != nil {
		all = append(all, e.feed.Observer(id))
	}
	return all
}

// trimmer trims the change feed as it is now: a change of rules reopens it.
func (e *Engine) trimmer() trimmer { return trimmer{e.feed, e.pool, e.intake} }

// Feed is the change feed; nil if the deployment has none. All methods of a nil feed may be called.
func (e *Engine) Feed() *feed.Feed { return e.feed }

// ExternalChannels are the external channels.
func (e *Engine) ExternalChannels() *ExternalChannels { return e.channels }

// Catalog has the rows that belong to no shard.
func (e *Engine) Catalog() *catalog.Catalog { return e.catalog }

// tick lets shards resend what was not acknowledged.
func (e *Engine) tick() {
	for {
		select {
		case <-e.ticker.C:
			for _, r := range e.runners {
				r.inbox.PostUserMessage(ticking{})
			}
		case <-e.stop:
			return
		}
	}
}

// Settle waits until no input is under way and no message between shards is unacknowledged, in all processes.
func (e *Engine) Settle(ctx context.Context) error {
	if e.network != nil {
		return e.settle(ctx)
	}
	return e.settleHere(ctx)
}

// settleHere is Settle for this process, and the messages between its shards.
func (e *Engine) settleHere(ctx context.Context) error {
	// Shards are asked one by one, and a message may pass from a shard that was not asked yet to one that was. So all
	// shards must be found at rest twice, with no record written in between.
	rested, records := false, uint64(0)
	for {
		quiet, written := e.underWay() == 0, uint64(0)
		for id := range e.runners {
			err := e.ask(ctx, graph.ShardID(id), func(s *shard.Shard) error {
				stats := s.Stats()
				quiet = quiet && s.Waiting(e.Has) == 0
				written += stats.Record
				return nil
			})
			if err != nil && !errors.Is(err, ErrLost) {
				return err
			}
		}
		if quiet && rested && written == records {
			return nil
		}
		if rested, records = quiet, written; rested {
			continue
		}
		select {
		case <-time.After(time.Millisecond): //nolint:forbidigo // waiting for other goroutines, not for a time
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// SettleWithin is Settle for a limited time. It returns false if the time was not enough: then evidence may be in transit.
func (e *Engine) SettleWithin(ctx context.Context, limit time.Duration) (settled bool, err error) {
	settling, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	switch err := e.Settle(settling); {
	case err == nil:
		return true, nil
	case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		return false, err
	}
	return false, nil
}

// Close refuses new input, waits until all inputs and the messages that follow from them are durable where they belong,
// flushes all shards, and stops the actors. The store stays open, but is about to be closed: it begins no compaction that no
// commit waits for. If a shard has failed on its own, Close closes the others in good order and returns the cause.
func (e *Engine) Close(ctx context.Context) error {
	if e.intake.isClosed() {
		return nil
	}
	told := e.tellNotes(ctx, e.Has) // before close: it submits inputs
	e.intake.close()
	if s, ok := e.store.(interface{ Rest() }); ok {
		s.Rest()
	}
	err := cmp.Or(told, e.settleAndFlush(ctx))
	e.shutdown()
	return err
}

// finish is Close for an engine that goes on, under other rules.
//
// REQUIRES: nobody else has the engine
func (e *Engine) finish(ctx context.Context) error {
	if err := e.tellNotes(ctx, e.Has); err != nil {
		return err
	}
	return e.settleAndFlush(ctx)
}

func (e *Engine) settleAndFlush(ctx context.Context) error {
	err := e.settleHere(ctx)
	if err == nil {
		if err = e.Flush(ctx); errors.Is(err, ErrLost) {
			err = cmp.Or(e.Err(), e.lost())
		}
	}
	return err
}

// shutdown ends everything that Open has started.
func (e *Engine) shutdown() {
	close(e.stop)
	e.queries.end()
	if e.ticker != nil {
		e.ticker.Stop()
	}
	e.tasks.Wait()
	e.pool.shutdown()
}
