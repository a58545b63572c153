package lookup

import (
	"context"
	"time"
)

// visibleTimeout bounds how long an answer waits until look-ups find its events (P8). That takes a few commits, so
// milliseconds. If it takes longer the shards are overloaded, and then a client is better off with the answer that its
// events are durable than waiting.
const visibleTimeout = 2 * time.Second

// AwaitVisible waits until a look-up by any of its identifiers finds what is durable, for visibleTimeout at most. If it
// gives up, even because the engine failed, what was answered is durable all the same: a look-up will say what is wrong.
func (l *Lookup) AwaitVisible(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, visibleTimeout)
	defer cancel()
	if err := l.Engine.Visible(ctx); err != nil {
		l.Unseen.Inc()
	}
}
