// Package backoff says how long to wait before something is tried again.
//
// A wait is a function of the attempt alone, and of a random number where many may wait for the same: so the simulator
// of shards, which has a clock of its own, and tests can ask for it. A counter of failures is all that callers keep.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Doubling is a wait that doubles with every attempt, from First up to Most.
type Doubling struct{ First, Most time.Duration }

// Wait is the wait after an attempt, counted from 0.
func (d Doubling) Wait(attempt int) time.Duration {
	if attempt = min(max(attempt, 0), 62); d.First > d.Most>>attempt {
		return d.Most
	}
	return d.First << attempt
}

// Spread is Wait, less up to half of it: so that those who failed together do not come again together. The random
// number is from 0 up to 1.
func (d Doubling) Spread(attempt int, random float64) time.Duration {
	return time.Duration((0.5 + random/2) * float64(d.Wait(attempt)))
}

// Pause waits after an attempt, spread. It fails as ctx does.
func (d Doubling) Pause(ctx context.Context, attempt int) error { return Sleep(ctx, d.Random(attempt)) }

// Random is Spread with a random number of its own.
func (d Doubling) Random(attempt int) time.Duration {
	return d.Spread(attempt, rand.Float64()) //nolint:gosec // it only spreads attempts
}

// Sleep waits. It fails as ctx does.
func Sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
