package cluster

import (
	"context"
	"sync"
)

// A mailbox runs functions one after the other, on one goroutine, in the order in which they were posted.
//
// It has no bound of its own: each caller has at most one function there, which it waits for or counts. post never blocks, since
// the journal's client and the engine's shards call it.
type mailbox struct {
	news chan struct{} // of one: something was posted

	mu    sync.Mutex // guards the following
	queue []func()
}

func (m *mailbox) post(fn func()) {
	m.mu.Lock()
	m.queue = append(m.queue, fn)
	m.mu.Unlock()
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// run runs what is posted until ctx ends.
func (m *mailbox) run(ctx context.Context) {
	for {
		m.mu.Lock()
		queue := m.queue
		m.queue = nil
		m.mu.Unlock()
		for _, fn := range queue {
			if ctx.Err() != nil {
				return
			}
			fn()
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-m.news:
		case <-ctx.Done():
			return
		}
	}
}
