package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// A look-up whose context ends takes its function back, or waits for it where it runs: it never runs after View has returned.
func TestViewGivesUp(t *testing.T) {
	e := openEngine(t, storage.NewMemStore(), 1, graph.DefaultRules())
	visitor := pageView(1)
	submit(t, e, visitor)
	key := visitor.Identifiers[0].Key
	view := func(ctx context.Context, fn func()) error {
		_, err := e.View(ctx, key, func(*graph.Component) { fn() })
		return err
	}

	running, release := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	var ended atomic.Bool
	first := make(chan error, 1)
	go func() {
		first <- view(ctx, func() {
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
	if err := view(waiting, func() { late.Store(true) }); !errors.Is(err, context.DeadlineExceeded) {
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
	if err := view(t.Context(), func() {}); err != nil { // comes after all that waits
		t.Fatal(err)
	}
	if late.Load() {
		t.Error("the function of a look-up that had given up ran")
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
