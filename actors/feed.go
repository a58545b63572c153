package actors

import (
	"context"
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

// ErrFeedOff is returned where a deployment has no change feed.
var ErrFeedOff = errors.New("this deployment keeps no change feed: turn it on with serve --feed")

// FeedSettings bound how much of the change feed is kept. What a sink has not acknowledged is kept
// beyond that.
type FeedSettings struct {
	// On turns the feed on for a deployment that has none yet. Once on, it stays on: no later command can
	// change anything that its readers miss.
	On    bool
	Age   time.Duration // 0 is DefaultFeedAge
	Bytes int64         // over all shards; 0 is DefaultFeedBytes
}

// Defaults of FeedSettings.
const (
	DefaultFeedAge   = 24 * time.Hour
	DefaultFeedBytes = 1 << 30
)

// changeFeed is the change feed of an engine: what the shards write, and how far.
type changeFeed struct {
	shared   feedOutput
	store    storage.Store
	settings FeedSettings
	since    int64
	sweeping atomic.Bool // some identities were told under other rules, or not at all
	ends     []atomic.Uint64

	mu    sync.Mutex    // guards the following
	moved chan struct{} // closed when an end moves, and made anew when somebody waits

	keeping sync.Mutex // guards the following, and is held while they are written
	sinks   map[string][]uint64
	trims   []row.FeedTrim
}

// output is what shards are given; nil without a feed.
func (f *changeFeed) output() *feedOutput {
	if f == nil {
		return nil
	}
	return &f.shared
}

// openFeed reads the feed's state, and turns it on where settings say so. It returns nil for a
// deployment without one.
func openFeed(store storage.Store, shards int, rules *graph.Rules, settings FeedSettings, now int64) (*changeFeed, error) {
	stored, found, err := readFeedSettings(store)
	if err != nil {
		return nil, err
	}
	if !found && !settings.On {
		return nil, nil
	}
	if settings.Age == 0 {
		settings.Age = DefaultFeedAge
	}
	if settings.Bytes == 0 {
		settings.Bytes = DefaultFeedBytes
	}
	f := &changeFeed{
		store: store, settings: settings, ends: make([]atomic.Uint64, shards),
		sinks: map[string][]uint64{}, trims: make([]row.FeedTrim, shards),
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
	return f, f.readSinks()
}

func readFeedSettings(store storage.Store) (stored row.FeedSettings, found bool, err error) {
	value, err := store.Get(nil, row.AppendFeedSettingsKey(nil))
	if errors.Is(err, storage.ErrNotFound) {
		return stored, false, nil
	}
	if err == nil {
		stored, err = row.NewDecoder().FeedSettings(value)
	}
	if err != nil {
		return stored, false, fmt.Errorf("settings of the change feed: %w", err)
	}
	return stored, true, nil
}

// lastRules are those that the feed's deployment was last used with; nil where there is no feed.
func lastRules(store storage.Store) (*graph.Rules, error) {
	stored, found, err := readFeedSettings(store)
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

// isEmpty tells whether nothing was ever ingested.
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
func (f *changeFeed) tellUnder(stored *row.FeedSettings, rules *graph.Rules) error {
	if stored.InForce != rules.Version || len(stored.Rules) == 0 {
		stored.InForce = rules.Version
		if !slices.ContainsFunc(stored.Rules, func(r graph.Rules) bool { return r.Version == rules.Version }) {
			stored.Rules = append(stored.Rules, *rules)
		}
		if err := f.writeSettings(stored); err != nil {
			return err
		}
	}
	f.shared.sweeping = !stored.First || len(stored.Rules) > 1
	f.sweeping.Store(f.shared.sweeping)
	f.shared.byVersion = make(map[uint64]*graph.Rules)
	for i := range stored.Rules {
		f.shared.byVersion[stored.Rules[i].Version] = &stored.Rules[i]
	}
	if stored.First {
		f.shared.first = &stored.Rules[0]
	}
	return nil
}

func (f *changeFeed) writeSettings(stored *row.FeedSettings) error {
	var batch storage.Batch
	batch.Set(row.AppendFeedSettingsKey(nil), row.NewEncoder().FeedSettings(nil, stored))
	return f.store.Commit(&batch)
}

// readStates finds the ends and beginnings of the shards' feeds.
func (f *changeFeed) readStates() error {
	dec := row.NewDecoder()
	for shard := range f.ends {
		id := graph.ShardID(shard)
		value, err := f.store.Get(nil, row.AppendFeedStateKey(nil, id))
		switch {
		case errors.Is(err, storage.ErrNotFound):
			continue // so nothing was trimmed either
		case err != nil:
			return err
		}
		state, err := dec.FeedState(value)
		if err != nil {
			return fmt.Errorf("feed state of shard %d: %w", id, err)
		}
		f.ends[shard].Store(state.Number)
		f.shared.order.Store(max(f.shared.order.Load(), state.Order))
		if f.trims[shard], err = readFeedTrim(f.store, dec, id); err != nil {
			return err
		}
	}
	return nil
}

// committed notes that a shard's feed is durable up to a number, and wakes who waits for that.
func (f *changeFeed) committed(shard graph.ShardID, number uint64) {
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
func (f *changeFeed) wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.moved == nil {
		f.moved = make(chan struct{})
	}
	return f.moved
}

// FeedOn tells whether the deployment keeps a change feed, and since when, ms since 1970.
func (e *Engine) FeedOn() (since int64, on bool) {
	if e.feed == nil {
		return 0, false
	}
	return e.feed.since, true
}

// FeedBehind tells whether identities are still to be told of: the feed was turned on over what was
// there, or the rules have changed. Recheck tells them.
func (e *Engine) FeedBehind() bool { return e.feed != nil && e.feed.sweeping.Load() }

// endFeedSweep notes that all identities are told under the rules in force.
//
// REQUIRES: every root was touched since the engine was opened, and nothing is under way that was sent before
func (e *Engine) endFeedSweep(ctx context.Context) error {
	if !e.FeedBehind() {
		return nil
	}
	for id := range e.runners {
		err := e.ask(ctx, graph.ShardID(id), func(s *Shard) error {
			s.feed.sweeping = false
			return nil
		})
		if err != nil {
			return err
		}
	}
	return e.feed.endSweep(e.rules)
}

// endSweep notes that all is told under these rules. A mark that is written hereafter, by a commit in
// flight, names the same ones.
func (f *changeFeed) endSweep(rules *graph.Rules) error {
	var batch storage.Batch
	stored := row.FeedSettings{Since: f.since, First: true, Rules: []graph.Rules{*rules}, InForce: rules.Version}
	batch.Set(row.AppendFeedSettingsKey(nil), row.NewEncoder().FeedSettings(nil, &stored))
	batch.DeleteRange(row.AppendFeedMarksLower(nil), row.AppendFeedMarksUpper(nil))
	if err := f.store.Commit(&batch); err != nil {
		return err
	}
	f.sweeping.Store(false)
	return nil
}
