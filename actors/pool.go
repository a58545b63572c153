package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/protoactor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"golang.org/x/sync/errgroup"
)

// pool runs the shards of a process: an actor each, a few workers for all, one committer. All other code reaches a shard
// through ask, which runs a function with it.
//
// Invariants:
//   - At most one goroutine runs a shard (inbox).
//   - Once ask has returned, the function that it was given does not run: a caller that gives up waiting takes it back first.
//   - After a failure no shard runs any more. An error of one shard alone, such as a corrupt row, closes that shard; only a
//     failure of the store fails the pool.
type pool struct {
	settings
	failure
	routes
	system    *protoactor.System
	workers   *workers
	priority  readPriority
	transit   *shard.Transit
	clock     feed.Clock
	observers func(graph.ShardID) []shard.Observer
	open      *shard.OpenChannels
	defined   atomic.Pointer[audiences.State] // nil: nothing ever was
	due       []atomic.Int64                  // by shard: when roots are to be evaluated because of the time
	sweeping  atomic.Bool                     // everything is being judged again: shards that are opened meanwhile have to know
	learner   learner
	gate      gate
	owned     atomic.Int64 // shards that are with this process
	crowded   atomic.Int64 // and that have more messages under way to another one than may be while events are taken in
	stop      chan struct{}
	askings   sync.Pool // of *asking, used again once they are answered: after the answer the shard does not touch them
}

// settings are what all shards run on.
type settings struct {
	store   storage.Store
	rules   *graph.Rules
	memory  memoryOfShards
	buffers *storage.Buffers
	seenFor time.Duration
	now     func() int64 // ms since 1970
}

// flushBytes is how much of a flush a shard commits at a time: enough to be worth a sync, and at most what a commit may have.
const flushBytes = 1 << 20

// minLogBytes is the least log, over all shards, whatever the memory.
const minLogBytes = 4 << 20

// buffersShare is the part of the log that free buffers may take beside it and the events that wait.
const buffersShare = 8

// poisonBuffers is set by this package's tests: a buffer that is given back is overwritten, so that a reader that still has it
// fails.
var poisonBuffers bool

// newPool has the runners of all shards, and none of them started.
func newPool(c Config) *pool {
	shards := int64(c.Deployment.Shards)
	p := &pool{transit: shard.NewTransit(), stop: make(chan struct{})}
	if c.Network != nil {
		p.transit = shard.NewSharedTransit(1 + rand.Uint32N(math.MaxUint32))
	}
	p.logger, p.failed = c.Logger, make(chan struct{})
	if p.logger == nil {
		p.logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = func() int64 { return time.Now().UnixMilli() } //nolint:forbidigo // the engine is where the clock enters
	}
	if c.LogBytes == 0 {
		c.LogBytes = max(c.Memory.Log/(buffersShare+1)*buffersShare, minLogBytes)
	}
	flush := flushBytes
	if most := commitBytes(c.Memory); most > 0 {
		flush = min(flush, most)
	}
	p.settings = settings{
		store: c.Store, rules: c.Rules, now: c.Clock,
		buffers: storage.NewBuffers(c.LogBytes/buffersShare, c.LogBytes),
		memory:  memoryOfShards{log: c.LogBytes, actors: c.Memory.Actors, duplicates: c.Memory.Duplicates, flush: flush},
		seenFor: c.SeenFor,
	}
	if poisonBuffers {
		p.buffers.Poison()
	}
	p.learner = learner{pool: p, bytes: c.Memory.NodeIndex}
	p.system = protoactor.NewSystem(p.logger)
	p.runners = make([]*runner, shards)
	p.due = make([]atomic.Int64, shards)
	for i := range p.runners {
		p.due[i].Store(notDue)
		p.runners[i] = &runner{pool: p, id: graph.ShardID(i)}
		if c.Shards != nil && !slices.Contains(c.Shards, graph.ShardID(i)) {
			p.runners[i].gone.Store(&lostError{id: graph.ShardID(i)})
		}
	}
	for _, r := range p.runners {
		if r.here() {
			p.owned.Add(1)
		}
	}
	p.journal, p.network, p.routes.clock, p.routes.defined = c.Journal, c.Network, &p.clock, &p.defined
	return p
}

// commitBytes is what one commit should not exceed: 0, any, where the memory was not divided.
func commitBytes(m storage.Memory) int {
	if m.Memtables == 0 {
		return 0
	}
	return m.CommitBytes()
}

// start starts the shard actors, the workers that run them, and the committer.
func (p *pool) start(mostOfCommit int) error {
	p.workers = startWorkers(len(p.runners))
	p.committer = startCommitter(p, mostOfCommit)
	for _, r := range p.runners {
		if err := p.system.Spawn(fmt.Sprintf("shard-%d", r.id), r, &r.inbox, p.workers); err != nil {
			return err
		}
	}
	return nil
}

// openShard recovers a shard.
func (p *pool) openShard(id graph.ShardID, host shard.Host, between func()) (*shard.Shard, error) {
	limits, seen := p.limits()
	c := shard.Config{
		ID: id, Shards: len(p.runners), Store: p.store, Rules: p.rules, Limits: limits, Buffers: p.buffers, Seen: seen,
		Host: host, Transit: p.transit, Between: between, Channels: p.open, Observers: p.observers(id),
		Due: &p.due[id],
	}
	if defined := p.defined.Load(); defined != nil {
		c.Definitions, c.Live = defined.Signals, defined.Live
	}
	s, err := shard.Open(c)
	if err == nil {
		s.Sweep(p.sweeping.Load())
	}
	return s, err
}

