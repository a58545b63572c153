package actors

import (
	"log/slog"
	"sync"
)

// failure is the error that has stopped an engine for good. Memory may be ahead of the store then, so every later answer is an
// error.
type failure struct {
	logger *slog.Logger
	failed chan struct{}
	refuse func(error) // answers all deliveries that are not answered

	mu  sync.Mutex // guards the following
	err error
}

// Failed is closed when the engine can't go on. Err returns the cause.
func (f *failure) Failed() <-chan struct{} { return f.failed }

// Err is what failed the engine; nil while it works.
func (f *failure) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// fail stops the engine. Only the first error counts.
func (f *failure) fail(err error) {
	f.mu.Lock()
	if f.err != nil {
		f.mu.Unlock()
		return
	}
	f.err = err
	close(f.failed)
	f.mu.Unlock()
	f.logger.Error("the engine stops", "error", err)
	f.refuse(err)
}
