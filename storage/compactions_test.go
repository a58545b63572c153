package storage

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
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

// No compaction runs before begin; then all of them run, as many at a time as are allowed; at rest they run only while a
// commit waits; none runs after Unregister.
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
		c.rest()
		db.want()
		time.Sleep(time.Minute)
		state(0, 4, 1)
		c.setStalled(true)
		state(1, 4, 0)
		time.Sleep(time.Minute)
		state(0, 5, 0)
		c.setStalled(false)
		db.want()
		time.Sleep(time.Minute)
		state(0, 5, 1)
		c.setStalled(true) // first the stall, then the rest
		c.rest()
		time.Sleep(time.Minute)
		state(0, 6, 0)
		for range 5 {
			db.want()
		}
		state(3, 6, 2)
		c.Unregister()
		calls := db.calls
		time.Sleep(time.Minute)
		state(0, 9, 2)
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

// Commits that only a compaction makes room for return at rest, too.
func TestRest(t *testing.T) {
	p, err := Open(Options{Dir: "data", FS: vfs.NewMem(), Create: true, MemtableBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	p.Rest()
	value := make([]byte, 64<<10)
	for i := range 700 { // 44 MiB, in more memtables than may be tables without a compaction
		var b Batch
		b.Set(binary.BigEndian.AppendUint64(nil, uint64(i%16)<<60|uint64(i)), value)
		if err := p.Commit(&b); err != nil {
			t.Fatal(err)
		}
	}
	if p.Stats().WriteStalls == 0 {
		t.Error("no commit waited, so there was nothing to see")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}
