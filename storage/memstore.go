package storage

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// CommitFate is the outcome of a commit of a MemStore.
type CommitFate uint8

// The fates. After either failure the caller does not know the outcome, and the store has failed.
const (
	CommitWell   CommitFate = iota // it happens and returns nil
	CommitLost                     // it does not happen and returns an error
	CommitUnseen                   // it happens and returns an error
)

// ErrUnknownOutcome is returned by a commit of a MemStore that was told to fail.
var ErrUnknownOutcome = errors.New("outcome unknown")

// MemStore is a Store in memory, for the deterministic simulator and for tests. It uses no goroutine and no clock,
// and a file only for Backup. Every commit is durable at once: Reopen keeps it.
type MemStore struct {
	// Fate, when set, decides each commit that writes something; n counts these from 1, across reopenings. MemStore
	// calls it with its lock held, so it must not use the store.
	Fate func(n int) CommitFate

	mu      sync.Mutex // guards the following
	rows    []memRow   // by key
	commits int
	err     error
	failed  chan struct{}
	closed  bool
}

// A memRow is never changed in place, so that a slice of rows is a snapshot.
type memRow struct{ key, value []byte }

var _ Store = (*MemStore)(nil)

// NewMemStore makes an empty store.
func NewMemStore() *MemStore { return &MemStore{failed: make(chan struct{})} }

// Reopen simulates a crash and a restart: it returns a store with exactly the commits that happened. The old store
// refuses every operation from now on.
func (m *MemStore) Reopen() *MemStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return &MemStore{Fate: m.Fate, rows: slices.Clone(m.rows), commits: m.commits, failed: make(chan struct{})}
}

// Commits counts the commits that wrote something, including the failed ones.
func (m *MemStore) Commits() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.commits
}

// Get implements Store.
func (m *MemStore) Get(dst, key []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refusalLocked(); err != nil {
		return dst, err
	}
	return getRow(m.rows, dst, key)
}

// Iterate implements Store.
func (m *MemStore) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	m.mu.Lock()
	if err := m.refusalLocked(); err != nil {
		m.mu.Unlock()
		return err
	}
	from, to := rowRange(m.rows, lower, upper)
	rows := slices.Clone(m.rows[from:to])
	m.mu.Unlock()
	return eachRow(rows, fn)
}

// Snapshot implements Store.
func (m *MemStore) Snapshot() (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refusalLocked(); err != nil {
		return nil, err
	}
	return &memSnapshot{m, slices.Clone(m.rows)}, nil
}

type memSnapshot struct {
	store *MemStore
	rows  []memRow
}

// Get implements Reader.
func (s *memSnapshot) Get(dst, key []byte) ([]byte, error) {
	if err := s.store.refusal(); err != nil {
		return dst, err
	}
	return getRow(s.rows, dst, key)
}

// Iterate implements Reader.
func (s *memSnapshot) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	if err := s.store.refusal(); err != nil {
		return err
	}
	from, to := rowRange(s.rows, lower, upper)
	return eachRow(s.rows[from:to], fn)
}

// Close implements Snapshot.
func (s *memSnapshot) Close() error { return nil }

// Sync implements Store.
func (m *MemStore) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refusalLocked()
}

// Commit implements Store.
func (m *MemStore) Commit(batches ...*Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refusalLocked(); err != nil {
		return err
	}
	if !slices.ContainsFunc(batches, func(b *Batch) bool { return !b.Empty() }) {
		return nil
	}
	m.commits++
	fate := CommitWell
	if m.Fate != nil {
		fate = m.Fate(m.commits)
	}
	if fate != CommitLost {
		for _, b := range batches {
			b.each(m.setLocked, m.deleteLocked, m.deleteRangeLocked)
		}
	}
	if fate != CommitWell {
		m.err = fmt.Errorf("commit %d: %w", m.commits, ErrUnknownOutcome)
		close(m.failed)
		return m.err
	}
	return nil
}

func (m *MemStore) setLocked(key, value []byte) {
	row := memRow{slices.Clone(key), slices.Clone(value)}
	i, ok := m.findLocked(key)
	if ok {
		m.rows[i] = row
		return
	}
	m.rows = slices.Insert(m.rows, i, row)
}

func (m *MemStore) deleteLocked(key []byte) {
	if i, ok := m.findLocked(key); ok {
		m.rows = slices.Delete(m.rows, i, i+1)
	}
}

func (m *MemStore) deleteRangeLocked(lower, upper []byte) {
	from, to := m.rangeLocked(lower, upper)
	m.rows = slices.Delete(m.rows, from, to)
}

func (m *MemStore) findLocked(key []byte) (int, bool) { return findRow(m.rows, key) }

func (m *MemStore) rangeLocked(lower, upper []byte) (from, to int) {
	return rowRange(m.rows, lower, upper)
}

func findRow(rows []memRow, key []byte) (int, bool) {
	return slices.BinarySearchFunc(rows, key, func(r memRow, key []byte) int { return bytes.Compare(r.key, key) })
}

func rowRange(rows []memRow, lower, upper []byte) (from, to int) {
	from, _ = findRow(rows, lower)
	to, _ = findRow(rows, upper)
	return from, max(from, to)
}

func getRow(rows []memRow, dst, key []byte) ([]byte, error) {
	if i, ok := findRow(rows, key); ok {
		return append(dst, rows[i].value...), nil
	}
	return dst, ErrNotFound
}

func eachRow(rows []memRow, fn func(key, value []byte) error) error {
	for _, row := range rows {
		if err := fn(row.key, row.value); err != nil {
			if err == ErrStop { //nolint:errorlint // a wrapped ErrStop is some other function's
				return nil
			}
			return err
		}
	}
	return nil
}

func (m *MemStore) refusal() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refusalLocked()
}

func (m *MemStore) refusalLocked() error {
	if m.closed {
		return ErrClosed
	}
	return m.err
}

// Backup implements Store: it creates a data directory on disk that Open can open.
func (m *MemStore) Backup(dir string) error {
	o := Options{Dir: dir, Create: true, Prepare: func(s Store, _ bool) error {
		var b Batch
		if err := m.Iterate([]byte{0}, []byte{0xff}, func(key, value []byte) error {
			b.Set(key, value)
			return nil
		}); err != nil {
			return err
		}
		return s.Commit(&b)
	}}
	if err := o.setDefaults(); err != nil {
		return err
	}
	if err := checkEmpty(o.FS, "back up to", dir); err != nil {
		return err
	}
	p, err := Open(o)
	if err != nil {
		return err
	}
	return p.Close()
}

// Failed implements Store.
func (m *MemStore) Failed() <-chan struct{} { return m.failed }

// Err implements Store.
func (m *MemStore) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Close implements Store.
func (m *MemStore) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
