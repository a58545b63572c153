package actors

import (
	"context"

	"github.com/kindred-id/kindred/graph"
)

// Sample is Each for a share of all components, from 0 to 1: those whose roots' keys are low in their class. Keys are
// hashes, so that is a fair draw; it is the same one every time, and a smaller share is part of a larger one. Rows of
// others are skipped unread, and no shard waits for it. Where a component holds a generic value, its root may depend on
// the order of events (H5 is about what conducts), and so may the draw of that component; no profile depends on it.
func (q queries) Sample(ctx context.Context, share float64, fn func(*graph.Component) error) error {
	return q.each(ctx, func(root graph.NodeKey) bool { return drawn(root, share) }, fn)
}

// classBits are the bits of a key's upper half that its class takes.
const classBits = 3

// drawn reports whether a node is in a share of all.
func drawn(node graph.NodeKey, share float64) bool {
	const all = 1 << 64
	return float64(node.Hi<<classBits) < share*all
}
