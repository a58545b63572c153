package collect

import (
	"container/list"
	"context"
	"io"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

// A body that has not brought stallStep bytes in stallAfter is stalled: it may be cut for another that needs its room.
// While there is room, a body has as long as its connection allows, so clients with a poor network are served. A body that
// waits for room itself is not stalled: it is the server that does not read.
const (
	stallStep  = 4 << 10
	stallAfter = 1500 * time.Millisecond
	stallLooks = 8 // in that time
)

// arrivals are the bodies that are being read. To begin a body and let it hang costs a client nothing, so its room goes to
// those that need it, from the body that has brought nothing for longest.
type arrivals struct {
	cuts prometheus.Counter

	mu   sync.Mutex // guards the following, and since and place of each arriving
	list *list.List // of *arriving, that which has brought nothing for longest first
}

func newArrivals() arrivals {
	return arrivals{list: list.New(), cuts: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kindred_ingest_bodies_cut_total", Help: "Bodies that stalled and were cut, because others needed their room.",
	})}
}

// arriving is what a body brings while it is read.
type arriving struct {
	source io.Reader
	meter  *meter
	cut    func() // ends a Read of source under way
	got    int    // since the last step; of the goroutine that reads
	since  time.Time
	place  *list.Element // nil: it was cut, or waits for room
	waits  bool
}

// arrive watches the body that m takes room for, until settle.
func (r *bodyRoom) arrive(m *meter, source io.Reader, cut func()) *arriving {
	a := &arriving{source: source, meter: m, cut: cut, since: time.Now()}
	r.arrivals.mu.Lock()
	defer r.arrivals.mu.Unlock()
	a.place = r.arrivals.list.PushBack(a)
	m.arriving = a
	return a
}

// wait notes that the server does not read the body meanwhile; resume, that it does again.
func (a *arriving) wait() {
	if a == nil {
		return
	}
	all := &a.meter.room.arrivals
	all.mu.Lock()
	defer all.mu.Unlock()
	if a.place != nil {
		all.list.Remove(a.place)
		a.place, a.waits = nil, true
	}
}

func (a *arriving) resume() {
	if a == nil {
		return
	}
	all := &a.meter.room.arrivals
	all.mu.Lock()
	defer all.mu.Unlock()
	if a.waits {
		a.place, a.waits, a.since = all.list.PushBack(a), false, time.Now()
	}
}

// Read implements io.Reader.
func (a *arriving) Read(b []byte) (int, error) {
	n, err := a.source.Read(b)
	all := &a.meter.room.arrivals
	if a.got += n; a.got >= stallStep {
		now := time.Now()
		all.mu.Lock()
		defer all.mu.Unlock()
		a.got, a.since = 0, now
		if a.place != nil {
			all.list.MoveToBack(a.place)
		}
	}
	return n, err
}

// settle ends the watch: the body was read, or never will be.
func (a *arriving) settle() {
	all := &a.meter.room.arrivals
	all.mu.Lock()
	defer all.mu.Unlock()
	if a.place != nil {
		all.list.Remove(a.place)
		a.place = nil
	}
}

// cutStalled cuts the body that has been stalled for longest, and reports whether there is one.
func (s *arrivals) cutStalled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	front := s.list.Front()
	if front == nil {
		return false
	}
	a, _ := front.Value.(*arriving)
	if time.Since(a.since) < stallAfter {
		return false
	}
	s.list.Remove(front)
	a.place = nil
	s.cuts.Inc()
	a.cut() // under the lock: a body that has settled must not be cut, its connection serves on
	return true
}

// acquire waits for n of a semaphore in turn, and cuts stalled bodies meanwhile.
func (r *bodyRoom) acquire(ctx context.Context, s *semaphore.Weighted, n int64) error {
	if s.TryAcquire(n) {
		return nil
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		again := time.NewTicker(stallAfter / stallLooks)
		defer again.Stop()
		for {
			r.arrivals.cutStalled()
			select {
			case <-done:
				return
			case <-again.C:
			}
		}
	}()
	return s.Acquire(ctx, n)
}
