package kafka

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// queue holds the records of a partition that the poller fetched and the partition has not taken.
//
//	poller ──push──► records ──take──► partition
//	         waits while size > limit; if the partition is stuck, pauses its fetches instead
//
// Invariants:
//   - size <= limit plus one fetch. The poller, which serves all partitions, waits only for a partition that works.
//     For one that is stuck, on a registry say, it stops fetching instead, so that the others continue (C4, C5).
//   - A fetch that was paused continues at half the limit: at the limit itself each batch would pause and resume it.
//   - arrived has a token whenever there are records that nobody was told of. A token may be stale, so take may find
//     nothing.
//
// A Go channel of records would be bounded by their number, not their bytes, and a partition that waits for a schema
// registry would hold up the poller, and so every other partition.
type queue struct {
	limit  int
	pause  func() // stops fetching; called with mu held
	resume func() // continues fetching; called with mu held

	arrived chan struct{} // holds one token when there may be records to take

	mu      sync.Mutex // guards the following
	records []*kgo.Record
	size    int
	stuck   bool // the partition waits for something other than the engine
	paused  bool
	changed chan struct{} // closed and replaced when the poller should check again
}

func newQueue(limit int, pause, resume func()) *queue {
	return &queue{limit: limit, pause: pause, resume: resume, arrived: make(chan struct{}, 1), changed: make(chan struct{})}
}

// weight is the memory of a record: its bytes, and what the client keeps of it.
func weight(r *kgo.Record) int {
	const overhead = 200
	return overhead + len(r.Key) + len(r.Value)
}

// push adds records, and waits until there is room for the next ones, or the partition is stuck.
func (q *queue) push(ctx context.Context, records []*kgo.Record) {
	q.mu.Lock()
	q.records = append(q.records, records...)
	for _, r := range records {
		q.size += weight(r)
	}
	q.notify()
	for q.size > q.limit && !q.stuck {
		changed := q.changed // read under mu: a change from here on closes this channel
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		q.mu.Lock()
	}
	q.pauseLocked()
	q.mu.Unlock()
}

// notify wakes the partition. It never waits: one token says as much as two.
func (q *queue) notify() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// pauseLocked stops fetching for a partition that is stuck and has enough. REQUIRES: q.mu held
func (q *queue) pauseLocked() {
	if q.stuck && !q.paused && q.size > q.limit {
		q.paused = true
		q.pause()
	}
}

// changedLocked wakes a push that waits. REQUIRES: q.mu held
func (q *queue) changedLocked() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// setStuck records whether the partition waits for something that is not the engine.
func (q *queue) setStuck(stuck bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stuck == stuck {
		return
	}
	q.stuck = stuck
	q.changedLocked()
	q.pauseLocked()
}

// take takes the first records, so many at most and, but for the first, of so many bytes.
func (q *queue) take(dst []*kgo.Record, most, bytes int) []*kgo.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.records) && n < most {
		w := weight(q.records[n])
		if n > 0 && size+w > bytes {
			break
		}
		size += w
		n++
	}
	dst = append(dst, q.records[:n]...)
	clear(q.records[:n])
	q.records = q.records[n:]
	q.size -= size
	if len(q.records) == 0 {
		q.records = nil
	} else {
		q.notify() // the caller has taken the token, and some records are left
	}
	if q.size <= q.limit {
		q.changedLocked()
	}
	if q.paused && q.size <= q.limit/2 {
		q.paused = false
		q.resume()
	}
	return dst
}
