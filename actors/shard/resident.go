package shard

import "github.com/kindred-id/kindred/graph"

// resident is a node that is in memory.
type resident struct {
	graph.Node
	moved      uint64   // of a forward: number of the last message with evidence to its parent's shard
	handed     uint64   // of a forward: the last record, or a later one, in which it handed on evidence
	applied    uint64   // the record up to which the node's stored row counts; 0 without a row
	dirtySince uint64   // first record that its row lacks; 0 when there is none
	pending    [][]byte // events of its timeline that no block holds yet, as encoded
	actor      Handle   // of a root; nil for a forward
	size       int      // estimated bytes of the component
	evidence   int      // members and links when size was estimated
	ring       int      // its place in the shard's clock
	used       bool     // since the clock's hand passed
	touched    int32    // one above its component's place among those that observers saw the step touch; 0: none
}

// handsOn tells whether evidence is among what a forward sends to its parent.
func (r *resident) handsOn(out *graph.Outbox) bool {
	for i := range out.Messages {
		if m := &out.Messages[i]; m.Kind == graph.KindAbsorb && m.To == r.Parent {
			return true
		}
	}
	return false
}

// residentBytes is what a resident takes beside its component: itself, its place in the map and
// the clock, and for a root its actor.
const (
	residentBytes = 232
	actorBytes    = 720
)

// nodeTable holds the residents of a shard and finds those to passivate: a clock, whose hand
// passes over what was used since its last turn.
type nodeTable struct {
	byKey map[graph.NodeKey]*resident
	ring  []*resident
	hand  int
	bytes int64
}

func newNodeTable() nodeTable { return nodeTable{byKey: make(map[graph.NodeKey]*resident)} }

func (t *nodeTable) get(key graph.NodeKey) *resident { return t.byKey[key] }

func (t *nodeTable) add(r *resident) {
	t.byKey[r.Key] = r
	r.ring = len(t.ring)
	t.ring = append(t.ring, r)
	t.bytes += residentBytes
	t.measure(r)
}

// remove forgets a resident. REQUIRES: its actor was stopped.
func (t *nodeTable) remove(r *resident) {
	delete(t.byKey, r.Key)
	last := len(t.ring) - 1
	t.ring[r.ring] = t.ring[last]
	t.ring[r.ring].ring = r.ring
	t.ring[last] = nil
	t.ring = t.ring[:last]
	t.bytes -= residentBytes + int64(r.size)
}

// measure brings the estimate of a resident's memory up to date.
func (t *nodeTable) measure(r *resident) {
	size := 0
	if r.Component != nil {
		size = actorBytes + r.Component.Size()
	}
	t.bytes += int64(size - r.size)
	r.size = size
}

// candidate moves the hand to the next resident that was not used since its last turn; nil when it
// went all the way round twice.
func (t *nodeTable) candidate() *resident {
	for range 2 * len(t.ring) {
		if t.hand >= len(t.ring) {
			t.hand = 0
		}
		r := t.ring[t.hand]
		t.hand++
		if !r.used {
			return r
		}
		r.used = false
	}
	return nil
}
