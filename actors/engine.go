package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/protoactor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/hashset"
	"github.com/kindred-id/kindred/storage/row"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// ErrClosed is returned by an engine that was closed.
var ErrClosed = errors.New("engine is closed")

// ErrBusy is for callers of Submit that stop waiting for room: the events under way have filled their share of memory.
var ErrBusy = errors.New("too many events under way")

// Config says what an engine runs on. Store, Deployment and Rules are required.
type Config struct {
	Store      storage.Store
	Deployment row.Deployment
	Rules      *graph.Rules
	// Before are the rules that the store was last used with, nil where nobody knows. Where they are
	// others, what was under way is finished under them first, and the log emptied: a record means what
	// it meant when it was written. Of a deployment with a change feed, the engine knows them itself.
	Before *graph.Rules
	Memory storage.Memory
	// LogBytes bounds the log that a start may have to replay, over all shards; 0 is Memory's share. More
	// means fewer writes of the same profile, and a longer recovery.
	LogBytes int64
	// SeenFor is how long a message id is remembered; 0 is 7 days.
	SeenFor time.Duration
	// Clock gives ms since 1970; nil is the machine's.
	Clock func() int64
	// Background lets Open return before the shards are recovered. They recover one after the other,
	// and one that is asked for at once; an error then fails the engine.
	Background bool
	// Feed says whether there is a change feed, and what is kept of it.
	Feed feed.Settings
	// Merged is called with the merges of a step once they are durable, from the shards'
	// goroutines: it must not block.
	Merged func([]graph.Merge)
	Logger *slog.Logger
}

// Engine runs the shards of one process on one store.
type Engine struct {
	store      storage.Store
	rules      *graph.Rules
	limits     shard.Limits
	seenLimits dedupe.Limits
	knownBytes int64
	now        func() int64
	onMerge    func([]graph.Merge)
	leftOut    atomic.Uint64 // links that components at a cap left out since the start
	logger     *slog.Logger

	system    *protoactor.System
	runners   []*runner
	committer *committer
	workers   *workers
	way       way
	flights   *shard.Flights
	room      *semaphore.Weighted // bytes of input under way
	roomBytes int64
	inputs    atomic.Int64 // under way
	recovered atomic.Bool
	channels  channels
	feed      *feed.Feed // nil: the deployment has none
	ticker    *time.Ticker
	stop      chan struct{}
	tasks     sync.WaitGroup

	mu         sync.Mutex // guards the following
	deliveries map[*Delivery]struct{}
	err        error
	closed     bool
	failed     chan struct{}
}

// flushBytes is how much of a flush a shard commits at a time: enough to be worth a sync, and at most what a commit may have.
const flushBytes = 1 << 20

// minLogBytes is the least log, over all shards, whatever the memory.
const minLogBytes = 4 << 20

// Open recovers all shards from the store and starts them.
func Open(ctx context.Context, c Config) (*Engine, error) {
	if err := finishUnderLastRules(ctx, c); err != nil {
		return nil, err
	}
	return open(ctx, c)
}

// finishUnderLastRules lets an engine of the rules before finish what is under way.
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

