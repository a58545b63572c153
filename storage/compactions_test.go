package storage

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// compactingDB has waiting compactions, each of which runs for a second.
type compactingDB struct {
	scheduler *compactions
	allowed   atomic.Int32

	mu                    sync.Mutex // guards the following
	waiting, running, ran int
	most                  int // that ran at once
	calls                 int
}

func (db *compactingDB) GetAllowedWithoutPermission() int { return int(db.allowed.Load()) }

func (db *compactingDB) GetWaitingCompaction() (bool, pebble.WaitingCompaction) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.calls++
	return db.waiting > 0, pebble.WaitingCompaction{}
}

func (db *compactingDB) Schedule(handle pebble.CompactionGrantHandle) bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.calls++; db.waiting == 0 {
		return false
	}
	db.waiting--
	db.run(handle)
	return true
}

func (db *compactingDB) run(handle pebble.CompactionGrantHandle) {
	db.running++
	db.most = max(db.most, db.running)
	go func() {
		time.Sleep(time.Second)
		db.mu.Lock()
		db.running--
		db.ran++
		db.mu.Unlock()
		handle.Done()
	}()
}

// want does what Pebble does when it needs a compaction: it runs the compaction, or leaves it waiting.
func (db *compactingDB) want() {
	db.mu.Lock()
	defer db.mu.Unlock()
	if ok, handle := db.scheduler.TrySchedule(); ok {
		db.run(handle)
	} else {
		db.waiting++
	}
}

// No compaction runs before begin; then all of them run, as many at a time as are allowed; none runs after Unregister.
func TestCompactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCompactions()
		db := &compactingDB{scheduler: c}
		db.allowed.Store(1)
		state := func(running, ran, waiting int) {
			t.Helper()
			synctest.Wait()
			db.mu.Lock()
			defer db.mu.Unlock()
			if db.running != running || db.ran != ran || db.waiting != waiting {
				t.Fatalf("%d run, %d ran, %d wait; want %d, %d and %d", db.running, db.ran, db.waiting, running, ran, waiting)
			}
		}
		c.Register(2, db)
		db.want()
		db.want()
		db.want()
		c.UpdateGetAllowedWithoutPermission()
		time.Sleep(time.Minute)
		state(0, 0, 3)
		c.begin()
		state(1, 0, 2)
		time.Sleep(1001 * time.Millisecond)
		state(1, 1, 1)
		db.allowed.Store(2) // as a backlog grew; nobody says so
		time.Sleep(compactionPoll)
		state(2, 1, 0)
		db.want()
		state(2, 1, 1)
		db.allowed.Store(3)
		c.UpdateGetAllowedWithoutPermission()
		state(3, 1, 0)
		time.Sleep(time.Minute)
		state(0, 4, 0)
		for range 5 {
			db.want()
		}
		state(3, 4, 2)
		c.Unregister()
		calls := db.calls
		time.Sleep(time.Minute)
		state(0, 7, 2)
		if db.calls != calls {
			t.Errorf("%d calls after Unregister returned", db.calls-calls)
		}
		if db.most != 3 {
			t.Errorf("%d ran at once, want 3 at the most", db.most)
		}
	})
}

// A database that failed to open is released.
func TestCompactionsWithoutBegin(t *testing.T) {
	c := newCompactions()
	db := &compactingDB{scheduler: c}
	db.allowed.Store(1)
	c.Register(2, db)
	c.Unregister()
	if ok, _ := c.TrySchedule(); ok {
		t.Error("a compaction was granted")
	}
}
