package actors

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/mutant"
	"github.com/kindred-id/kindred/storage"
)

// Sight is what a shard knows of a node.
type Sight struct {
	Found  bool
	Parent graph.NodeKey // of a forward: ask there
	Moving bool          // of a forward: evidence is on its way to the parent
}

// View shows a root's component to fn, by its identity actor. fn must keep nothing of it.
func (s *Shard) View(key graph.NodeKey, fn func(*graph.Component)) (Sight, error) {
	r, err := s.peek(key)
	if err != nil || r == nil {
		return Sight{}, err
	}
	if r.Component == nil {
		return Sight{Found: !r.Parent.IsZero(), Parent: r.Parent, Moving: s.moving(r)}, nil
	}
	s.host.view(r, fn)
	return Sight{Found: true}, nil
}

// moving tells whether evidence that a forward has handed on is still on its way to its parent.
func (s *Shard) moving(r *resident) bool {
	if r.Parent.IsZero() || mutant.Is("moving-untold") {
		return false
	}
	o := &s.outboxes[r.Parent.Shard(s.shards)]
	return !o.arrived(max(r.moved, o.moved))
}

// Timeline calls fn with the events whose route was the node, encoded, in no particular order:
// first those that are stored in blocks, then those that are in the log alone.
func (s *Shard) Timeline(key graph.NodeKey, fn func(event []byte) error) error {
	r, err := s.peek(key)
	if err != nil || r == nil {
		return err
	}
	err = s.store.Iterate(
		storage.AppendTimelineLower(nil, s.id, key), storage.AppendTimelineUpper(nil, s.id, key),
		func(_, value []byte) error {
			block, err := storage.Unpack(value)
			if err != nil {
				return fmt.Errorf("timeline of node %s: %w", key, err)
			}
			return s.dec.Block(block, fn)
		})
	if err != nil {
		return err
	}
	for _, event := range r.pending {
		if err := fn(event); err != nil {
			return err
		}
	}
	return nil
}
