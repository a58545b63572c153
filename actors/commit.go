package actors

import (
	"time"

	"github.com/kindred-id/kindred/storage"
)

// committer writes the batches of all shards: those that are ready together go into one atomic
// write and one sync. While it syncs, the next ones gather.
type committer struct {
	engine *Engine
	ready  chan *runner
	stop   chan struct{}
	done   chan struct{}
}

// gather is how long a commit waits for more shards when there is much to do: a sync costs the
// same for one shard as for all, and a shard whose commit waits handles more at once.
const gather = 2 * time.Millisecond

func startCommitter(e *Engine) *committer {
	c := &committer{engine: e, ready: make(chan *runner, len(e.runners)), stop: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c
}

// submit hands over a shard whose batch is to be written. It never blocks: a shard has one batch
// in flight, and there is room for all shards.
func (c *committer) submit(r *runner) { c.ready <- r }

func (c *committer) run() {
	defer close(c.done)
	var group []*runner
	var batches []*storage.Batch
	for {
		group, batches = group[:0], batches[:0]
		select {
		case r := <-c.ready:
			group = append(group, r)
		case <-c.stop:
			return
		}
		if c.engine.underWay() > gatherAbove {
			time.Sleep(gather) //nolint:forbidigo // the committer is driven by real time, not by a clock of the protocol
		}
		for more := true; more; {
			select {
			case r := <-c.ready:
				group = append(group, r)
			default:
				more = false
			}
		}
		for _, r := range group {
			batches = append(batches, r.shard.Batch())
		}
		if err := c.engine.store.Commit(batches...); err != nil {
			c.engine.fail(err)
			return
		}
		for _, r := range group {
			r.inbox.PostUserMessage(committed{})
		}
	}
}

// gatherAbove is how many events from outside must be under way for commits to wait for more.
const gatherAbove = 200

// close ends the committer once it has written what it was handed.
func (c *committer) close() {
	close(c.stop)
	<-c.done
}
