package kafka

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"
)

func records(n, bytes int) []*kgo.Record {
	var all []*kgo.Record
	for range n {
		all = append(all, &kgo.Record{Value: make([]byte, bytes)})
	}
	return all
}

// The poller waits for a partition that works, and does not fetch for one that is stuck: the queue holds its limit
// and one fetch, whatever comes (C4, C5).
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		paused, pauses := false, 0
		q := newQueue(1000, func() { paused = true; pauses++ }, func() { paused = false })
		pushed := 0
		go func() {
			for range 3 {
				q.push(context.Background(), records(2, 500))
				pushed++
			}
		}()
		synctest.Wait()
		if pushed != 0 || paused {
			t.Fatalf("pushed %d, paused %t: the poller waits for a partition that works", pushed, paused)
		}
		if got := q.take(nil, 1, 1<<20); len(got) != 1 {
			t.Fatalf("took %d", len(got))
		}
		synctest.Wait()
		if pushed != 1 || paused {
			t.Fatalf("pushed %d, paused %t: there was room", pushed, paused)
		}
		q.setStuck(true)
		synctest.Wait()
		if pushed != 3 || !paused || pauses != 1 {
			t.Fatalf("pushed %d, paused %t %d times: the poller does not wait for one that is stuck", pushed, paused, pauses)
		}
		q.setStuck(false)
		for n := 0; n < 5; n++ {
			if got := q.take(nil, 10, 1000); len(got) != 1 {
				t.Fatalf("took %d of those that fit", len(got))
			}
			if paused != (q.size > q.limit/2) {
				t.Fatalf("paused %t with %d bytes", paused, q.size)
			}
		}
		if got := q.take(nil, 10, 1000); len(got) != 0 || q.size != 0 {
			t.Fatalf("took %d, %d bytes are left", len(got), q.size)
		}
	})
}

// A push ends with its context.
func TestQueueStops(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		q := newQueue(1, func() {}, func() {})
		go cancel()
		q.push(ctx, records(1, 10))
	})
}
