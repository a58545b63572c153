package storage

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// A failure holds the one error that stops a store (S3).
//
//	working ──fail──► failed (stays)
//	   │                │
//	   └────close───────┴──► closed: every operation is refused
type failure struct {
	failed chan struct{}
	parked chan struct{} // closed when a goroutine of Pebble never ends: the database can't be closed

	reason atomic.Pointer[error] // what operations are refused with: first, or ErrClosed

	parkOnce sync.Once

	mu    sync.Mutex // guards the following
	first error
}

func (f *failure) init() { f.failed, f.parked = make(chan struct{}), make(chan struct{}) }

// fail makes err the failure unless one exists, and returns the failure.
func (f *failure) fail(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first = err
		f.reason.CompareAndSwap(nil, &err)
		close(f.failed)
	}
	return f.first
}

func (f *failure) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}

func (f *failure) close() {
	closed := error(ErrClosed)
	f.reason.CompareAndSwap(nil, &closed)
}

// refusal returns the error that refuses an operation; nil while the store works.
func (f *failure) refusal() error {
	if reason := f.reason.Load(); reason != nil {
		return *reason
	}
	return nil
}

// park fails the store and never returns: the goroutine keeps its stack and the locks of Pebble that it holds until
// the process ends.
func (f *failure) park(err error) {
	_ = f.fail(err)
	f.parkOnce.Do(func() { close(f.parked) })
	select {}
}

func (f *failure) isParked() bool {
	select {
	case <-f.parked:
		return true
	default:
		return false
	}
}

// guard runs fn on a goroutine of its own. It returns the error of fn, or the failure if the store fails before fn
// returns: fn may then be parked, or wait for something that is. The caller must not touch memory that fn uses after
// guard returned a failure.
func (f *failure) guard(fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-f.failed:
		return f.err()
	}
}

// pebbleLogger is Pebble's logger.
type pebbleLogger struct {
	failure *failure
	dir     string
	logger  *slog.Logger
}

// Infof implements pebble.Logger.
func (l pebbleLogger) Infof(format string, args ...any) {
	l.logger.Debug(fmt.Sprintf(format, args...))
}

// Errorf implements pebble.Logger.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.logger.Error(fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger. Pebble relies on it not to return, and holds locks in ways that do not let the
// goroutine be unwound, so it parks.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			err = cause // keeps its class, which the text would lose
		}
	}
	l.failure.park(classify("write", l.dir, err))
}

// LowDiskBytes is how much free space is worth a warning. Pebble tells of the last tenth of any disk, which is much of a
// large one.
const LowDiskBytes = 8 << 30

// events fails the store on background errors.
func (p *Pebble) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { _ = p.fail("flush or compact", err) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			_ = p.failure.fail(&Error{Class: ErrCorrupt, Op: "read", Path: info.Path, Err: info.Details, Remedy: remedies[ErrCorrupt]})
		},
		WriteStallBegin: func(pebble.WriteStallBeginInfo) {
			p.stalls.Add(1)
			p.stalled.Store(true)
			p.compacting.setStalled(true)
		},
		WriteStallEnd: func() {
			p.stalled.Store(false)
			p.compacting.setStalled(false)
		},
		LowDiskSpace: func(info pebble.LowDiskSpaceInfo) {
			if info.AvailBytes > LowDiskBytes {
				return
			}
			p.logger.Warn("disk space is low", "dir", p.dir, "available_bytes", info.AvailBytes, "total_bytes", info.TotalBytes)
		},
	}
}
