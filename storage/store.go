package storage

import "errors"

// Store is an ordered map from keys to values, written in atomic, durable batches. Any number of goroutines may call
// its methods; Close only after the others have returned.
//
// A store that fails stays failed (S3): every method except Close then returns the error of Err.
type Store interface {
	Reader

	// Commit applies all batches in order as one atomic write (S1), and returns nil when it is durable (S2). It copies the
	// batches, which the caller may reuse when it returns. An error fails the store, except the error for a write that is
	// too large; the outcome is then unknown until the store is opened again.
	Commit(batches ...*Batch) error

	// Sync returns nil once everything that a read has returned before the call is durable: a read may see a commit that
	// is not yet.
	Sync() error

	// Snapshot returns the rows as they are at one moment during the call. Commits continue; the snapshot keeps the space of
	// what they delete.
	Snapshot() (Snapshot, error)

	// Backup writes a copy of the store, as it is at one moment during the call, to the directory dir, which must be
	// absent or empty. Commits continue meanwhile.
	Backup(dir string) error

	// Failed is closed when the store fails.
	Failed() <-chan struct{}

	// Err returns the error that failed the store; nil while it works.
	Err() error

	// Close ends the store. A second call has no effect. Every commit that returned nil survives, whether or not Close
	// is called.
	Close() error
}

// ErrStop, returned by the function given to Iterate, ends the iteration without an error.
var ErrStop = errors.New("stop the iteration")

// Reader is what reads rows: a Store, or a part of one.
type Reader interface {
	// Get appends the value of key to dst. It fails with ErrNotFound if the key has no row, or with Err.
	Get(dst, key []byte) ([]byte, error)

	// Iterate calls fn for the rows with lower <= key < upper, in ascending order, as they were at one moment between the
	// call and its first row. Key and value are valid only during the call of fn. When fn returns ErrStop, Iterate ends
	// and returns nil; it returns any other error unchanged.
	Iterate(lower, upper []byte, fn func(key, value []byte) error) error
}

// Snapshot is a store at one moment. Any number of goroutines may read it; Close only after they have returned, and before
// the store is closed. Its reads fail with the error of Err once the store has failed.
type Snapshot interface {
	Reader

	// Close frees what the snapshot holds. A second call has no effect.
	Close() error
}
