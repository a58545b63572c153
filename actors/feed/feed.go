package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrOff is returned where a deployment has no change feed.
var ErrOff = errors.New("this deployment keeps no change feed: turn it on with serve --feed")

// Settings bound how much of the change feed is kept. Entries that a receiver has not acknowledged are kept beyond
// these bounds.
type Settings struct {
	// On turns the feed on for a deployment that has none yet. Once on, it stays on: no later command can
	// change anything that its readers miss.
	On    bool
	Age   time.Duration // 0 is DefaultAge
	Bytes int64         // over all shards; 0 is DefaultBytes
	Order *Clock        // of all processes; nil is one of this feed alone
	// Others are the processes that shards come from and go to; nil where all shards stay here.
	Others Others
}

// Defaults of Settings.
const (
	DefaultAge   = 24 * time.Hour
	DefaultBytes = 1 << 30
)

// Feed is the change feed of a process: how far its shards have written it, and which receivers it is kept for. A nil
// Feed stands for a deployment without one.
//
// Every shard has an observer, which writes the shard's part of the feed in the batch of each commit; readers read the
// rows of all shards and bring them into one causal order. Age and size bound what is kept, except for entries
// that a receiver has not acknowledged.
//
//	observer, as a step closes ──order, batch──► commit ──► Committed: ends ──► grew wakes readers
//	Trim decides: trims, due ──► Tidy deletes, in a batch of its shard ──► Committed: due is nil again
//
// Invariants:
//   - Orders are unique. A block takes its order as its step closes: later than every block that the step follows
//     from, because a shard handles a message only after its sender's commit. A step that is undone leaves a gap.
//   - An end moves only once its block is durable, and before anything that follows from the block leaves the shard.
//     Both together are what Reader.TryNext rests on.
//   - No block that a shard writes has an order up to that of its last durable state, in whichever process. That is what
//     readers rest on where shards are with several processes (shared.go).
//   - trims is ahead of the rows: it says what is decided. A receiver that registers begins after it, so that it never
//     waits for an entry that is about to go. Where shards are with several processes, floors say it (floor.go).
//
// The obvious design, one feed with one number for all shards, needs a lock or a log that each commit of each shard
// takes in turn. Orders come from a counter in memory instead, and only readers pay for the merge.
type Feed struct {
	store     storage.Store
	catalog   *catalog.Catalog
	since     int64
	told      toldRules
	others    Others          // nil: all shards are here
	sweeping  atomic.Bool     // some identities were told under other rules, or not at all
	order     *Clock          // that of the last block that any shard prepared, or a higher one
	ends      []atomic.Uint64 // by shard: the number of the last entry that is durable
	promises  []atomic.Uint64 // by shard: the order of its last durable state; an end moves before it
	observers []*observer     // by shard

	mu   sync.Mutex    // guards the following
	grew chan struct{} // closed when an end moves, and replaced when a reader waits

	// due is, by shard, what the shard's observer is to delete up to; nil where it has.
	// Trim may replace it while a step deletes up to the former one: a shard clears only what it has read.
	due []atomic.Pointer[row.FeedTrim]

	keeping  sync.Mutex // guards the following, and is held while receivers are registered
	settings Settings
	trims    []row.FeedTrim // by shard: up to where entries are deleted, or will be soon
}

// toldRules are the rules under which identities were told, while some were told under others than those in force.
type toldRules struct {
	inForce   *graph.Rules
	first     *graph.Rules            // of roots without a mark; nil: these were not told at all
	byVersion map[uint64]*graph.Rules // of those with one
}

// Prepare notes, in a change of the catalog, that from now on identities are told under rules, before any is, and turns
// the feed on where settings say so. Of a deployment without a feed it notes nothing.
func Prepare(change *catalog.Change, rules *graph.Rules, settings Settings, now int64) error {
	stored, found, err := readSettings(change)
	switch {
	case err != nil:
		return err
	case !found && !settings.On:
		return nil
	case !found:
		empty, err := isEmpty(change)
		if err != nil {
			return err
		}
		stored = row.FeedSettings{Since: now, First: empty}
	case stored.InForce == rules.Version && len(stored.Rules) > 0:
		return nil
	}
	stored.InForce = rules.Version
	if !slices.ContainsFunc(stored.Rules, func(r graph.Rules) bool { return r.Version == rules.Version }) {
		stored.Rules = append(stored.Rules, *rules)
	}
	stored.Put(change.Batch())
	return nil
}

