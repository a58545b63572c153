package feed

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// observer writes one shard's part of the change feed: in the batch of every commit, what it changed of identities
// (A9).
//
// It watches a component before a step touches it for the first time: then the step's Diff tells all that readers need
// to know. Where a component leaves for another root, its Diff comes before it goes; and where it arrives, the
// identities that came with it count as known.
//
// While the feed sweeps, readers may know identities as other rules divided them. A mark, a row for each root, says
// under which rules it was told. It is written in the batch that tells, so a root is told again only if that was not
// committed.
//
// One goroutine at a time uses an observer: that of its shard. It shares due, order, sweeping and the ends with the
// feed, all of which are atomic. A step calls Before and After around each visit, then Changed and Close, and at its
// end either Committed, or Recover if it is undone, which reads everything again from the store.
type observer struct {
	feed     *Feed
	shard    graph.ShardID
	enc      *row.Encoder
	dec      *row.Decoder
	state    row.FeedState // as of the last step
	trimmed  uint64        // the last entry that is deleted
	sweeping bool
	ended    bool // the sweep has told everything, and marks are left
	marked   marked

	// Of the step under way.
	entries  []graph.FeedEntry
	marks    []graph.NodeKey // roots that are told under the rules in force from now on
	trimming *row.FeedTrim   // what the step deletes up to; nil: nothing
	unmarks  bool            // the step deletes all marks
}

// Observer is that of a shard, from here on until the process ends or another takes its place.
func (f *Feed) Observer(id graph.ShardID) shard.Observer {
	o := &observer{feed: f, shard: id, enc: row.NewEncoder(), dec: row.NewDecoder(), sweeping: f.sweeping.Load()}
	f.observers[id] = o
	return o
}

// Before implements shard.Observer: it has the component note what readers know.
func (o *observer) Before(v *shard.Visit) error {
	if v.Replay || !v.First {
		return nil
	}
	now := v.Node.Component.Told(o.feed.told.inForce)
	if !o.sweeping || !o.feed.sweeping.Load() { // a shard that is opened as a sweep ends may miss Swept
		v.Node.Component.Watch(now, nil, false)
		return nil
	}
	told, err := o.told(v.Node, now)
	if err != nil {
		return err
	}
	o.sweep(v.Node, now, told)
	return nil
}

// sweep watches a component whose identities were told as other rules divided them, or not at all, and marks it as
// told.
func (o *observer) sweep(n *graph.Node, now, told []graph.Identity) {
	n.Component.Watch(now, told, true)
	if o.marked.add(n.Key) {
		o.marks = append(o.marks, n.Key)
	}
}

