package shard

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// MaxHops bounds how many forwards a look-up follows. Forwards only ever lead up in rank and shorten as they are used;
// more means that rows are corrupt.
const MaxHops = 64

// Sight is what a shard knows of a node.
type Sight struct {
	Found  bool
	Parent graph.NodeKey // of a forward: ask there
	Moving bool          // of a forward: evidence is on its way to the parent
	// Arrived is closed once that evidence has arrived. It is nil unless Moving.
	Arrived <-chan struct{}
}

// View shows a root's component to fn, by its identity actor. fn must keep nothing of it.
func (s *Shard) View(key graph.NodeKey, fn func(*graph.Component)) (Sight, error) {
	r, err := s.peek(key)
	if err != nil || r == nil {
		return Sight{}, err
	}
	if r.Component == nil {
		sight := Sight{Found: !r.Parent.IsZero(), Parent: r.Parent}
		if seq := s.moving(r); seq > 0 {
			sight.Moving, sight.Arrived = true, s.outboxes[r.Parent.Shard(s.shards)].arrival(seq)
		}
		return sight, nil
	}
	s.host.View(r.actor, r.Component, fn)
	return Sight{Found: true}, nil
}

// moving is the number of the message with which evidence that a forward has handed on is still on its
// way to its parent; 0 when none is.
func (s *Shard) moving(r *resident) uint64 {
	if r.Parent.IsZero() {
		return 0
	}
	o := &s.outboxes[r.Parent.Shard(s.shards)]
	seq := max(r.moved, o.moved[r.Parent])
	if o.arrived(seq) {
		return 0
	}
	return seq
}

// Timeline calls fn with the events whose route was the node, encoded, in no particular order:
// first those that are stored in blocks, then those that are in the log alone.
func (s *Shard) Timeline(key graph.NodeKey, fn func(event []byte) error) error {
	r, err := s.peek(key)
	if err != nil || r == nil {
		return err
	}
	if err := s.dec.ScanTimeline(s.store, s.id, key, fn); err != nil {
		return err
	}
	for _, event := range r.pending {
		if err := fn(event); err != nil {
			return err
		}
	}
	return nil
}

// Position is the number of the last event of an external channel that the shard has taken durably; NoNumber where there
// is none.
func (s *Shard) Position(id row.ChannelID) int64 { return s.external.committedPosition(id) }
