package debug

import (
	"sync"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
)

// cause names an event: message ids are the source's own.
type cause struct{ id, source string }

// journal keeps the latest merges by the event that brought them about, until the listeners have shown that event. Shards
// add to it; it holds at most journalMax causes, and forgets the oldest.
type journal struct {
	mu     sync.Mutex // guards the following
	merges map[cause][]document.DebugMerge
	order  []cause // a ring once it is full
	next   int
}

// mergesMax bounds the merges kept of one event: a sweep or an alias of a large component may bring about many.
const mergesMax = 16

func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.merges, j.order, j.next = make(map[cause][]document.DebugMerge), nil, 0
}

// add notes merges. It is called by shards, once a step is durable.
func (j *journal) add(merges []graph.Merge) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range merges {
		m := &merges[i]
		c := cause{string(m.Mark.ID), string(m.Mark.Source)}
		if c.id == "" || j.merges == nil { // an operator's, or nobody listens any more
			continue
		}
		list, known := j.merges[c]
		if !known {
			j.enter(c)
		}
		if len(list) < mergesMax {
			j.merges[c] = append(list, mergeOf(m))
		}
	}
}

// enter makes room for a cause. REQUIRES: j.mu held
func (j *journal) enter(c cause) {
	if len(j.order) < journalMax {
		j.order = append(j.order, c)
		return
	}
	delete(j.merges, j.order[j.next])
	j.order[j.next] = c
	j.next = (j.next + 1) % journalMax
}

// of returns the merges that an event brought about.
func (j *journal) of(c cause) []document.DebugMerge {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.merges[c]
}

func mergeOf(m *graph.Merge) document.DebugMerge {
	d := document.DebugMerge{Into: m.Into.ID().String()}
	for i := range m.From {
		d.From = append(d.From, m.From[i].ID().String())
	}
	for _, by := range m.By {
		d.By = append(d.By, document.Name{Namespace: by.Namespace, Value: by.Value})
	}
	return d
}