// Open reads the feed's state. It returns nil for a deployment without one.
//
// REQUIRES: Prepare was the last change of the feed's settings, with these rules
func Open(store storage.Store, rows *catalog.Catalog, shards int, rules *graph.Rules, settings Settings) (*Feed, error) {
	stored, found, err := readSettings(rows.Reader())
	if err != nil || !found {
		return nil, err
	}
	f := &Feed{
		store: store, catalog: rows, order: cmp.Or(settings.Order, new(Clock)), since: stored.Since, ends: make([]atomic.Uint64, shards), promises: make([]atomic.Uint64, shards),
		observers: make([]*observer, shards), trims: make([]row.FeedTrim, shards),
		due: make([]atomic.Pointer[row.FeedTrim], shards), others: settings.Others,
	}
	f.Bound(settings)
	if err := f.tellUnder(&stored, rules); err != nil {
		return nil, err
	}
	if err := f.readStates(); err != nil {
		return nil, err
	}
	return f, f.eachReceiver(func(row.FeedSink) {})
}

// Bound replaces the bounds of what is kept. A feed stays on, whatever Settings.On says.
func (f *Feed) Bound(settings Settings) {
	settings.Age = cmp.Or(settings.Age, DefaultAge)
	settings.Bytes = cmp.Or(settings.Bytes, DefaultBytes)
	f.keeping.Lock()
	defer f.keeping.Unlock()
	f.settings = settings
}

func readSettings(store storage.Reader) (stored row.FeedSettings, found bool, err error) {
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
func LastRules(store storage.Reader) (*graph.Rules, error) {
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

// isEmpty reports whether nothing was ever ingested: an event is in a log until rows of nodes hold what it said.
func isEmpty(store storage.Reader) (bool, error) {
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

// tellUnder has identities told under the rules in force.
func (f *Feed) tellUnder(stored *row.FeedSettings, rules *graph.Rules) error {
	if stored.InForce != rules.Version {
		return fmt.Errorf("the change feed tells under rules %016x, and %q with version %016x are in force: they were not prepared",
			stored.InForce, rules.Name, rules.Version)
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

// readStates finds the ends and beginnings of the shards' feeds, and goes on after the highest order that is stored. A
// higher one that a crash undid may be given out again: no reader can have seen it.
func (f *Feed) readStates() error {
	for shard := range f.ends {
		id := graph.ShardID(shard)
		state, err := row.ReadFeedState(f.store, id)
		if err != nil {
			return err
		}
		f.committed(id, &state)
		f.order.Raise(state.Order)
		if f.trims[shard], err = row.ReadFeedTrim(f.store, id); err != nil {
			return err
		}
	}
	return nil
}

// committed notes that a shard's feed is durable up to a state, and wakes readers that wait for it. A commit without
// entries takes no lock.
func (f *Feed) committed(shard graph.ShardID, state *row.FeedState) {
	grew := f.ends[shard].Swap(state.Number) != state.Number
	f.promises[shard].Store(state.Order)
	if !grew {
		return
	}
	f.mu.Lock()
	if f.grew != nil {
		close(f.grew)
		f.grew = nil
	}
	f.mu.Unlock()
}

// wait returns a channel that is closed when the feed grows. A reader takes it before it looks, or it would miss an end
// that moves between its look and its wait.
func (f *Feed) wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.grew == nil {
		f.grew = make(chan struct{})
	}
	return f.grew
}

// Since reports whether there is a feed, and since when, ms since 1970.
func (f *Feed) Since() (since int64, on bool) {
	if f == nil {
		return 0, false
	}
	return f.since, true
}

// Sweeping reports whether identities are still to be told of: the feed was turned on over what was there, or the rules
// have changed. Engine.Recheck tells them.
func (f *Feed) Sweeping() bool { return f != nil && f.sweeping.Load() }

// Swept notes that a shard has told all of its identities under the rules in force. It is called on the shard's
// goroutine.
func (f *Feed) Swept(id graph.ShardID) { f.observers[id].swept() }

// EndSweep notes, durably, that all identities are told under the rules in force. A mark that is written hereafter, by
// a commit under way, names the same ones. Marks say no more than that from now on, and each shard deletes its own with
// its next Tidy; those that a crash leaves stay until the next sweep ends, and do no harm.
//
// REQUIRES: every root was touched since the feed was opened, nothing is under way that was sent before, and Swept was
// called for every shard.
func (f *Feed) EndSweep(ctx context.Context) error {
	rules := f.told.inForce
	err := f.catalog.Change(ctx, func(change *catalog.Change) error {
		stored, _, err := readSettings(change)
		if err != nil {
			return err
		}
		if stored.InForce != rules.Version {
			return fmt.Errorf("a sweep under rules %016x ends, and rules %016x are in force by now", rules.Version, stored.InForce)
		}
		stored.First, stored.Rules = true, []graph.Rules{*rules}
		stored.Put(change.Batch())
		return nil
	})
	if err == nil {
		f.sweeping.Store(false)
	}
	return err
}