func open(ctx context.Context, c Config) (*Engine, error) {
	shards := c.Deployment.Shards
	e := &Engine{
		store: c.Store, rules: c.Rules, now: c.Clock, onMerge: c.Merged, logger: c.Logger,
		roomBytes:  max(c.Memory.Input, 1<<20),
		deliveries: make(map[*Delivery]struct{}), failed: make(chan struct{}), stop: make(chan struct{}),
		flights: shard.NewFlights(),
	}
	if e.now == nil {
		e.now = func() int64 { return time.Now().UnixMilli() } //nolint:forbidigo // the engine is where the clock enters
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if c.LogBytes == 0 {
		c.LogBytes = max(c.Memory.Log, minLogBytes)
	}
	flush := flushBytes
	if most := commitBytes(c.Memory); most > 0 {
		flush = min(flush, most)
	}
	e.limits = shard.Limits{LogBytes: c.LogBytes / int64(shards), ActorBytes: c.Memory.Actors / int64(shards), FlushBytes: flush}
	e.seenLimits = dedupe.Limits{Horizon: c.SeenFor, Bytes: c.Memory.Duplicates / 2 / int64(shards)} // and as much for message ids
	e.knownBytes = c.Memory.Directory / int64(shards)
	e.room = semaphore.NewWeighted(e.roomBytes)

	e.system = protoactor.NewSystem(e.logger)
	e.runners = make([]*runner, shards)
	for i := range e.runners {
		e.runners[i] = &runner{engine: e, id: graph.ShardID(i)}
	}
	if err := e.channels.load(e); err != nil {
		return nil, err
	}
	var err error
	if e.feed, err = feed.Open(e.store, shards, e.rules, c.Feed, e.now()); err != nil {
		return nil, err
	}
	e.committer = startCommitter(e, commitBytes(c.Memory))
	e.workers = startWorkers(shards)
	if err := e.startShards(); err != nil {
		e.shutdown()
		return nil, err
	}
	if !c.Background {
		if err := e.recoverShards(ctx); err != nil {
			e.shutdown()
			return nil, err
		}
	}
	e.ticker = time.NewTicker(shard.ResendAfter * time.Millisecond)
	e.tasks.Add(2)
	go e.tick()
	go func() {
		defer e.tasks.Done()
		if c.Background && e.recoverShards(ctx) != nil {
			return // the engine has failed, or was stopped
		}
		e.learn()
	}()
	return e, nil
}

// commitBytes is what one commit should not exceed: 0, any, where the memory was not divided.
func commitBytes(m storage.Memory) int {
	if m.Memtables == 0 {
		return 0
	}
	return m.CommitBytes()
}

// InputBytes is how much memory events may take that are read and not yet committed.
func (e *Engine) InputBytes() int64 { return e.roomBytes }

// startShards starts the shard actors.
func (e *Engine) startShards() error {
	for _, r := range e.runners {
		if err := e.system.Spawn(fmt.Sprintf("shard-%d", r.id), r, &r.inbox, e.workers); err != nil {
			return err
		}
	}
	return nil
}

// openShard recovers a shard.
func (e *Engine) openShard(id graph.ShardID, host shard.Host, between func()) (*shard.Shard, error) {
	c := shard.Config{
		ID: id, Shards: len(e.runners), Store: e.store, Rules: e.rules, Limits: e.limits, Seen: e.seenLimits,
		Host: host, Flights: e.flights, Between: between, Observers: []shard.Observer{&news{engine: e}},
	}
	if e.feed != nil {
		c.Observers = append(c.Observers, e.feed.Observer(id))
	}
	return shard.Open(c)
}

// recoverShards recovers all shards that nobody asked for yet, as many at a time as there are
// processors: those that wait are recovered the sooner.
func (e *Engine) recoverShards(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for id := range e.runners {
		group.Go(func() error { return e.ask(ctx, graph.ShardID(id), func(*shard.Shard) error { return nil }) })
	}
	err := group.Wait()
	e.recovered.Store(err == nil)
	return err
}

// Recovered tells whether every shard has recovered. Before, answers may take a moment.
func (e *Engine) Recovered() bool { return e.recovered.Load() }

// Feed is the change feed; nil, which it may be called on, where the deployment has none.
func (e *Engine) Feed() *feed.Feed { return e.feed }

// Shards is the number of shards.
func (e *Engine) Shards() int { return len(e.runners) }

// Rules are those in force.
func (e *Engine) Rules() *graph.Rules { return e.rules }

// Now is the engine's clock, ms since 1970.
func (e *Engine) Now() int64 { return e.now() }

// GiveWay lets reads go ahead, if there are any: whoever prepares much for Submit calls it now and then.
func (e *Engine) GiveWay() { e.way.give() }

// Failed is closed when the engine can't go on. Err says why.
func (e *Engine) Failed() <-chan struct{} { return e.failed }

// Err is what failed the engine; nil while it works.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// fail stops the engine: memory may be ahead of the store, so nothing more is answered but errors.
func (e *Engine) fail(err error) {
	e.mu.Lock()
	if e.err != nil {
		e.mu.Unlock()
		return
	}
	e.err = err
	deliveries := e.deliveries
	e.deliveries = nil
	close(e.failed)
	e.mu.Unlock()
	e.logger.Error("the engine stops", "error", err)
	for d := range deliveries {
		d.fail(err)
	}
}

// underWay is how many inputs from outside are not answered.
func (e *Engine) underWay() int64 { return e.inputs.Load() }

// trimEvery is how many ticks pass between two looks at what may be deleted of the change feed.
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

// learn gathers the fingerprints of all stored nodes, shard by shard, while the shards work.
func (e *Engine) learn() {
	for _, r := range e.runners {
		rows := hashset.NewFingerprints(e.knownBytes)
		err := row.ScanNodes(e.store, r.id, func(node graph.NodeKey, _ []byte) error {
			select {
			case <-e.stop:
				return storage.ErrStop
			default:
			}
			rows.Add(node)
			return nil
		})
		select {
		case <-e.stop:
			return
		default:
		}
		if err != nil {
			e.fail(fmt.Errorf("read the nodes of shard %d: %w", r.id, err))
			return
		}
		r.inbox.PostUserMessage(&asking{func(s *shard.Shard) { s.Known(rows) }})
	}
}

// ask runs fn with a shard, on its goroutine, and waits for it. Whoever gives up waiting takes fn
// back first: once ask has returned, fn does not run, and never touches what it closes over.
func (e *Engine) ask(ctx context.Context, id graph.ShardID, fn func(*shard.Shard) error) error {
	e.way.read()
	return e.askInTurn(ctx, id, fn)
}

// askInTurn is ask for who is in no hurry: ingest does not give way to it.
func (e *Engine) askInTurn(ctx context.Context, id graph.ShardID, fn func(*shard.Shard) error) error {
	if err := e.Err(); err != nil {
		return err
	}
	answer := make(chan error, 1)
	var taken atomic.Bool // by the shard, or by who gave up
	e.runners[id].inbox.runNow(&asking{func(s *shard.Shard) {
		if taken.CompareAndSwap(false, true) {
			answer <- fn(s)
		}
	}})
	var gaveUp error
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		gaveUp = ctx.Err()
	case <-e.failed:
		gaveUp = e.Err()
	case <-e.stop:
		gaveUp = ErrClosed
	}
	if taken.CompareAndSwap(false, true) {
		return gaveUp
	}
	return <-answer // it is running
}

