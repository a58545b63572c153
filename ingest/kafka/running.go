package kafka

import (
	"context"
	"sync"
)

// place is a partition of a topic, by name. Over time it may have several partitions in turn: a topic that is deleted
// and made anew keeps its name.
type place struct {
	topic     string
	partition int32
}

// running is a partition with its goroutine. Discovery starts it, and waits for done after cancel. The goroutine ends
// with its context or with the engine, and not before, even if the partition is halted: Status still shows it.
type running struct {
	*partition
	cancel    context.CancelFunc
	done      chan struct{}
	committed int64 // to the group; -1: nothing yet. Only commitOffsets uses it, which never runs twice at once

	// Only the poller uses the following:
	assigned bool
	next     int64 // the offset after the last fetched record
	tries    int   // to read on, without a record
}

// A runningSet holds the partitions that run: at most one a place.
//
// mu is held to look one up or to change the set, and never while a partition is asked for anything: partitions are
// found by the poller, the housekeeping and Status, and one that is stuck must not hold up these. The price is that
// what find and all return may have been stopped since; the poller compares partitions for that reason.
type runningSet struct {
	mu      sync.Mutex // guards the following
	byPlace map[place]*running
}

func (s *runningSet) find(at place) *running {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byPlace[at]
}

// all returns a copy, in no order: callers may wait for each.
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
