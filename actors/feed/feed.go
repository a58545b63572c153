package feed

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrOff is returned where a deployment has no change feed.
var ErrOff = errors.New("this deployment keeps no change feed: turn it on with serve --feed")

// Settings bound how much of the change feed is kept. Entries that a receiver has not acknowledged are kept beyond these
// bounds.
type Settings struct {
	// On turns the feed on for a deployment that has none yet. Once on, it stays on: no later command can
	// change anything that its readers miss.
	On    bool
	Age   time.Duration // 0 is DefaultAge
	Bytes int64         // over all shards; 0 is DefaultBytes
}

// Defaults of Settings.
const (
	DefaultAge   = 24 * time.Hour
	DefaultBytes = 1 << 30
)

// Feed is the change feed of a process: how far its shards have written it, and which receivers it is kept for. A nil Feed
// stands for a deployment without one.
//
// Every shard has an observer, which writes the shard's part of the feed in the batch of each commit; readers read the
// rows of all shards and bring them into one causal order. Age and size bound what is kept, except for entries
// that a receiver has not acknowledged.
type Feed struct {
	store    storage.Store
	settings Settings
	since    int64
	told     toldRules
	sweeping atomic.Bool // some identities were told under other rules, or not at all
	// order is that of the last block that any shard prepared. A shard handles a message only after its sender's
	// commit, so what brought a block about has a lower order.
	order     atomic.Uint64
	ends      []atomic.Uint64 // by shard: the number of the last entry that is durable
	observers []*observer     // by shard

	mu    sync.Mutex    // guards the following
	moved chan struct{} // closed when an end moves, and replaced when a reader waits

	keeping   sync.Mutex          // guards the following, and is held while they are written
	receivers map[string][]uint64 // by name: what each has acknowledged, by shard
	trims     []row.FeedTrim
}

// toldRules are the rules under which identities were told, while some were told under others than those in force.
type toldRules struct {
	inForce   *graph.Rules
	first     *graph.Rules            // of roots without a mark; nil: these were not told at all
	byVersion map[uint64]*graph.Rules // of those with one
}

// Open reads the feed's state, and turns it on where settings say so. It returns nil for a
// deployment without one.
func Open(store storage.Store, shards int, rules *graph.Rules, settings Settings, now int64) (*Feed, error) {
	stored, found, err := readSettings(store)
	if err != nil {
		return nil, err
	}
	if !found && !settings.On {
		return nil, nil
	}
	if settings.Age == 0 {
		settings.Age = DefaultAge
	}
	if settings.Bytes == 0 {
		settings.Bytes = DefaultBytes
	}
	f := &Feed{
		store: store, settings: settings, ends: make([]atomic.Uint64, shards),
		observers: make([]*observer, shards), receivers: map[string][]uint64{}, trims: make([]row.FeedTrim, shards),
	}
	if !found {
		empty, err := isEmpty(store)
		if err != nil {
			return nil, err
		}
		stored = row.FeedSettings{Since: now, First: empty}
	}
	if err := f.tellUnder(&stored, rules); err != nil {
		return nil, err
	}
	f.since = stored.Since
	if err := f.readStates(); err != nil {
		return nil, err
	}
	return f, f.readReceivers()
}

func readSettings(store storage.Store) (stored row.FeedSettings, found bool, err error) {
	stored, err = row.ReadFeedSettings(store)
	if errors.Is(err, storage.ErrNotFound) {
		return stored, false, nil
	}
	if err != nil {
		return stored, false, fmt.Errorf("settings of the change feed: %w", err)
	}
	return stored, true, nil
}

// LastRules are those that the feed's deployment was last used with; nil where there is no feed.
func LastRules(store storage.Store) (*graph.Rules, error) {
	stored, found, err := readSettings(store)
	if err != nil || !found {
		return nil, err
	}
	for i := range stored.Rules {
		if stored.Rules[i].Version == stored.InForce {
			return &stored.Rules[i], nil
		}
	}
	return nil, fmt.Errorf("%w: settings of the change feed: rules %016x are in force and not there", storage.ErrCorrupt, stored.InForce)
}

