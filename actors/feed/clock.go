package feed

import "sync/atomic"

// Clock numbers the blocks of the change feed (Lamport's clock). In one process it counts them. Beside other processes,
// everything that one says to another has the speaker's clock, and raises the listener's: so a block has a higher order than all
// that it follows from, wherever that was written.
type Clock struct{ order atomic.Uint64 }

// Now is the order of the last block, or a higher one.
func (c *Clock) Now() uint64 { return c.order.Load() }

// next is the order of the next block.
func (c *Clock) next() uint64 { return c.order.Add(1) }

// Raise sets the clock to an order, unless it is past it.
func (c *Clock) Raise(order uint64) {
	for {
		now := c.order.Load()
		if order <= now || c.order.CompareAndSwap(now, order) {
			return
		}
	}
}
