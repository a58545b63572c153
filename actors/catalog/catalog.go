// Package catalog writes the rows that belong to no shard: the deployment and its rules, the parameters of the scores, external
// channels with their floors, and the settings and receivers of the change feed.
//
//	decide: Get rows, put rows ──► Log.Commit: are they still as they were? ──► store, durable ──► Change returns
//	   ▲                                        │ no
//	   └────────────────────────────────────────┘
//
// Invariants:
//   - C1: a change is written whole, and only if every row that it read is still as it was: two changes that read each
//     other's rows have an order.
//   - C2: Change returns without an error only once the change is durable, and every reader of the store sees it.
//   - C3: a change writes rows of the catalog alone. Rows of a shard are in the batches of that shard, or two writers could
//     cross.
//   - C4: after an error of the store nothing more is written.
//
// They need one writer. In one process it is the store, under a lock; several processes share a log, which orders the
// changes of all of them (Log; decision 0080). The obvious design, a commit by each owner of a row, works as long as every owner is in
// one process and keeps a lock of its own, and nothing says which rows it covers.
package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrConflict is returned by a Log for a change that rests on rows which have changed since.
var ErrConflict = errors.New("the catalog has changed meanwhile")

// Bounds of a change.
const (
	maxBytes = 16 << 20 // rules and parameters have 4 MiB at most
	maxTries = 1000     // each conflict is a change that another writer has made
)

// A Log orders the changes of a catalog, for all processes of a deployment.
type Log interface {
	// Commit writes a batch, whole, if each row of was still has its value there, nil meaning no row, and otherwise fails with
	// ErrConflict. It returns nil once the batch is durable and in the store of this process. It is called from any goroutine.
	Commit(ctx context.Context, b *storage.Batch, was Rows) error
}

// Rows are values by key; nil stands for a row that is absent.
type Rows map[string][]byte

// Catalog is the catalog of a deployment, as one process has it. Any number of goroutines may use it.
type Catalog struct {
	store storage.Store
	log   Log
}

// New returns the catalog in a store. A nil log makes the store the log: then no other catalog may write to it.
func New(store storage.Store, log Log) *Catalog {
	if log == nil {
		log = &local{store: store}
	}
	return &Catalog{store, log}
}

// Reader reads the rows as they are. A change that rests on a row reads it by Change.Get.
func (c *Catalog) Reader() storage.Reader { return c.store }

// Change makes a change. decide reads rows from the change and adds to its batch what is to be written; it runs again if one of
// the rows was changed meanwhile. An empty batch writes nothing. An error of decide ends the change, and is returned as it is.
func (c *Catalog) Change(ctx context.Context, decide func(*Change) error) error {
	for range maxTries {
		ch := Change{store: c.store, was: Rows{}}
		if err := decide(&ch); err != nil {
			return err
		}
		if ch.batch.Empty() {
			return nil
		}
		if err := ch.check(); err != nil {
			return err
		}
		if err := c.log.Commit(ctx, &ch.batch, ch.was); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("%w, %d times in a row", ErrConflict, maxTries)
}

// Change is a change of the catalog that is being decided.
type Change struct {
	store storage.Store
	batch storage.Batch
	was   Rows
}

// Batch takes the rows that the change writes.
func (ch *Change) Batch() *storage.Batch { return &ch.batch }

// Get implements storage.Reader: the change rests on the row.
func (ch *Change) Get(dst, key []byte) ([]byte, error) {
	start := len(dst)
	dst, err := ch.store.Get(dst, key)
	switch {
	case err == nil:
		ch.was[string(key)] = append([]byte{}, dst[start:]...)
	case errors.Is(err, storage.ErrNotFound):
		ch.was[string(key)] = nil
	}
	return dst, err
}

// Iterate implements storage.Reader. The change does not rest on the rows that it shows.
func (ch *Change) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	return ch.store.Iterate(lower, upper, fn)
}

// check holds C3 and the bound.
func (ch *Change) check() error {
	for key, upper := range ch.batch.Keys() {
		if upper != nil || !row.InCatalog(key) {
			return fmt.Errorf("change of the catalog: key % x is not of a row of its own", key)
		}
	}
	if n := ch.batch.Size(); n > maxBytes {
		return fmt.Errorf("change of the catalog of %d bytes: want at most %d", n, maxBytes)
	}
	return nil
}

// local is the log of one process: its store.
type local struct {
	store storage.Store
	mu    sync.Mutex // held from the check of a change to its sync
}

// Local returns the log of one process: its store.
func Local(store storage.Store) Log { return &local{store: store} }

// Commit implements Log.
func (l *local) Commit(ctx context.Context, b *storage.Batch, was Rows) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for key, value := range was {
		now, err := l.store.Get(nil, []byte(key))
		switch {
		case errors.Is(err, storage.ErrNotFound):
			if value != nil {
				return ErrConflict
			}
		case err != nil:
			return err
		case value == nil || !bytes.Equal(now, value):
			return ErrConflict
		}
	}
	return l.store.Commit(b)
}
