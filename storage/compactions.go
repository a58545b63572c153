package storage

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// compactions is Pebble's compaction scheduler. It starts no compaction before begin, and then as many at once as
// Pebble allows.
//
// The obvious choice, Pebble's own scheduler, starts a compaction as soon as the log is replayed into tables, and
// opening the database then waits for that compaction to end: docs/decisions/0010-memtables.md.
//
//	registered ──begin──► granting ──Unregister──► over
//
// Invariants:
//   - running <= what Pebble allows at the time of the grant; the allowance may fall while compactions run.
//   - After Unregister returns, no call to db is under way and none follows.
//   - While a commit waits, compactions begin even at rest: what it waits for may be one.
//
// Lock order: turn, then Pebble's locks, then mu. Pebble calls TrySchedule with its locks held, so mu must never be
// held during a call that takes them; turn alone serialises the loop of grant.
type compactions struct {
	db pebble.DBForCompaction // set before any other call

	// turn is held while grant starts compactions that wait.
	turn     sync.Mutex
	mu       sync.Mutex // guards the following
	granting bool
	resting  bool // the database is about to close
	stalled  bool // a commit waits
	running  int

	polling sync.WaitGroup // the goroutine that begin starts
	over    chan struct{}  // closed to end that goroutine
	wake    chan struct{}  // holds one token when Pebble may allow more compactions
}

// compactionPoll is how often we ask Pebble whether it allows more concurrent compactions: a backlog may grow while
// one compaction runs, and Pebble does not always report it.
const compactionPoll = 100 * time.Millisecond

func newCompactions() *compactions {
	return &compactions{over: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// begin starts the compactions that wait, and from now on those that follow. It is called once, after the database is open.
func (c *compactions) begin() {
	c.mu.Lock()
	c.granting = true
	c.mu.Unlock()
	c.polling.Go(func() {
		ticker := time.NewTicker(compactionPoll)
		defer ticker.Stop()
		for {
			c.grant()
			select {
			case <-ticker.C:
			case <-c.wake:
			case <-c.over:
				return
			}
		}
	})
}

// grant starts waiting compactions until none waits or Pebble allows no more.
func (c *compactions) grant() {
	c.turn.Lock()
	defer c.turn.Unlock()
	for c.isGranting() {
		if waiting, _ := c.db.GetWaitingCompaction(); !waiting {
			return
		}
		ok, handle := c.TrySchedule()
		if !ok {
			return
		}
		if !c.db.Schedule(handle) {
			c.ended()
			return
		}
	}
}

func (c *compactions) isGranting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mayStartLocked()
}

// mayStartLocked reports whether a compaction may start now. REQUIRES: c.mu held
func (c *compactions) mayStartLocked() bool { return c.granting && (!c.resting || c.stalled) }

// rest starts no more compactions, but for a commit that waits: the database is about to close, and would wait for those that
// run. The next process makes up for them.
func (c *compactions) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resting = true
}

// setStalled notes whether a commit waits. Pebble's locks may be held.
func (c *compactions) setStalled(stalled bool) {
	c.mu.Lock()
	c.stalled = stalled
	c.mu.Unlock()
	if stalled {
		c.UpdateGetAllowedWithoutPermission()
	}
}

func (c *compactions) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
}

// Register implements pebble.CompactionScheduler.
func (c *compactions) Register(_ int, db pebble.DBForCompaction) { c.db = db }

// Unregister implements pebble.CompactionScheduler. When it returns, no call to the database is under way, and none follows.
//
// The race that turn decides, when a compaction ends while the database closes:
//
//	Done           ended, then grant: waits for turn, or holds it
//	Unregister     granting = false; waits for turn
//	grant, first   starts at most one more compaction, sees granting, gives up turn
//	grant, second  takes turn after Unregister, sees granting, and calls nothing
//
// Without turn, the first grant could call the database after Unregister has returned.
func (c *compactions) Unregister() {
	c.mu.Lock()
	c.granting = false
	c.mu.Unlock()
	close(c.over)
	c.polling.Wait()
	c.turn.Lock() // wait for the grant of a compaction that has just ended
	defer c.turn.Unlock()
}

// TrySchedule implements pebble.CompactionScheduler.
func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.mayStartLocked() || c.running >= c.db.GetAllowedWithoutPermission() {
		return false, nil
	}
	c.running++
	return true, c
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler.
func (c *compactions) UpdateGetAllowedWithoutPermission() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Started implements pebble.CompactionGrantHandle.
func (c *compactions) Started() {}

// MeasureCPU implements pebble.CompactionGrantHandle.
func (c *compactions) MeasureCPU(pebble.CompactionGoroutineKind) {}

// CumulativeStats implements pebble.CompactionGrantHandle.
func (c *compactions) CumulativeStats(pebble.CompactionGrantHandleStats) {}

// Done implements pebble.CompactionGrantHandle.
func (c *compactions) Done() {
	c.ended()
	c.grant()
}
