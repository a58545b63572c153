package actors

import (
	"log/slog"
	"math/bits"
	"sync/atomic"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// news is the Observer that tells the process, once a step is durable, what its owner and operators want to know: merges
// of identities, and links that a component at its cap left out.
type news struct {
	to      *bulletin
	merges  []graph.Merge
	leftOut uint64
}

// Recover implements shard.Observer.
func (n *news) Recover(*shard.Recovery) error {
	n.merges, n.leftOut = nil, 0
	return nil
}

// Before implements shard.Observer.
func (*news) Before(*shard.Visit) error { return nil }

// After implements shard.Observer.
func (n *news) After(v *shard.Visit) { n.leftOut += uint64(v.Out.LeftOut) }

// Changed implements shard.Observer.
func (n *news) Changed(d *graph.Diff) {
	if n.to.onMerge == nil && n.to.watcher.Load() == nil {
		return
	}
	for i := range d.Merges {
		if len(d.Merges[i].From) > 0 {
			n.merges = append(n.merges, d.Merges[i])
		}
	}
}

// Close implements shard.Observer.
func (*news) Close(*shard.Closing) {}

// Committed implements shard.Observer.
func (n *news) Committed() {
	if n.leftOut > 0 {
		n.to.linksLeftOut(n.leftOut)
	}
	if len(n.merges) > 0 {
		n.to.tellMerges(n.merges)
	}
	n.merges, n.leftOut = nil, 0
}

// bulletin is where the shards of a process tell their news.
type bulletin struct {
	logger  *slog.Logger
	onMerge func([]graph.Merge) // nil: nobody wants to know
	watcher atomic.Pointer[func([]graph.Merge)]
	leftOut atomic.Uint64 // links that components at a cap left out since the start
}

// linksLeftOut counts links that components at a cap left out, and logs the count whenever it has passed a power of two:
// this is the one place where the order of events matters (I1), so operators have to know.
func (b *bulletin) linksLeftOut(more uint64) {
	if n := b.leftOut.Add(more); bits.Len64(n) > bits.Len64(n-more) {
		b.logger.Warn("a component is at caps.hosted or caps.links and leaves new links out: the identities there depend on the order of events; "+
			"look for a value that connects people it should not, or raise the cap", "links_left_out", n)
	}
}

// tellMerges passes on the merges of a step that is durable.
func (b *bulletin) tellMerges(merges []graph.Merge) {
	if b.onMerge != nil {
		b.onMerge(merges)
	}
	if watcher := b.watcher.Load(); watcher != nil {
		(*watcher)(merges)
	}
}

// WatchMerges calls watcher with the merges of each step once they are durable, beside Config.Merged and under its terms,
// until it is called again: with nil, nobody watches. While nobody does, a merge costs one atomic load.
func (e *Engine) WatchMerges(watcher func([]graph.Merge)) {
	if watcher == nil {
		e.bulletin.watcher.Store(nil)
		return
	}
	e.bulletin.watcher.Store(&watcher)
}
