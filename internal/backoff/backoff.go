// Package backoff computes how long to wait before a retry.
//
// A wait is a pure function of the attempt, and of a random number if many may wait for the same: so tests and the
// simulator of shards, which has its own clock, can compute it. Callers keep only a counter of failures.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Doubling is a wait that doubles with every attempt, from First up to Most.
type Doubling struct{ First, Most time.Duration }

// Wait returns the wait after an attempt, counted from 0.
func (d Doubling) Wait(attempt int) time.Duration {
	if attempt = min(max(attempt, 0), 62); d.First > d.Most>>attempt {
		return d.Most
	}
	return d.First << attempt
}

// Spread returns Wait minus up to half of it, so that callers that failed together do not return together. random is
// in [0, 1).
func (d Doubling) Spread(attempt int, random float64) time.Duration {
	return time.Duration((0.5 + random/2) * float64(d.Wait(attempt)))
}

// Pause waits after an attempt, spread. It returns the error of ctx if that ends first.
func (d Doubling) Pause(ctx context.Context, attempt int) error { return Sleep(ctx, d.Random(attempt)) }

// Random is Spread with a random number from this process.
func (d Doubling) Random(attempt int) time.Duration {
	return d.Spread(attempt, rand.Float64()) //nolint:gosec // it only spreads attempts
}

// Sleep waits. It returns the error of ctx if that ends first.
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
