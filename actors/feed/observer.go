package feed

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// observer writes one shard's part of the change feed: in the batch of every commit, what it changed of identities (A9).
//
// Where a step touches a component for the first time, its identities are noted as readers know them; when the step is
// closed, they are compared with what they are then. Where a component leaves for another root, it is compared before it
// goes; and where it arrives, the identities that came with it count as known.
//
// While the feed sweeps, readers may know identities as other rules divided them. A mark, a row for each root, says under
// which rules it was told.
type observer struct {
	feed     *Feed
	shard    graph.ShardID
	enc      *row.Encoder
	dec      *row.Decoder
	state    row.FeedState // as of the last step
	sweeping bool
	marked   marked

	// Of the step under way.
	before  [][]graph.Known // by place: how readers know the identities of a component, and of those that came to it
	entries []graph.FeedEntry
	marks   []graph.NodeKey // roots that are told under the rules in force from now on

}

// Observer is that of a shard, from here on until the process ends or another takes its place.
func (f *Feed) Observer(id graph.ShardID) shard.Observer {
	o := &observer{feed: f, shard: id, enc: row.NewEncoder(), dec: row.NewDecoder(), sweeping: f.sweeping.Load()}
	f.observers[id] = o
	return o
}

// Before implements shard.Observer: it notes what readers know.
func (o *observer) Before(v *shard.Visit) error {
	if v.Replay || v.Place < 0 {
		return nil
	}
	if v.First {
		known, err := o.told(v.Node)
		if err != nil {
			return err
		}
		o.touch(v, known)
	}
	if v.Message.Kind != graph.KindAbsorb {
		return nil
	}
	if o.sweeping { // they may have been told under other rules
		o.before[v.Place] = append(o.before[v.Place], v.Message.Evidence.Ids()...)
	} else {
		o.before[v.Place] = append(o.before[v.Place], v.Message.Evidence.Arrivals(o.feed.told.inForce)...)
	}
	return nil
}

func (o *observer) touch(v *shard.Visit, known []graph.Known) {
	o.before = append(o.before, known) // its place is the next one
	if o.sweeping && o.marked.add(v.Node.Key) {
		o.marks = append(o.marks, v.Node.Key)
	}
}

// told lists the identities of a root as the feed told them last.
func (o *observer) told(n *graph.Node) ([]graph.Known, error) {
	rules := &o.feed.told
	if !o.sweeping || o.marked.has(n.Key) {
		return n.Component.Known(rules.inForce), nil
	}
	version, err := o.dec.GetFeedMark(o.feed.store, o.shard, n.Key)
	under := rules.first
	switch {
	case errors.Is(err, storage.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		if under = rules.byVersion[version]; under == nil {
			return nil, fmt.Errorf("%w: feed mark of node %s: rules %016x are not in the feed's settings", storage.ErrCorrupt, n.Key, version)
		}
	}
	if under == nil {
		return nil, nil
	}
	return n.Component.Known(under), nil
}

// After implements shard.Observer.
func (o *observer) After(v *shard.Visit) {
	if v.Replay {
		return
	}
	switch {
	case v.First: // a new root: nobody knows it
		o.touch(v, nil)
	case v.Was != nil && v.Node.Component == nil: // its evidence leaves, and still is as it was
		o.entries = v.Was.AppendFeed(o.entries, o.before[v.Place], o.feed.told.inForce, v.Reported)
	}
	for i := range v.Changes {
		if c := &v.Changes[i]; c.Kind == graph.ChangeGeneric {
			o.entries = append(o.entries, graph.FeedEntry{Kind: graph.FeedGeneric, ID: c.Cause.Key, Name: c.Cause})
		}
	}
}

// Close implements shard.Observer: it adds what the step is to tell to the batch.
func (o *observer) Close(c *shard.Closing) {
	rules := o.feed.told.inForce
	for place, n := range c.Roots() {
		o.entries = n.Component.AppendFeed(o.entries, o.before[place], rules, c.Changes)
	}
	for _, root := range o.marks {
		o.enc.PutFeedMark(c.Batch, o.shard, root, rules.Version)
	}
	if len(o.entries) > 0 {
		o.write(c)
	}
	o.forget()
}

// write adds a block with the entries to the batch, and where the feed ends now.
func (o *observer) write(c *shard.Closing) {
	block := row.FeedBlock{
		Record: c.Record, Order: o.feed.order.Add(1), At: c.Now, First: o.state.Number + 1, Rules: o.feed.told.inForce.Version, Entries: o.entries,
	}
	bytes := o.enc.PutFeedBlock(c.Batch, o.shard, &block)
	o.state = row.FeedState{
		Record: c.Record, Number: o.state.Number + uint64(len(o.entries)), Order: block.Order, Bytes: o.state.Bytes + uint64(bytes),
	}
	o.enc.PutFeedState(c.Batch, o.shard, &o.state)
}

// forget ends the step.
func (o *observer) forget() {
	clear(o.before)
	clear(o.entries)
	o.before, o.entries, o.marks = o.before[:0], o.entries[:0], o.marks[:0]
}

// Committed implements shard.Observer: it lets readers read what the step told.
func (o *observer) Committed() { o.feed.committed(o.shard, o.state.Number) }

// Recover implements shard.Observer: it reads the end of the shard's feed.
func (o *observer) Recover(r *shard.Recovery) (err error) {
	o.forget()
	o.marked = marked{}
	if o.state, err = o.dec.GetFeedState(o.feed.store, o.shard); err != nil {
		return err
	}
	if r.Record < o.state.Record {
		return fmt.Errorf("%w: log of shard %d ends at record %d, and its feed counts up to %d", storage.ErrCorrupt, o.shard, r.Record, o.state.Record)
	}
	return nil
}

// marked remembers roots whose mark names the rules in force, so that the store is not asked again. What it has forgotten
// costs a read and a mark that was there, so it is bounded.
type marked struct{ roots map[graph.NodeKey]struct{} }

// markedMost is how many roots are remembered: some 300 KiB.
const markedMost = 4096

func (m *marked) has(root graph.NodeKey) bool {
	_, ok := m.roots[root]
	return ok
}

// add remembers a root, and reports whether it was not remembered.
func (m *marked) add(root graph.NodeKey) bool {
	if m.has(root) {
		return false
	}
	if m.roots == nil || len(m.roots) == markedMost {
		m.roots = make(map[graph.NodeKey]struct{})
	}
	m.roots[root] = struct{}{}
	return true
}
