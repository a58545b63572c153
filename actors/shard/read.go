package shard

import (
	"math"

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
	// Arrived ends once that evidence has arrived. It is nil unless Moving.
	Arrived *Arrival
}

// Read shows a root's component to fn, by its identity actor. fn must keep nothing of it.
func (s *Shard) Read(key graph.NodeKey, fn func(*graph.Component)) (Sight, error) {
	r, err := s.residents.peek(key)
	if err != nil || r == nil {
		return Sight{}, err
	}
	if r.Component == nil {
		sight := Sight{Found: !r.Parent.IsZero(), Parent: r.Parent}
		if seq := s.channels.moving(r); seq > 0 {
			sight.Moving, sight.Arrived = true, s.channels.to(r.Parent).arrival(seq)
		}
		return sight, nil
	}
	s.config.Host.Show(r.actor, r.Component, fn)
	return Sight{Found: true}, nil
}

// Timeline calls fn with the events whose route was the node, encoded, in no particular order:
// first those that are stored in blocks, then those that are in the log alone.
func (s *Shard) Timeline(key graph.NodeKey, fn func(event []byte) error) error {
	r, err := s.residents.peek(key)
	if err != nil || r == nil {
		return err
	}
	before := uint64(math.MaxUint64)
	if r.dirtySince == 0 && !r.pending.empty() {
		before = r.applied // what is pending is in the block of that number, which may be durable or not
	}
	if err := s.codec.dec.ScanTimeline(s.config.Store, s.config.ID, key, before, fn); err != nil {
		return err
	}
	for _, event := range s.pending.list(nil, r.pending) {
		if err := fn(event); err != nil {
			return err
		}
	}
	return nil
}

// Position is the number of the last event of an external channel that the shard has taken durably; NoNumber where there
// is none.
func (s *Shard) Position(id row.ChannelID) int64 { return s.external.committedPosition(id) }
