package actors

import (
	"bytes"
	"context"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Sample is Each for a share of all components, from 0 to 1: those whose roots' keys are low in their class. Keys are
// hashes, so that is a fair draw; it is the same one every time, and a smaller share is part of a larger one. Rows of
// others are skipped unread, and no shard waits for it.
func (e *Engine) Sample(ctx context.Context, share float64, fn func(*graph.Component) error) error {
	if err := e.Flush(ctx); err != nil {
		return err
	}
	dec := storage.NewDecoder()
	return e.store.Iterate(
		storage.AppendSpaceLower(nil, storage.SpaceNode), storage.AppendSpaceUpper(nil, storage.SpaceNode),
		func(key, row []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			_, node, err := storage.ParseNodeRowKey(key)
			if err != nil {
				return err
			}
			if !drawn(node, share) {
				return nil
			}
			n, _, err := dec.Node(node, bytes.Clone(row))
			if err != nil {
				return fmt.Errorf("row of node %s: %w", node, err)
			}
			if n.Component == nil {
				return nil
			}
			return fn(n.Component)
		})
}

// classBits are the bits of a key's upper half that its class takes.
const classBits = 3

// drawn tells whether a node is in a share of all.
func drawn(node graph.NodeKey, share float64) bool {
	const all = 1 << 64
	return float64(node.Hi<<classBits) < share*all
}
