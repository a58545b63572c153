package node

import (
	"context"
	"sync"
)

func (k *Kindred) startRefits(context.Context) error {
	scores, logger := k.directory.scores, k.config.Logger
	k.refits = background(func(ctx context.Context) { scores.Run(ctx, logger) })
	return nil
}

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
