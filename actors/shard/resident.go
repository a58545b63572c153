package shard

import "github.com/kindred-id/kindred/graph"

// resident is a node that is in memory.
type resident struct {
	graph.Node
	moved      uint64 // of a forward: number of the last message with evidence to its parent's shard
	handed     uint64 // of a forward: the last record, or a later one, in which it handed on evidence
	applied    uint64 // the record up to which the node's stored row counts; 0 without a row
	dirtySince uint64 // first record that its row lacks; 0 when there is none
	actor      Handle // of a root; nil for a forward
	size       int    // estimated bytes of the component
	evidence   int    // members and links when size was estimated
	ring       int    // its place in the shard's clock
	pending    events // of its timeline
	used       bool   // since the clock's hand passed
	touched    int32  // one above its component's place among those that observers saw the step touch; 0: none
}

// handsOn reports whether evidence is among what a forward sends to its parent.
func (r *resident) handsOn(out *graph.Outbox) bool {
	for i := range out.Messages {
		if m := &out.Messages[i]; m.Kind == graph.KindAbsorb && m.To == r.Parent {
			return true
		}
	}
	return false
}
