package actors

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/kindred-id/kindred/graph"
)

// A waker lets shards evaluate the audiences of roots that are due because of the time. The time is an input: a shard takes it in a
// step like any other, and its record says so.
type waker struct{ engine *Engine }

// wakeEvery is how often it looks whether anything is due: that is how late an exit without an event may be.
const wakeEvery = 100 * time.Millisecond

// often wakes shards in which anything is due, until the engine stops.
func (w waker) often() {
	often := time.NewTicker(wakeEvery)
	defer often.Stop()
	for {
		select {
		case <-often.C:
		case <-w.engine.stop:
			return
		}
		if err := w.wake(context.Background()); errors.Is(err, ErrClosed) {
			return
		}
	}
}

// wake lets all shards here evaluate what is due by now.
func (w waker) wake(ctx context.Context) error {
	e := w.engine
	for {
		now, d := e.now(), &Delivery{}
		for id := range e.due {
			if e.due[id].Load() <= now && e.Has(graph.ShardID(id)) {
				d.wake(graph.ShardID(id))
			}
		}
		if len(d.inputs) == 0 {
			return nil
		}
		if err := e.submitAndWait(ctx, d); err != nil {
			return err
		}
	}
}

// notDue is when a shard is due in which nothing is.
const notDue = math.MaxInt64