// isEmpty reports whether nothing was ever ingested.
func isEmpty(store storage.Store) (bool, error) {
	empty := true
	for _, space := range []row.Space{row.SpaceLog, row.SpaceNode} {
		err := store.Iterate(row.AppendSpaceLower(nil, space), row.AppendSpaceUpper(nil, space), func(_, _ []byte) error {
			empty = false
			return storage.ErrStop
		})
		if err != nil {
			return false, err
		}
	}
	return empty, nil
}

// tellUnder notes that from now on identities are told under these rules, before any is.
func (f *Feed) tellUnder(stored *row.FeedSettings, rules *graph.Rules) error {
	if stored.InForce != rules.Version || len(stored.Rules) == 0 {
		stored.InForce = rules.Version
		if !slices.ContainsFunc(stored.Rules, func(r graph.Rules) bool { return r.Version == rules.Version }) {
			stored.Rules = append(stored.Rules, *rules)
		}
		if err := f.writeSettings(stored); err != nil {
			return err
		}
	}
	f.sweeping.Store(!stored.First || len(stored.Rules) > 1)
	f.told = toldRules{inForce: rules, byVersion: make(map[uint64]*graph.Rules)}
	for i := range stored.Rules {
		f.told.byVersion[stored.Rules[i].Version] = &stored.Rules[i]
	}
	if stored.First {
		f.told.first = &stored.Rules[0]
	}
	return nil
}

func (f *Feed) writeSettings(stored *row.FeedSettings) error {
	var batch storage.Batch
	stored.Put(&batch)
	return f.store.Commit(&batch)
}

// readStates finds the ends and beginnings of the shards' feeds.
func (f *Feed) readStates() error {
	for shard := range f.ends {
		id := graph.ShardID(shard)
		state, err := row.ReadFeedState(f.store, id)
		if err != nil {
			return err
		}
		f.ends[shard].Store(state.Number)
		f.order.Store(max(f.order.Load(), state.Order))
		if f.trims[shard], err = row.ReadFeedTrim(f.store, id); err != nil {
			return err
		}
	}
	return nil
}

// committed notes that a shard's feed is durable up to a number, and wakes readers that wait for it.
func (f *Feed) committed(shard graph.ShardID, number uint64) {
	if f.ends[shard].Swap(number) == number {
		return
	}
	f.mu.Lock()
	if f.moved != nil {
		close(f.moved)
		f.moved = nil
	}
	f.mu.Unlock()
}

// wait is closed when the feed grows.
func (f *Feed) wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.moved == nil {
		f.moved = make(chan struct{})
	}
	return f.moved
}

// Since reports whether there is a feed, and since when, ms since 1970.
func (f *Feed) Since() (since int64, on bool) {
	if f == nil {
		return 0, false
	}
	return f.since, true
}

// Behind reports whether identities are still to be told of: the feed was turned on over what was there, or the rules
// have changed. Engine.Recheck tells them.
func (f *Feed) Behind() bool { return f != nil && f.sweeping.Load() }

// Swept notes that a shard has told all of its identities under the rules in force. It is called on the shard's goroutine.
func (f *Feed) Swept(id graph.ShardID) { f.observers[id].sweeping = false }

// EndSweep notes, durably, that all identities are told under the rules in force. A mark that is written hereafter, by a
// commit in flight, names the same ones.
//
// REQUIRES: every root was touched since the feed was opened, nothing is under way that was sent before, and Swept was
// called for every shard.
func (f *Feed) EndSweep() error {
	rules := f.told.inForce
	var batch storage.Batch
	stored := row.FeedSettings{Since: f.since, First: true, Rules: []graph.Rules{*rules}, InForce: rules.Version}
	stored.Put(&batch)
	row.DeleteFeedMarks(&batch)
	if err := f.store.Commit(&batch); err != nil {
		return err
	}
	f.sweeping.Store(false)
	return nil
}
