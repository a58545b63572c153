package api

import (
	"context"
	"time"
)

// visibleTimeout bounds how long an answer waits until what it answers can be seen (P8). It takes a
// few commits, milliseconds; longer means that the shards are overloaded, and then a client that
// knows its events to be durable is better off than one that waits.
const visibleTimeout = 2 * time.Second

// awaitVisible waits until what is durable is found by all of its identifiers, for visibleTimeout at
// most. Whatever stops it, the engine's failure included, what was answered stays durable: that is for
// the look-ups to tell.
func (s *Server) awaitVisible(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, visibleTimeout)
	defer cancel()
	if err := s.Engine.Visible(ctx); err != nil {
		s.metrics.unseen.Inc()
	}
}
