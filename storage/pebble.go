package storage

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble is the Store on disk. It adds three guarantees to the database that it wraps:
//
//   - The first failed write fails the store (S3). Such a write never returns to Pebble (failStopFS), so every call
//     that may write, or wait for a write, runs on a goroutine of its own (failure.guard). The caller gets an error
//     in any case, and the process can stop in order.
//   - A returned commit is durable (S2), and commits do not overlap: commitMu is held until the sync. Letting Pebble
//     group concurrent commits would be the obvious way to share an fsync, but damage in the log could then not be
//     told from a torn tail (checkLog). Shards share an fsync by passing their batches to one Commit.
//   - The directory has one owner (S5), and is either complete or not a data directory at all (layout.go).
type Pebble struct {
	dir        string
	node       string // see Options.Node
	fsys       vfs.FS
	logger     *slog.Logger
	db         *pebble.DB
	lock       io.Closer
	failure    failure
	stalls     atomic.Uint64
	stalled    atomic.Bool // a commit waits now
	buffers    sync.Pool   // of *[]byte, into which Commit combines batches
	commitMu   sync.Mutex  // held from the write of a commit to its sync
	compacting *compactions
	closeOnce  sync.Once
	closeErr   error
}

var _ Store = (*Pebble)(nil)

// Open opens the data directory o.Dir; if o.Create is set, it creates an absent one. It fails with an *Error of class
// ErrLocked, ErrForeign, ErrNewerFormat, ErrCorrupt, ErrDiskFull or ErrIO, of class ErrNotFound if the directory is
// absent and o.Create is not set, or with the error of o.Prepare.
func Open(o Options) (*Pebble, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	what, err := checkOurs(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	if what == dirNew {
		if !o.Create || o.ReadOnly {
			return nil, &Error{
				Class: ErrNotFound, Op: "open", Path: o.Dir, Err: errors.New("there is no data"),
				Remedy: "check the path; serve and ingest make a new data directory",
			}
		}
		if err := makeDir(o.FS, o.Dir); err != nil {
			return nil, classifyDir("open", o.Dir, err)
		}
	}
	lock, err := lockDir(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	return openLocked(o, lock)
}

// openLocked opens o.Dir and takes over its lock. It classifies the directory again: another process may have
// initialised it before this one took the lock.
func openLocked(o Options, lock io.Closer) (*Pebble, error) {
	p := &Pebble{dir: o.Dir, node: o.Node, fsys: o.FS, logger: o.Logger, lock: lock}
	p.failure.init()
	err := p.open(o)
	if err == nil {
		return p, nil
	}
	if p.db != nil {
		_ = p.Close()
	} else if !p.failure.isParked() {
		_ = lock.Close()
	}
	return nil, err
}

func (p *Pebble) open(o Options) error {
	what, err := checkOurs(o.FS, o.Dir)
	if err != nil {
		return err
	}
	if what == dirNew {
		if err := errors.Join(beginNew(o.FS, o.Dir), writeNode(o.FS, o.Dir, o.Node)); err != nil {
			return classifyDir("initialise", o.Dir, err)
		}
	} else if err := checkNode(o.FS, o.Dir, o.Node); err != nil {
		return err
	}
	opts := pebbleOptions(&o)
	opts.FS = &failStopFS{FS: yieldingFS{o.FS}, dir: o.FS.PathJoin(o.Dir, dbDir), failure: &p.failure}
	opts.ErrorIfNotExists = what == dirOurs
	opts.Logger = pebbleLogger{&p.failure, p.dir, o.Logger}
	opts.EventListener = p.events()
	p.compacting = newCompactions()
	opts.Experimental.CompactionScheduler = p.compacting
	if what == dirOurs {
		if err := checkDB(o.FS, o.Dir); err != nil {
			return err
		}
		if err := checkLog(o.FS, o.FS.PathJoin(o.Dir, dbDir)); err != nil {
			return err
		}
	}
	var db *pebble.DB // p.db is set after guard returns: a guarded call may outlive its guard
	if err := p.failure.guard(func() (err error) {
		db, err = pebble.Open(o.FS.PathJoin(o.Dir, dbDir), opts)
		return err
	}); err != nil {
		return classify("open", o.Dir, err)
	}
	p.db = db
	p.compacting.begin()
	if o.Prepare != nil {
		if err := o.Prepare(p, what == dirNew); err != nil {
			return err
		}
	}
	if what == dirNew {
		// Flush into a table, which damage to the log can't reach.
		if err := p.failure.guard(p.db.Flush); err != nil {
			return p.fail("initialise", err)
		}
		if err := markComplete(o.FS, o.Dir); err != nil {
			return classifyDir("initialise", o.Dir, err)
		}
	}
	return nil
}

// Commit implements Store. Commits are written one after another, each with its own fsync: callers share an fsync by
// passing their batches together. checkLog relies on this order.
func (p *Pebble) Commit(batches ...*Batch) error {
	if err := p.failure.refusal(); err != nil {
		return err
	}
	buf, _ := p.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	repr, err := combine(*buf, batches)
	if repr == nil {
		p.buffers.Put(buf)
		return err
	}
	err = p.failure.guard(func() error {
		p.commitMu.Lock()
		defer p.commitMu.Unlock()
		return p.apply(repr, buf)
	})
	if err != nil {
		return p.fail("commit", err)
	}
	return nil
}

// Sync implements Store. A commit has the mutex until it is durable.
func (p *Pebble) Sync() error {
	if err := p.failure.refusal(); err != nil {
		return err
	}
	err := p.failure.guard(func() error {
		p.commitMu.Lock()
		defer p.commitMu.Unlock()
		return nil
	})
	if err != nil {
		return err
	}
	return p.failure.refusal()
}

func (p *Pebble) apply(repr []byte, buf *[]byte) error {
	// Not from db.NewBatch: such a batch returns to Pebble's pool, with our memory in it.
	var batch pebble.Batch
	if err := batch.SetRepr(repr); err != nil {
		return err
	}
	if err := p.db.Apply(&batch, pebble.Sync); err != nil {
		return err
	}
	// Pebble keeps the memory of a batch too large for a memtable, and shows it by clearing the batch's
	// representation.
	if left := batch.Repr(); len(left) == len(repr) && &left[0] == &repr[0] {
		*buf = repr
		p.buffers.Put(buf)
	}
	return nil
}

// Failed implements Store.
func (p *Pebble) Failed() <-chan struct{} { return p.failure.failed }

// Err implements Store.
func (p *Pebble) Err() error { return p.failure.err() }

// Rest says that the store is about to be closed: no compaction begins any more but while a commit waits. Close would wait
// for it, and what it would do can be done after the next Open.
func (p *Pebble) Rest() { p.compacting.rest() }

// Close implements Store. A store that failed during a write keeps its database and its lock until the process ends:
// Pebble's background work can't be stopped then, and no other process may open the directory meanwhile.
func (p *Pebble) Close() error {
	p.closeOnce.Do(func() {
		p.failure.close()
		err := p.closeDB()
		if p.failure.isParked() {
			p.closeErr = p.failure.err()
			return
		}
		p.closeErr = errors.Join(p.failure.err(), classify("close", p.dir, err), classifyDir("close", p.dir, p.lock.Close()))
	})
	return p.closeErr
}

// closeDB closes the database after the commit that is being written, if any: after a failure Commit returns before
// Pebble does.
func (p *Pebble) closeDB() error {
	done := make(chan error, 1)
	go func() {
		p.commitMu.Lock()
		defer p.commitMu.Unlock()
		done <- p.db.Close()
	}()
	select {
	case err := <-done:
		return err
	case <-p.failure.parked:
		return nil
	}
}

func (p *Pebble) fail(op string, err error) error {
	return p.failure.fail(classify(op, p.dir, err))
}

// Stats describes the store at one moment. Sizes are in bytes; counters start at Open.
type Stats struct {
	DiskBytes      uint64 // tables and write-ahead log
	Tables         int64
	MemtableBytes  uint64
	CacheBytes     int64
	CacheHits      int64
	CacheMisses    int64
	CompactionDebt uint64 // bytes that compactions still have to rewrite
	WriteStalls    uint64 // how many times commits waited for a flush or a compaction
	Stalled        bool   // a commit waits for one now
	FreeBytes      uint64 // of the disk; 0 where it is not known
}

// Stats measures the store. It is cheap enough for every scrape of the metrics.
func (p *Pebble) Stats() Stats {
	if p.failure.refusal() != nil {
		return Stats{}
	}
	m := p.db.Metrics()
	s := Stats{
		DiskBytes:      m.DiskSpaceUsage(),
		MemtableBytes:  m.MemTable.Size,
		CacheBytes:     m.BlockCache.Size,
		CacheHits:      m.BlockCache.Hits,
		CacheMisses:    m.BlockCache.Misses,
		CompactionDebt: m.Compact.EstimatedDebt,
		WriteStalls:    p.stalls.Load(),
		Stalled:        p.stalled.Load(),
	}
	if usage, err := p.fsys.GetDiskUsage(p.dir); err == nil {
		s.FreeBytes = usage.AvailBytes
	}
	for i := range m.Levels {
		s.Tables += m.Levels[i].TablesCount
	}
	return s
}

// classifyDir classifies a failure outside Pebble, for which a missing file is not damage.
func classifyDir(op, dir string, err error) error {
	if err == nil {
		return nil
	}
	class := ErrIO
	if vfs.IsNoSpaceError(err) {
		class = ErrDiskFull
	}
	return &Error{Class: class, Op: op, Path: dir, Err: err, Remedy: remedies[class]}
}
