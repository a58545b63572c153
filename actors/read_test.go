package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

// A look-up whose context ends takes its function back, or waits for it where it runs: it never runs after Read has returned.
func TestReadGivesUp(t *testing.T) {
	e := openEngine(t, storage.NewMemStore(), 1, graph.DefaultRules())
	visitor := pageView(1)
	submit(t, e, visitor)
	key := visitor.Identifiers[0].Key
	read := func(ctx context.Context, fn func()) error {
		return e.Read(ctx, key, func(*View) error { fn(); return nil })
	}

	running, release := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	var ended atomic.Bool
	first := make(chan error, 1)
	go func() {
		first <- read(ctx, func() {
			close(running)
			<-release
			ended.Store(true)
		})
	}()
	<-running
	// The shard is busy with the first: a second can't begin, and gives up.
	waiting, giveUp := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer giveUp()
	var late atomic.Bool
	if err := read(waiting, func() { late.Store(true) }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second look-up returned %v", err)
	}
	// The first runs already: that its context has ended changes nothing before it is done.
	cancel()
	select {
	case err := <-first:
		t.Errorf("the first look-up returned %v while its function ran", err)
	case <-time.After(10 * time.Millisecond):
	}
	close(release)
	if err := <-first; err != nil || !ended.Load() {
		t.Errorf("the first look-up returned %v, its function has ended: %v", err, ended.Load())
	}
	if err := read(t.Context(), func() {}); err != nil { // comes after all that waits
		t.Fatal(err)
	}
	if late.Load() {
		t.Error("the function of a look-up that had given up ran")
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// A read begins again as long as its function finds that the component does not host the node; and ends with its context.
func TestReadLooksAgain(t *testing.T) {
	e := openEngine(t, storage.NewMemStore(), 1, graph.DefaultRules())
	visitor := pageView(1)
	submit(t, e, visitor)
	key := visitor.Identifiers[0].Key
	calls := 0
	if err := e.Read(t.Context(), key, func(v *View) error {
		if calls++; calls < 4 {
			return ErrInTransit
		}
		_, err := v.Profile()
		return err
	}); err != nil || calls != 4 {
		t.Errorf("Read returned %v after %d calls, want 4", err, calls)
	}
	failure := errors.New("a defect of the reader")
	if err := e.Read(t.Context(), key, func(*View) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("Read returned %v, want the error of its function", err)
	}
	if err := e.Read(t.Context(), oracle.Key("user_id", "never seen"), func(*View) error { return failure }); !errors.Is(err, ErrUnknown) {
		t.Errorf("Read of a node that was never seen returned %v", err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := e.Read(impatient, key, func(*View) error { return ErrInTransit }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read returned %v, want the error of its context", err)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
