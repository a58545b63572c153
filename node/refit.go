package node

import (
	"context"
	"sync"
)

// startRefits fits the parameters of the scores from time to time, in the background (scoring.Keeper.Run).
func (k *Kindred) startRefits(context.Context) error {
	scores, logger := k.directory.scores, k.config.Logger
	k.refits = background(func(ctx context.Context) { scores.Run(ctx, logger) })
	return nil
}

// stopRefits ends a fit that is under way, and waits for its goroutine: it reads the engine, which is closed later.
func (k *Kindred) stopRefits(context.Context) error {
	k.refits()
	return nil
}

// background runs fn until stop, which cancels its context and waits for it.
func background(fn func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { fn(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}
