package actors

import (
	"time"

	"github.com/kindred-id/kindred/storage"
)

// committer writes the batches of all shards. It takes the batches that are ready, joins them into one atomic write with one
// sync, as far as they fit into a memtable, and tells their runners. While it syncs, the next batches gather.
//
//	runner.step ──► submit ──► ready ──► run: gather, Store.Commit ──► committed, to the inbox of each runner
//
// Invariants:
//   - A shard has at most one batch on its way: its inbox hands over no step until committed has come. So submit never blocks,
//     and the batch, which belongs to the shard, is not touched while it is written.
//   - committed is posted after the sync, never before (A1).
//   - After an error no batch is written any more: a later batch of the same shard would rest on the one that is missing.
//
// They force one goroutine for all shards: two that commit at the same time could not fail as one. A batch is one shard's, so
// no order among the shards of a commit is needed: a message leaves its shard only after its commit.
//
// The obvious design, a commit by each shard as soon as its step ends, costs a sync for each: 64 shards would sync 64 times
// for the events of one request, and a sync costs the same however many batches it covers.
type committer struct {
	pool  *pool
	most  int // bytes of a commit, unless one shard has more; 0 is any
	ready chan write
	stop  chan struct{}
	done  chan struct{}
}

// write is a shard's batch on its way to the store.
type write struct {
	runner *runner
	batch  *storage.Batch
}

// gatherMost bounds how long a commit waits for more shards: a sync costs the same for one shard as for all, and while a shard
// waits for its commit, its inbox fills, so that its next step is larger.
const gatherMost = 2 * time.Millisecond

func startCommitter(p *pool, most int) *committer {
	c := &committer{pool: p, most: most, ready: make(chan write, len(p.runners)), stop: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c
}

// submit hands over a shard's batch. It never blocks: a shard has one batch on its way, and there is room for all shards.
func (c *committer) submit(w write) { c.ready <- w }

func (c *committer) run() {
	defer close(c.done)
	room := make([]write, 0, len(c.pool.runners))
	var batches []*storage.Batch
	for {
		group := room
		select {
		case w := <-c.ready:
			group = append(group, w)
		case <-c.stop:
			return
		}
		group = c.gather(group)
		for len(group) > 0 {
			n, bytes := 0, 0
			batches = batches[:0]
			for n < len(group) && (n == 0 || c.most == 0 || bytes+group[n].batch.Size() <= c.most) {
				batch := group[n].batch
				bytes += batch.Size()
				batches = append(batches, batch)
				n++
			}
			if err := c.pool.store.Commit(batches...); err != nil {
				c.pool.fail(err)
				return
			}
			for _, w := range group[:n] {
				w.runner.inbox.PostUserMessage(committed{})
			}
			group = group[n:]
		}
	}
}

// gather takes what is ready, and waits for more shards: for gatherMost at most, and no longer than one of them runs or is about to.
// Once all are at rest, each that has something to commit is here, and what their inboxes wait for may be this very commit.
//
// A lone event finds all shards at rest but its own, so its commit waits for the end of its step and for nothing else.
func (c *committer) gather(group []write) []write {
	if c.pool.workers.atRest() {
		return c.take(group)
	}
	late := time.NewTimer(gatherMost)
	defer late.Stop()
	for !c.pool.workers.atRest() {
		select {
		case w := <-c.ready:
			group = append(group, w)
		case <-c.pool.workers.rest:
		case <-late.C:
			return c.take(group)
		}
	}
	return c.take(group)
}

// take takes what is ready.
func (c *committer) take(group []write) []write {
	for {
		select {
		case w := <-c.ready:
			group = append(group, w)
		default:
			return group
		}
	}
}

// close ends the committer after the commit under way.
func (c *committer) close() {
	close(c.stop)
	<-c.done
}