// told lists the identities of a root as the feed told them last; now is how they stand under the rules in force.
//
// REQUIRES: sweeping
func (o *observer) told(n *graph.Node, now []graph.Identity) ([]graph.Identity, error) {
	rules := &o.feed.told
	if o.marked.has(n.Key) {
		return slices.Clone(now), nil
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
	return n.Component.Told(under), nil
}

// After implements shard.Observer.
func (o *observer) After(v *shard.Visit) {
	if v.Replay {
		return
	}
	switch {
	case !v.First:
	case o.sweeping:
		o.sweep(v.Node, nil, nil)
	default:
		v.Node.Component.Watch(nil, nil, false) // a new root: nobody knows it
	}
	for _, name := range v.Out.Generic {
		o.entries = append(o.entries, graph.FeedEntry{Kind: graph.FeedGeneric, ID: name.Key, Name: name})
	}
}

// Changed implements shard.Observer.
func (o *observer) Changed(d *graph.Diff) { o.entries = d.AppendFeed(o.entries) }

// Close implements shard.Observer: it adds what the step is to tell to the batch.
func (o *observer) Close(c *shard.Closing) {
	rules := o.feed.told.inForce
	for _, root := range o.marks {
		o.enc.PutFeedMark(c.Batch, o.shard, root, rules.Version)
	}
	o.entries = append(o.entries, c.Memberships...)
	switch {
	case len(o.entries) > 0:
		o.write(c)
	case o.feed.others != nil:
		o.note(c)
	}
	o.forget()
}

// note writes how far the clock is, without a block: the step may follow from blocks of other shards, and what the shard tells in another
// process has to come after them.
func (o *observer) note(c *shard.Closing) {
	if o.feed.order.Now() > o.state.Order {
		o.state.Record = c.Record
		o.promise(c.Batch)
	}
}

// promise raises the order of the state to the clock. Once the batch is durable, no block that follows has this order or a
// lower one: not here, where the clock is past it, and not in a process that reads the state.
func (o *observer) promise(b *storage.Batch) {
	if now := o.feed.order.Now(); now > o.state.Order {
		o.state.Order = now
		o.enc.PutFeedState(b, o.shard, &o.state)
	}
}

// write adds a block with the entries to the batch, and where the feed ends now. state runs ahead of the store until
// the commit; if that fails, Recover reads it back.
func (o *observer) write(c *shard.Closing) {
	block := row.FeedBlock{
		Record: c.Record, Order: o.feed.order.next(), At: c.Now, First: o.state.Number + 1, Rules: o.feed.told.inForce.Version, Entries: o.entries,
	}
	bytes := o.enc.PutFeedBlock(c.Batch, o.shard, &block)
	o.state = row.FeedState{
		Record: c.Record, Number: o.state.Number + uint64(len(o.entries)), Order: block.Order, Bytes: o.state.Bytes + uint64(bytes),
	}
	o.enc.PutFeedState(c.Batch, o.shard, &o.state)
}

// Tidy deletes what Feed.Trim has decided on, and marks that a sweep has left. Where shards are with several processes, it
// also notes how far the clock is, for readers that wait for it. A step calls it that was asked to (shard.Input.Tidy).
func (o *observer) Tidy(b *storage.Batch) {
	if o.feed.others != nil {
		o.promise(b)
	}
	if next := o.feed.due[o.shard].Load(); next != nil {
		if next.Number > o.trimmed {
			row.DeleteFeed(b, o.shard, o.trimmed+1, next.Number+1)
			next.Put(b, o.shard)
		}
		o.trimming = next
	}
	if o.ended && !o.feed.sweeping.Load() {
		row.DeleteFeedMarks(b, o.shard)
		o.unmarks = true
	}
}

// swept notes that all identities are told under the rules in force. Marks stay until Feed.EndSweep is durable: a crash
// between the two sweeps again, and needs them.
func (o *observer) swept() { o.sweeping, o.ended = false, true }

// forget ends the step. Entries are cleared, because the memory of a large diff would live as long as the shard.
func (o *observer) forget() {
	clear(o.entries)
	o.entries, o.marks = o.entries[:0], o.marks[:0]
}

// Committed implements shard.Observer: it lets readers read what the step told.
func (o *observer) Committed() {
	if o.trimming != nil {
		o.trimmed = max(o.trimmed, o.trimming.Number)
		o.feed.due[o.shard].CompareAndSwap(o.trimming, nil)
		o.trimming = nil
	}
	if o.unmarks {
		o.ended, o.unmarks = false, false
	}
	o.feed.committed(o.shard, &o.state)
}

// Recover implements shard.Observer: it reads where the shard's feed begins and ends.
func (o *observer) Recover(r *shard.Recovery) (err error) {
	o.forget()
	o.marked, o.trimming, o.unmarks = marked{}, nil, false
	trim, err := row.ReadFeedTrim(o.feed.store, o.shard)
	if err != nil {
		return err
	}
	o.trimmed = trim.Number
	if o.state, err = row.ReadFeedState(o.feed.store, o.shard); err != nil {
		return err
	}
	o.feed.order.Raise(o.state.Order) // another process may have written them
	if r.Record < o.state.Record {
		return fmt.Errorf("%w: log of shard %d ends at record %d, and its feed counts up to %d", storage.ErrCorrupt, o.shard, r.Record, o.state.Record)
	}
	// The last batch of a shard that left may be durable without the shard knowing. Readers have to see what it tells
	// before anything that follows from it, in other shards.
	o.feed.committed(o.shard, &o.state)
	return nil
}

// marked remembers roots whose mark names the rules in force, so that the store is not asked again. It is bounded: a
// root that it has forgotten costs a read, and a mark that was there.
type marked struct{ roots map[graph.NodeKey]struct{} }

// markedMost is how many roots are remembered: some 300 KiB.
const markedMost = 4096

// has reports whether a root is remembered. That it is not says nothing.
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