// Flush writes everything that is written behind. When it returns, the rows are the whole state, as
// far as nothing was submitted meanwhile.
func (e *Engine) Flush(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, r := range e.runners {
		group.Go(func() error {
			m := &flushing{make(chan struct{})}
			r.inbox.PostUserMessage(m)
			select {
			case <-m.done:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			case <-e.failed:
				return e.Err()
			}
		})
	}
	return group.Wait()
}

// Settle waits until no input is under way and no message between shards is unacknowledged.
func (e *Engine) Settle(ctx context.Context) error {
	// Shards are asked one by one, and a message may pass from one not asked yet to one that was. So all
	// must be found at rest twice, with no record written in between.
	rested, records := false, uint64(0)
	for {
		quiet, written := e.underWay() == 0, uint64(0)
		for id := range e.runners {
			err := e.ask(ctx, graph.ShardID(id), func(s *shard.Shard) error {
				stats := s.Stats()
				quiet = quiet && stats.Waiting == 0
				written += stats.Record
				return nil
			})
			if err != nil {
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

// SettleWithin is Settle for a limited time. It returns false where that was not enough: then evidence may be between two shards.
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

// visibleWaits is how often Visible waits. Once is enough for an event that was folded where it came
// in. One that was passed on by a forward may meet, where it is folded, a claim that another event has
// made since: what that one sent has to arrive as well, and was sent before the first wait was over.
const visibleWaits = 2

// Visible waits until whoever asks by any identifier of an event or assertion that was answered before
// the call finds what it did: until the messages between shards that are under way, and what follows
// from them, have arrived. It does not wait for what comes in meanwhile, and not at all when nothing is
// under way. It fails with the error of the context or of the engine.
func (e *Engine) Visible(ctx context.Context) error {
	for range visibleWaits {
		landed := e.flights.Landed()
		if landed == nil {
			return nil
		}
		if err := e.await(ctx, landed); err != nil {
			return err
		}
	}
	return nil
}

// await waits until something is closed. It fails with the error of the context or of the engine.
func (e *Engine) await(ctx context.Context, closed <-chan struct{}) error {
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.failed:
		return e.Err()
	case <-e.stop:
		return ErrClosed
	}
}

// Close refuses new input, waits until all that was submitted is durable and delivered between
// shards, writes what is written behind, and stops the actors. The store stays open.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.mu.Unlock()
	told := e.tellNotes(ctx) // it takes inputs, which a closed engine doesn't
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	err := cmp.Or(told, e.Settle(ctx))
	if err == nil {
		err = e.Flush(ctx)
	}
	e.shutdown()
	return err
}

func (e *Engine) shutdown() {
	close(e.stop)
	if e.ticker != nil {
		e.ticker.Stop()
	}
	e.tasks.Wait()
	if err := e.system.Stop(); err != nil {
		e.logger.Warn("a shard did not stop in time", "error", err)
	}
	e.committer.close()
	e.workers.close()
	e.system.Shutdown()
}
