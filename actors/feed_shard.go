package actors

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// feedOutput is what all shards share of the change feed.
type feedOutput struct {
	// order is that of the last block that any shard prepared. A shard handles a message only after its sender's
	// commit, so what brought a block about has a lower order.
	order atomic.Uint64

	// Under which rules identities were told, while some were told under others than those in force.
	sweeping  bool
	first     *graph.Rules            // of roots without a mark; nil: these were not told at all
	byVersion map[uint64]*graph.Rules // of those with one
}

// shardFeed writes a shard's part of the change feed: in the batch of every commit, what it changed of
// identities (A9). Where a step touches a component for the first time, its identities are noted as
// readers know them; when the step is closed, they are compared with what they are then. Where a
// component leaves for another root, that is compared before it goes; and where it arrives, what came
// with it counts as known.
type shardFeed struct {
	shared   *feedOutput
	state    row.FeedState // as of the last step
	sweeping bool

	// The step under way.
	touched []*resident
	entries []graph.FeedEntry
	marks   []graph.NodeKey // roots that are told under the rules in force from now on
}

// feedTouch is how readers know the identities of a component, and of those that came to it.
type feedTouch struct{ before []graph.Known }

func (f *shardFeed) begin() {
	clear(f.touched)
	clear(f.entries)
	f.touched, f.entries, f.marks = f.touched[:0], f.entries[:0], f.marks[:0]
}

// feedBefore notes what readers know, before a node takes a message.
func (s *Shard) feedBefore(r *resident, m *graph.Message) error {
	if r.Component == nil {
		return nil
	}
	if r.feed == nil {
		known, err := s.toldOf(r)
		if err != nil {
			return err
		}
		s.feed.touch(r, known)
	}
	if m.Kind != graph.KindAbsorb {
		return nil
	}
	if s.feed.sweeping { // they may have been told under other rules
		r.feed.before = append(r.feed.before, m.Evidence.Ids()...)
	} else {
		r.feed.before = append(r.feed.before, m.Evidence.Arrivals(s.rules)...)
	}
	return nil
}

func (f *shardFeed) touch(r *resident, known []graph.Known) {
	r.feed = &feedTouch{known}
	f.touched = append(f.touched, r)
	if f.sweeping && !r.told {
		f.marks = append(f.marks, r.Key)
	}
	r.told = true
}

// toldOf lists the identities of a root as the feed told them last.
func (s *Shard) toldOf(r *resident) ([]graph.Known, error) {
	if !s.feed.sweeping || r.told {
		return r.Component.Known(s.rules), nil
	}
	stored, err := s.store.Get(nil, row.AppendFeedMarkKey(nil, s.id, r.Key))
	rules := s.feed.shared.first
	switch {
	case errors.Is(err, storage.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		version, err := s.dec.FeedMark(stored)
		if err != nil {
			return nil, fmt.Errorf("feed mark of node %s: %w", r.Key, err)
		}
		if rules = s.feed.shared.byVersion[version]; rules == nil {
			return nil, fmt.Errorf("%w: feed mark of node %s: rules %016x are not in the feed's settings", storage.ErrCorrupt, r.Key, version)
		}
	}
	if rules == nil {
		return nil, nil
	}
	return r.Component.Known(rules), nil
}

// feedAfter follows what a message made of a node; was is the component that it had.
func (s *Shard) feedAfter(r *resident, was *graph.Component) {
	f := s.feed
	switch {
	case was == nil && r.Component != nil: // a new root: nobody knows it
		f.touch(r, nil)
	case was != nil && r.Component == nil: // its evidence leaves, and still is as it was
		f.entries = was.AppendFeed(f.entries, r.feed.before, s.rules, s.changes)
		r.feed = nil
	}
	for i := range s.out.Changes {
		if c := &s.out.Changes[i]; c.Kind == graph.ChangeGeneric {
			f.entries = append(f.entries, graph.FeedEntry{Kind: graph.FeedGeneric, ID: c.Cause.Key, Name: c.Cause})
		}
	}
}

// writeFeed adds what the step is to tell to the batch. REQUIRES: s.seq is the step's record
func (s *Shard) writeFeed() {
	f := s.feed
	for _, r := range f.touched {
		if r.feed == nil {
			continue // it left
		}
		f.entries = r.Component.AppendFeed(f.entries, r.feed.before, s.rules, s.changes)
		r.feed = nil
	}
	for _, root := range f.marks {
		s.body = s.enc.FeedMark(s.body[:0], s.rules.Version)
		s.batch.Set(row.AppendFeedMarkKey(s.key[:0], s.id, root), s.body)
	}
	if len(f.entries) == 0 {
		return
	}
	block := row.FeedBlock{
		Record: s.seq, Order: f.shared.order.Add(1), At: s.now, First: f.state.Number + 1, Rules: s.rules.Version, Entries: f.entries,
	}
	s.body = s.enc.FeedBlock(s.body[:0], &block)
	s.packed = row.AppendPacked(s.packed[:0], s.body)
	f.state = row.FeedState{
		Record: s.seq, Number: f.state.Number + uint64(len(f.entries)), Order: block.Order, Bytes: f.state.Bytes + uint64(len(s.packed)),
	}
	s.key = row.AppendFeedKey(s.key[:0], s.id, f.state.Number)
	s.batch.Set(s.key, s.packed)
	s.body = s.enc.FeedState(s.body[:0], &f.state)
	s.key = row.AppendFeedStateKey(s.key[:0], s.id)
	s.batch.Set(s.key, s.body)
}

// readFeed reads the end of the shard's feed.
func (s *Shard) readFeed() error {
	s.feed.begin()
	stored, err := s.store.Get(nil, row.AppendFeedStateKey(nil, s.id))
	if errors.Is(err, storage.ErrNotFound) {
		s.feed.state = row.FeedState{}
		return nil
	}
	if err != nil {
		return err
	}
	if s.feed.state, err = s.dec.FeedState(stored); err != nil {
		return fmt.Errorf("feed state of shard %d: %w", s.id, err)
	}
	return nil
}
