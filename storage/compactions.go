package storage

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// compactions lets as many compactions run at once as Pebble asks for, and none before begin. Pebble's own scheduler starts one
// as soon as the log is replayed into tables, and then opening a database waits until it has ended:
// docs/decisions/0010-memtables.md. It is a pebble.CompactionScheduler.
//
//	registered ──begin──► granting ──Unregister──► over
type compactions struct {
	db pebble.DBForCompaction // set before any other call

	// turn is held while waiting compactions are granted, with Pebble's locks within it. mu guards what follows it, and is
	// taken within Pebble's.
	turn     sync.Mutex
	mu       sync.Mutex
	granting bool
	running  int

	looking sync.WaitGroup // the goroutine that begin started
	over    chan struct{}  // closed to end it
	look    chan struct{}  // has one when there may be more to grant
}

// compactionLook is how often is looked whether more may run at once: a backlog grows while a compaction takes its time.
const compactionLook = 100 * time.Millisecond

func newCompactions() *compactions {
	return &compactions{over: make(chan struct{}), look: make(chan struct{}, 1)}
}

// begin grants what waits, and what comes. It is called once, when the database is open.
func (c *compactions) begin() {
	c.mu.Lock()
	c.granting = true
	c.mu.Unlock()
	c.looking.Go(func() {
		ticker := time.NewTicker(compactionLook)
		defer ticker.Stop()
		for {
			c.grant()
			select {
			case <-ticker.C:
			case <-c.look:
			case <-c.over:
				return
			}
		}
	})
}

// grant starts compactions that wait, as far as there may be more.
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
	return c.granting
}

func (c *compactions) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
}

// Register implements pebble.CompactionScheduler.
func (c *compactions) Register(_ int, db pebble.DBForCompaction) { c.db = db }

// Unregister implements pebble.CompactionScheduler: no call to the database is under way when it returns, and none follows.
func (c *compactions) Unregister() {
	c.mu.Lock()
	c.granting = false
	c.mu.Unlock()
	close(c.over)
	c.looking.Wait()
	c.turn.Lock() // of a compaction that has just ended
	defer c.turn.Unlock()
}

// TrySchedule implements pebble.CompactionScheduler.
func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.granting || c.running >= c.db.GetAllowedWithoutPermission() {
		return false, nil
	}
	c.running++
	return true, c
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler.
func (c *compactions) UpdateGetAllowedWithoutPermission() {
	select {
	case c.look <- struct{}{}:
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
