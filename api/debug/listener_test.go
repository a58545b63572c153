package debug

import (
	"testing"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
)

// Up to the rate all are shown; in the next second again; and what was not is counted once.
func TestRate(t *testing.T) {
	l := newListener(&filter{})
	shown := 0
	for range Rate + 7 {
		if l.admitAt(1) {
			shown++
		}
	}
	if sampled, _ := l.leftOut(); shown != Rate || sampled != 7 {
		t.Errorf("%d shown, %d left out", shown, sampled)
	}
	if sampled, _ := l.leftOut(); !l.admitAt(2) || sampled != 0 {
		t.Error("a new second")
	}
}

// A queue that nobody reads is bounded in entries and in bytes, and what does not fit is counted.
func TestQueueBounds(t *testing.T) {
	small, large := newListener(&filter{}), newListener(&filter{})
	for range 2 * queueMax {
		small.offer(&entry{bytes: 1})
		large.offer(&entry{bytes: queueBytesMax / 4})
	}
	if _, missed := small.leftOut(); len(small.queue) != queueMax || missed != queueMax || small.bytes.Load() != queueMax {
		t.Errorf("%d entries of %d bytes wait, %d missed", len(small.queue), small.bytes.Load(), missed)
	}
	if _, missed := large.leftOut(); len(large.queue) != 4 || missed != 2*queueMax-4 || large.bytes.Load() != queueBytesMax {
		t.Errorf("%d large entries of %d bytes wait, %d missed", len(large.queue), large.bytes.Load(), missed)
	}
	large.took(<-large.queue)
	large.offer(&entry{bytes: 1})
	if _, missed := large.leftOut(); missed != 0 {
		t.Error("room that was given back is not used")
	}
}

// The journal holds the latest causes and a bounded number of merges of each.
func TestJournalBounds(t *testing.T) {
	var j journal
	merge := func(n int) []graph.Merge {
		return []graph.Merge{{Cause: graph.Cause{Mark: graph.Mark{ID: []byte{byte(n), byte(n >> 8), byte(n >> 16)}}}}, {}}
	}
	j.add(merge(1)) // nobody listens
	j.reset()
	for n := range 3 * journalMax {
		j.add(merge(n))
	}
	for range 2 * mergesMax {
		j.add(merge(3*journalMax - 1))
	}
	at := func(n int) []document.DebugMerge { return j.of(cause{id: string(merge(n)[0].Mark.ID)}) }
	if len(j.merges) != journalMax || len(j.order) != journalMax || at(0) != nil || len(at(3*journalMax-1)) != mergesMax {
		t.Errorf("%d causes, %d in order", len(j.merges), len(j.order))
	}
}
