package storage

import "errors"

// Store is an ordered map from keys to values that is written in atomic, durable batches.
// All methods may be called from any number of goroutines, Close once they have returned.
//
// A store that fails stays failed (S3): every method but Close then returns the error of Err.
type Store interface {
	// Get appends the value of key to dst. It fails with ErrNotFound, or as the store did.
	Get(dst, key []byte) ([]byte, error)

	// Iterate calls fn for the rows with lower <= key < upper, in ascending order, as they were at one
	// moment between the call and its first row. Key and value are valid during the call of fn only.
	// When fn returns ErrStop, Iterate ends and returns nil; any other error it returns as it is.
	Iterate(lower, upper []byte, fn func(key, value []byte) error) error

	// Commit applies all batches in their order as one atomic write (S1), and returns nil when it is
	// durable (S2). It copies the batches: they belong to the caller again when it returns.
	// An error other than for a write that is too large fails the store, and the outcome is unknown
	// until it is opened again.
	Commit(batches ...*Batch) error

	// Backup writes a copy of the store, as it is at one moment during the call, to the directory dir,
	// which must not exist or be empty. Commits go on meanwhile.
	Backup(dir string) error

	// Failed is closed when the store fails.
	Failed() <-chan struct{}

	// Err is the error that failed the store; nil while it works.
	Err() error

	// Close ends the store. A second call does nothing. Every commit that returned nil survives,
	// whether Close is called or not.
	Close() error
}

// ErrStop ends an iteration from inside, without an error.
var ErrStop = errors.New("stop the iteration")