// definitions are those by which events are marked.
func (p *pool) definitions() *signals.Definitions {
	if now := p.defined.Load(); now != nil {
		return now.Signals
	}
	return nil
}

// changeRules lets all shards judge by the rules in force, which were changed. It fails where anything is left that other rules
// have decided.
func (p *pool) changeRules(ctx context.Context) error {
	for _, r := range p.runners {
		m := &ruling{make(chan error, 1)}
		r.inbox.PostUserMessage(m)
		if err := p.placed(ctx, m.done); err != nil && !errors.Is(err, ErrLost) {
			return err
		}
	}
	return nil
}

// sweep tells every shard whether everything is being judged again.
func (p *pool) sweep(ctx context.Context, on bool) error {
	p.sweeping.Store(on) // first: a shard that is opened from now on knows
	return p.onShards(ctx, func(_ graph.ShardID, s *shard.Shard) { s.Sweep(on) })
}

// recoverShards recovers all shards that were not asked for yet, as many at a time as there are processors: more at a time
// would only recover each of them later.
func (p *pool) recoverShards(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for id := range p.runners {
		group.Go(func() error { return p.ask(ctx, graph.ShardID(id), func(*shard.Shard) error { return nil }) })
	}
	return group.Wait()
}

// Shards is the number of shards.
func (p *pool) Shards() int { return len(p.runners) }

// Rules are those in force.
func (p *pool) Rules() *graph.Rules { return p.rules }

// Now is the engine's clock, ms since 1970.
func (p *pool) Now() int64 { return p.now() }

// YieldToReads lets reads go ahead, if there are any: a caller that prepares much for Submit calls it every few events.
func (p *pool) YieldToReads() { p.priority.yield() }

// askFirst is ask for a look-up that somebody waits for: ingest yields to it, on every processor.
func (p *pool) askFirst(ctx context.Context, id graph.ShardID, fn func(*shard.Shard) error) error {
	p.priority.note()
	return p.ask(ctx, id, fn)
}

// ask runs fn with a shard, on the goroutine that runs it, and waits for it. A caller that gives up waiting takes fn
// back first: once ask has returned, fn is not running and never runs again, nor touches what it closes over.
func (p *pool) ask(ctx context.Context, id graph.ShardID, fn func(*shard.Shard) error) error {
	if err := p.Err(); err != nil {
		return err
	}
	a, ok := p.askings.Get().(*asking)
	if !ok {
		a = &asking{answer: make(chan error, 1)}
	}
	a.fn = fn
	a.taken.Store(false)
	p.runners[id].inbox.runNow(a)
	var answer, gaveUp error
	select {
	case answer = <-a.answer: // as nearly always: the shard was at rest
	default:
		if answer, gaveUp = receive(ctx, p, a.answer); gaveUp != nil {
			if a.taken.CompareAndSwap(false, true) {
				return gaveUp // the inbox still has it
			}
			answer = <-a.answer // it is running
		}
	}
	a.fn = nil
	p.askings.Put(a)
	return answer
}

// onShards runs fn with every shard, one after the other.
func (p *pool) onShards(ctx context.Context, fn func(graph.ShardID, *shard.Shard)) error {
	for id := range p.runners {
		err := p.ask(ctx, graph.ShardID(id), func(s *shard.Shard) error {
			fn(graph.ShardID(id), s)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Flush writes all deferred rows. When it returns, the rows are the whole state, as
// far as nothing was submitted meanwhile. It fails with ErrLost if a shard is not with this process, after it has written the others.
func (p *pool) Flush(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, r := range p.runners {
		group.Go(func() error {
			m := &flushing{make(chan error, 1)}
			r.inbox.PostUserMessage(m)
			return p.placed(ctx, m.done)
		})
	}
	return group.Wait()
}

// lost is the error of the first shard that failed on its own; nil if none did.
func (p *pool) lost() error {
	for _, r := range p.runners {
		if failed := r.failed(); failed != nil {
			return failed
		}
	}
	return nil
}

// placed waits until a runner has done what it was asked for.
func (p *pool) placed(ctx context.Context, done <-chan error) error {
	answer, gaveUp := receive(ctx, p, done)
	return cmp.Or(gaveUp, answer)
}

// visibleHere is Visible in one process.
func (p *pool) visibleHere(ctx context.Context) error {
	lost := p.lost()
	if lost != nil {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, lostPatience, lost)
		defer cancel()
	}
	wait := p.transit.Wait()
	for landed := wait.Next(); landed != nil; landed = wait.Next() {
		if err := p.await(ctx, landed); err != nil {
			if lost != nil && errors.Is(context.Cause(ctx), ErrLost) {
				return lost
			}
			return err
		}
	}
	return nil
}

// lostPatience bounds the wait of Visible while a shard has failed.
const lostPatience = 100 * time.Millisecond

// await waits until something is closed. It fails with the error of the context or of the engine.
func (p *pool) await(ctx context.Context, closed <-chan struct{}) error {
	_, err := receive(ctx, p, closed)
	return err
}

// receive waits for a value, or for the close of its channel. It fails with the error of the context or of the engine.
func receive[T any](ctx context.Context, p *pool, from <-chan T) (value T, err error) {
	select {
	case value = <-from:
		return value, nil
	case <-ctx.Done():
		return value, ctx.Err()
	case <-p.failed:
		return value, p.Err()
	case <-p.stop:
		return value, ErrClosed
	}
}

// shutdown ends the shard actors and what runs them. Nobody may post from then on.
func (p *pool) shutdown() {
	p.learner.group.Wait()
	if err := p.system.Stop(); err != nil {
		p.logger.Warn("a shard did not stop in time", "error", err)
	}
	p.committer.close()
	p.workers.close()
	p.system.Shutdown()
}
