package storage

import (
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// Get implements Store.
func (p *Pebble) Get(dst, key []byte) ([]byte, error) { return p.get(p.db, dst, key) }

// Iterate implements Store.
func (p *Pebble) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	return p.iterate(p.db, lower, upper, fn)
}

// Snapshot implements Store.
func (p *Pebble) Snapshot() (Snapshot, error) {
	if err := p.failure.refusal(); err != nil {
		return nil, err
	}
	return &pebbleSnapshot{p: p, at: p.db.NewSnapshot()}, nil
}

type pebbleSnapshot struct {
	p         *Pebble
	at        *pebble.Snapshot
	closeOnce sync.Once
	closeErr  error
}

// Get implements Reader.
func (s *pebbleSnapshot) Get(dst, key []byte) ([]byte, error) { return s.p.get(s.at, dst, key) }

// Iterate implements Reader.
func (s *pebbleSnapshot) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	return s.p.iterate(s.at, lower, upper, fn)
}

// Close implements Snapshot. A store that failed keeps its database, and with it the snapshot, until the process ends.
func (s *pebbleSnapshot) Close() error {
	s.closeOnce.Do(func() {
		if s.p.failure.refusal() == nil {
			s.closeErr = s.at.Close()
		}
	})
	return s.closeErr
}

// get reads a row of the database, or of a snapshot of it.
func (p *Pebble) get(from pebble.Reader, dst, key []byte) ([]byte, error) {
	if err := p.failure.refusal(); err != nil {
		return dst, err
	}
	value, closer, err := from.Get(key)
	if err == pebble.ErrNotFound { //nolint:errorlint // Pebble returns the sentinel itself, and this path is hot
		return dst, ErrNotFound
	}
	if err != nil {
		return dst, p.fail("get", err)
	}
	dst = append(dst, value...)
	if err := closer.Close(); err != nil {
		return dst, p.fail("get", err)
	}
	return dst, nil
}

// iterate reads rows of the database, or of a snapshot of it.
func (p *Pebble) iterate(from pebble.Reader, lower, upper []byte, fn func(key, value []byte) error) error {
	if err := p.failure.refusal(); err != nil {
		return err
	}
	it, err := from.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return p.fail("iterate", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			_ = it.Close()
			return p.fail("iterate", err)
		}
		if err := fn(it.Key(), value); err != nil {
			if err == ErrStop { //nolint:errorlint // a wrapped ErrStop is some other function's
				err = nil
			}
			return errors.Join(err, it.Close())
		}
	}
	// Without this check an iterator that met a damaged block would look like one that reached its end.
	if err := it.Close(); err != nil {
		return p.fail("iterate", err)
	}
	return nil
}
