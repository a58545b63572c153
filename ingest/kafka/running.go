package kafka

import (
	"context"
	"sync"
)

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// running is a partition with its goroutine.
type running struct {
	*partition
	cancel    context.CancelFunc
	done      chan struct{}
	committed int64 // to the group; -1: nothing yet

	// Only the poller uses the following:
	assigned bool
	next     int64 // the offset after the last fetched record
	tries    int   // to read on, without a record
}

// A runningSet holds the partitions that run.
type runningSet struct {
	mu      sync.Mutex // guards the following
	byPlace map[place]*running
}

func (s *runningSet) find(at place) *running {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byPlace[at]
}

func (s *runningSet) all() []*running {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*running
	for _, r := range s.byPlace {
		all = append(all, r)
	}
	return all
}

func (s *runningSet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byPlace)
}

func (s *runningSet) add(r *running) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byPlace[r.place()] = r
}

func (s *runningSet) remove(all []*running) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range all {
		delete(s.byPlace, r.place())
	}
}
