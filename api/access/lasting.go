package access

import (
	"context"
	"math"
	"time"
)

// While returns a context that ends when the caller may no longer ask: its key was revoked or has expired, its token has
// expired, or the open server that let it in has got keys. An answer that goes on for as long as its client reads needs it. The
// caller calls stop when the answer has ended.
func (c *Caller) While(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	if c.gate.Keys == nil {
		return ctx, cancel
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer cancel()
		c.watch(ctx)
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}

// watch returns when the caller may no longer ask, or ctx has ended.
func (c *Caller) watch(ctx context.Context) {
	for {
		changed := c.gate.Keys.Changed() // before the look, or a change between both would be missed
		left := c.left()
		if left <= 0 {
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// left returns how long the caller may go on asking, if nothing changes; 0 and less if it may not.
func (c *Caller) left() time.Duration {
	switch {
	case c.session != nil && c.key != nil:
		return min(c.gate.Keys.Left(c.key), time.Until(c.until))
	case c.key != nil:
		return c.gate.Keys.Left(c.key)
	case !c.until.IsZero():
		return time.Until(c.until)
	case c.gate.Open():
		return math.MaxInt64
	}
	return 0
}
