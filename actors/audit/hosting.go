package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// hostingPass checks that what rows say of each other goes together (H1, H2, H5), as far as no message is under way that
// they may lack.
type hostingPass struct {
	*auditor
	hosted uint64 // members, roots left out, that were found to lead to the root which hosts them
}

// run follows every hosted member of every component to its root. When as many forwards were found this way as there
// are, every forward leads to the root that hosts it, and every member is hosted once (H2).
//
// Counting stands in for a set of all forwards: such a set would be as large as the store has nodes. Two forwards
// can't be counted for one another, because each leads to one root, and a root lists each member once. Only if the
// numbers differ does a second pass look for the forwards that are missing (strays).
func (p *hostingPass) run(ctx context.Context) error {
	err := p.eachOf(ctx, row.SpaceNode, func(key, value []byte) error {
		_, node, err := row.ParseNodeKey(key)
		if err != nil {
			return nil // reported before
		}
		n, _, err := p.dec.Node(node, value)
		if err != nil || n.Component == nil {
			return nil // reported before
		}
		for i, members := 0, n.Component.Evidence().Members; i < len(members); i++ {
			m := &members[i]
			if !m.Hosted || m.Key == node {
				continue
			}
			// Two components that each found a value generic before they met both keep their claim on it:
			// it conducts nothing, and one of them holds its fragment.
			if m.Key.Outranks(node) && !m.Generic && !p.isMoving(m.Key) && !p.isMoving(node) {
				return fmt.Errorf("it hosts node %s, which outranks it (H5)", m.Key)
			}
			root, moving, err := p.root(m.Key)
			if err != nil {
				return err
			}
			switch {
			case root == node:
				p.hosted++
			case !m.Generic && !moving && !p.isMoving(node):
				return fmt.Errorf("it hosts node %s, which leads to %s", m.Key, root)
			}
		}
		return nil
	})
	if err != nil || p.hosted == p.forwards || !p.report.OK() {
		return err
	}
	return p.strays(ctx)
}

// strays looks for the forwards whose root doesn't host them.
func (p *hostingPass) strays(ctx context.Context) error {
	var last *graph.Node // the root that the last forward led to: neighbours often share it
	return p.eachOf(ctx, row.SpaceNode, func(key, value []byte) error {
		_, node, err := row.ParseNodeKey(key)
		if err != nil {
			return nil // reported before
		}
		n, _, err := p.dec.Node(node, value)
		if err != nil || n.Component != nil || n.Mention != nil {
			return nil // reported before, or no forward
		}
		root, moving, err := p.root(node)
		if err != nil || moving || p.isMoving(root) {
			return err
		}
		if last == nil || last.Key != root {
			if last, err = p.get(root); err != nil {
				return err
			}
		}
		members := last.Component.Evidence().Members
		if at, found := slices.BinarySearchFunc(members, node, func(m graph.Member, k graph.NodeKey) int { return k.Compare(m.Key) }); !found || !members[at].Hosted {
			return fmt.Errorf("it leads to %s, which does not host it (H2)", root)
		}
		return nil
	})
}

// root follows forwards to a root. moving reports whether the log mentions any of them.
func (p *hostingPass) root(node graph.NodeKey) (root graph.NodeKey, moving bool, err error) {
	start := node
	for range shard.MaxHops {
		moving = moving || p.isMoving(node)
		n, err := p.get(node)
		if err == nil && n.Mention != nil {
			err = storage.ErrNotFound // it was never seen
		}
		if errors.Is(err, storage.ErrNotFound) {
			if moving {
				return node, true, nil
			}
			return node, false, fmt.Errorf("node %s leads to %s, which has no row", start, node)
		}
		if err != nil {
			return node, moving, err
		}
		if n.Component != nil {
			return node, moving, nil
		}
		node = n.Parent
	}
	return node, moving, fmt.Errorf("more than %d forwards in a row from node %s", shard.MaxHops, start)
}

// get reads the row of one node. The decoder is not that of the pass: what get returns is used while the row of the
// pass is.
func (p *hostingPass) get(node graph.NodeKey) (*graph.Node, error) {
	stored, err := p.store.Get(nil, row.AppendNodeKey(nil, node.Shard(p.shards), node))
	if err != nil {
		return nil, err
	}
	n, _, err := p.inner.Node(node, stored)
	return n, err
}
