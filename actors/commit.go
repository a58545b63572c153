package actors

import (
	"time"

	"github.com/kindred-id/kindred/storage"
)

// committer writes the batches of all shards: those that are ready together go into one atomic
// write and one sync, as far as they fit into a memtable. While it syncs, the next ones gather.
type committer struct {
	pool     *pool
	underWay func() int64 // inputs from outside
	most     int          // bytes of a commit, unless one shard has more; 0 is any
	ready    chan *runner
	stop     chan struct{}
	done     chan struct{}
}

// gather is how long a commit waits for more shards when there is much to do: a sync costs the
// same for one shard as for all, and a shard whose commit waits handles more at once.
const gather = 2 * time.Millisecond

func startCommitter(p *pool, most int, underWay func() int64) *committer {
	c := &committer{pool: p, underWay: underWay, most: most, ready: make(chan *runner, len(p.runners)), stop: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c
}

// submit hands over a shard whose batch is to be written. It never blocks: a shard has one batch
// in flight, and there is room for all shards.
func (c *committer) submit(r *runner) { c.ready <- r }

func (c *committer) run() {
	defer close(c.done)
	room := make([]*runner, 0, len(c.pool.runners))
	var batches []*storage.Batch
	for {
		group := room
		select {
		case r := <-c.ready:
			group = append(group, r)
		case <-c.stop:
			return
		}
		if c.underWay() > gatherAbove {
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
		for len(group) > 0 {
			n, bytes := 0, 0
			batches = batches[:0]
			for n < len(group) && (n == 0 || c.most == 0 || bytes+group[n].shard.Batch().Size() <= c.most) {
				batch := group[n].shard.Batch()
				bytes += batch.Size()
				batches = append(batches, batch)
				n++
			}
			if err := c.pool.store.Commit(batches...); err != nil {
				c.pool.fail(err)
				return
			}
			for _, r := range group[:n] {
				r.inbox.PostUserMessage(committed{})
			}
			group = group[n:]
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
