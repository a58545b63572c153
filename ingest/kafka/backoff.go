package kafka

import (
	"context"
	"math/rand/v2"
	"time"
)

// Bounds of the pause before something is tried again.
const (
	backoffFirst = 100 * time.Millisecond
	backoffMost  = 15 * time.Second
)

// backoff is the pause before the next attempt, counted from 0; random is from 0 up to 1.
func backoff(attempt int, random float64) time.Duration {
	d := backoffFirst << min(attempt, 16)
	return time.Duration((0.5 + random/2) * float64(min(d, backoffMost)))
}

// pause waits before an attempt. It fails as ctx does.
func pause(ctx context.Context, attempt int) error {
	select {
	case <-time.After(backoff(attempt, rand.Float64())):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
