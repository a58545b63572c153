package cluster

import (
	"context"
	"sync"
	"testing"
)

// Functions run one at a time, in the order of each goroutine that posts them, and none runs after the end.
func TestMailbox(t *testing.T) {
	const posters, each = 4, 500
	ctx, cancel := context.WithCancel(t.Context())
	m := mailbox{news: make(chan struct{}, 1)}
	var last [posters]int // no lock: one goroutine runs what is posted
	ran := 0
	done := make(chan struct{})
	var group sync.WaitGroup
	for p := range posters {
		group.Go(func() {
			for i := range each {
				m.post(func() {
					if last[p] != i {
						t.Errorf("poster %d: %d after %d", p, i, last[p])
					}
					last[p]++
					if ran++; ran == posters*each {
						close(done)
					}
				})
			}
		})
	}
	ended := make(chan struct{})
	go func() { m.run(ctx); close(ended) }()
	group.Wait()
	<-done
	cancel()
	<-ended
	m.post(func() { t.Error("it runs after the end") })
	m.run(ctx)
}
