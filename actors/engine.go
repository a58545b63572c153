package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrClosed is returned once Close was called.
var ErrClosed = errors.New("engine is closed")

// ErrBusy is what callers of Submit report when they stop waiting for room: the events under way fill their share of memory.
var ErrBusy = errors.New("too many events under way")

// Config is what an engine runs on. Store, Deployment and Rules are required.
type Config struct {
	Store      storage.Store
	Deployment row.Deployment
	Rules      *graph.Rules
	// Before are the rules under which the store was last used; nil if they are not known. If they differ from Rules, the
	// engine first finishes under them what was under way, and empties the log: a record means what it meant when it was
	// written. If the deployment has a change feed, the engine reads the last rules there and ignores Before.
	Before *graph.Rules
	// Keep is called once everything is finished under the last rules, and before anything happens under Rules: there the
	// caller stores the new rules (N4). Nil stores nothing. An error of it ends Open.
	Keep func() error
	// Shards are those that are taken at once; nil is all of them. Take takes others.
	Shards []graph.ShardID
	// Journal decides which batches count, beside other processes; nil is the store alone.
	Journal Journal
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

// Open recovers all shards from the store and starts them.
func Open(ctx context.Context, c Config) (*Engine, error) {
	if err := finishUnderLastRules(ctx, c); err != nil {
		return nil, err
	}
	if c.Keep != nil {
		if err := c.Keep(); err != nil {
			return nil, err
		}
	}
	return open(ctx, c)
}

// finishUnderLastRules lets an engine of the rules before finish what is under way, if other rules are to follow (N5). The log
// holds incoming events, and the messages between shards that those rules led to. Under other rules, a replay would decide
// differently, and the messages that it would send instead, with their evidence, would be lost.
func finishUnderLastRules(ctx context.Context, c Config) error {
	before, err := feed.LastRules(c.Store)
	if err != nil {
		return err
	}
	if before == nil {
		before = c.Before
	}
	if before == nil || before.Version == c.Rules.Version {
		return nil
	}
	c.Rules, c.Background, c.Feed.On = before, false, false
	e, err := open(ctx, c)
	if err != nil {
		return err
	}
	if err := e.Close(ctx); err != nil {
		return fmt.Errorf("finish what was under way under the rules %q: %w", before.Name, err)
	}
	return nil
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
	channels *Channels
	feed     *feed.Feed // nil: the deployment has none
	onMerge  func([]graph.Merge)
	leftOut  atomic.Uint64 // links that components at a cap left out since the start
	ticker   *time.Ticker
	tasks    sync.WaitGroup
}

func open(ctx context.Context, c Config) (*Engine, error) {
	p := newPool(c)
	e := &Engine{pool: p, intake: newIntake(p.runners, max(c.Memory.Ingest, 1<<20)), queries: queries{p}, onMerge: c.Merged}
	p.refuse = e.intake.refuse
	p.observers = e.observers
	var err error
	if e.channels, err = loadChannels(e); err != nil {
		return nil, err
	}
	if e.feed, err = feed.Open(e.store, len(p.runners), e.rules, c.Feed, e.now()); err != nil {
		return nil, err
	}
	if err := p.start(commitBytes(c.Memory), e.underWay); err != nil {
		e.shutdown()
		return nil, err
	}
	if !c.Background {
		if err := e.recoverShards(ctx); err != nil {
			e.shutdown()
			if lost := (*lostError)(nil); errors.As(err, &lost) {
				err = lost.cause // all or nothing
			}
			return nil, err
		}
	}
	e.ticker = time.NewTicker(shard.ResendAfter * time.Millisecond)
	e.tasks.Add(2)
	go e.tick()
	go func() {
		defer e.tasks.Done()
		if c.Background {
			if err := e.recoverShards(ctx); err != nil && !errors.Is(err, ErrLost) {
				return // the engine has failed, or was stopped
			}
		}
		e.learn()
	}()
	return e, nil
}

// observers makes the observers of a shard.
func (e *Engine) observers(id graph.ShardID) []shard.Observer {
	all := []shard.Observer{&news{engine: e}}
	if e.feed != nil {
		all = append(all, e.feed.Observer(id))
	}
	return all
}

// Feed is the change feed; nil if the deployment has none. All methods of a nil feed may be called.
func (e *Engine) Feed() *feed.Feed { return e.feed }

// Channels are the external channels.
func (e *Engine) Channels() *Channels { return e.channels }

// trimEvery is how many ticks pass before the change feed is trimmed again.
const trimEvery = 50 // of 200 ms

// tick lets shards resend what was not acknowledged.
func (e *Engine) tick() {
	defer e.tasks.Done()
	for ticks := 0; ; ticks++ {
		select {
		case <-e.ticker.C:
			for _, r := range e.runners {
				r.inbox.PostUserMessage(ticking{})
			}
			if ticks%trimEvery == 0 {
				if err := e.feed.Trim(e.now()); err != nil {
					e.fail(fmt.Errorf("trim the change feed: %w", err))
					return
				}
			}
		case <-e.stop:
			return
		}
	}
}

// Settle waits until no input is under way and no message between the shards of this process is unacknowledged.
func (e *Engine) Settle(ctx context.Context) error {
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
// flushes all shards, and stops the actors. The store stays open. If a shard has failed on its own, Close
// closes the others in good order and returns the cause.
func (e *Engine) Close(ctx context.Context) error {
	if e.intake.isClosed() {
		return nil
	}
	told := e.tellNotes(ctx) // before close: it submits inputs
	e.intake.close()
	err := cmp.Or(told, e.Settle(ctx))
	if err == nil {
		if err = e.Flush(ctx); errors.Is(err, ErrLost) {
			err = cmp.Or(e.Err(), e.lost())
		}
	}
	e.shutdown()
	return err
}

// shutdown ends everything that Open has started.
func (e *Engine) shutdown() {
	close(e.stop)
	if e.ticker != nil {
		e.ticker.Stop()
	}
	e.tasks.Wait()
	e.pool.shutdown()
}
