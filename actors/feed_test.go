package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/egress/replica"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// openFed starts an engine with a change feed, at a time of the test's own.
func openFed(t *testing.T, store storage.Store, shards int, rules *graph.Rules, settings feed.Settings, now *atomic.Int64) *Engine {
	t.Helper()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(context.Background(), Config{
		Store: store, Deployment: row.Deployment{Shards: shards}, Rules: rules, Memory: memory, LogBytes: 64 << 10,
		Feed: settings, Clock: now.Load,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// clockAt is a clock, which an engine may look at whenever it likes.
func clockAt(ms int64) *atomic.Int64 {
	now := new(atomic.Int64)
	now.Store(ms)
	return now
}

// readAll reads what there is.
func readAll(t *testing.T, r *feed.Reader) (all []feed.Event) {
	t.Helper()
	for {
		events, err := r.TryNext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return all
		}
		all = append(all, events...)
	}
}

func reader(t *testing.T, e *Engine, from string) *feed.Reader {
	t.Helper()
	r, err := e.Feed().Reader(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFeedFollows lets a reader follow a feed while events flow, with goroutines and group commit; over
// a restart and a change of rules. In the end it knows exactly the identities that the engine has.
func TestFeedFollows(t *testing.T) {
	seeds := uint64(30)
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 5))
		world := oracle.RandomWorld(rng)
		other := *oracle.RandomWorld(rng).Rules
		store, now := storage.NewMemStore(), clockAt(simStart)
		shards := []int{1, 4, 64}[seed%3]
		var replica replica.Replica
		cursor := feed.Start
		for _, rules := range []*graph.Rules{world.Rules, world.Rules, &other} {
			e := openFed(t, store, shards, rules, feed.Settings{On: true}, now)
			r := reader(t, e, cursor)
			ctx, stop := context.WithCancel(context.Background())
			var following sync.WaitGroup
			following.Go(func() {
				for {
					events, err := r.Next(ctx)
					if err != nil {
						if !errors.Is(err, context.Canceled) {
							t.Error(err)
						}
						return
					}
					for i := range events {
						if err := replica.Check(&events[i].FeedEntry); err != nil {
							t.Error(err)
						}
						replica.Apply(&events[i].FeedEntry)
					}
				}
			})
			ingest(t, e, world, rng)
			if e.Feed().Sweeping() {
				if err := e.Recheck(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			if e.Feed().Sweeping() {
				t.Fatal("the feed still sweeps after all was rechecked")
			}
			want := exported(t, e)
			stop()
			following.Wait()
			for _, ev := range readAll(t, r) {
				replica.Apply(&ev.FeedEntry)
			}
			if got := oracle.Dump(replica.Profiles()); got != want {
				t.Fatalf("seed %d, %d shards:\n%s", seed, shards, oracle.Diff(want, got))
			}
			cursor = r.Cursor()
			if err := e.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// exported dumps what an export would have.
func exported(t *testing.T, e *Engine) string {
	t.Helper()
	var profiles []graph.Profile
	if err := e.Each(context.Background(), func(c *graph.Component) error {
		for _, p := range c.Profiles(e.Rules(), false) {
			profiles = append(profiles, replica.Exported(&p))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(profiles, func(a, b graph.Profile) int { return a.ID.Compare(b.ID) })
	return oracle.Dump(profiles)
}

func pageView(i int) *graph.Event {
	value := fmt.Sprint(i)
	return &graph.Event{
		ID: []byte(value), Seen: uint64(i), Type: graph.TypePage, Stamp: graph.Stamp{Time: simStart},
		Identifiers: []graph.Identifier{{Key: oracle.Key("anonymous_id", value), Namespace: "anonymous_id", Value: []byte(value)}},
	}
}

func submit(t *testing.T, e *Engine, events ...*graph.Event) {
	t.Helper()
	d := &Delivery{}
	for _, ev := range events {
		d.Add(ev)
	}
	if err := e.submitAndWait(context.Background(), d); err != nil {
		t.Fatal(err)
	}
}

// TestFeedRetention: entries beyond age and size are deleted, but nothing that a receiver still needs; a reader that is
// overtaken gets ErrBehind.
func TestFeedRetention(t *testing.T) {
	ctx := context.Background()
	store, now := storage.NewMemStore(), clockAt(simStart)
	e := openFed(t, store, 2, graph.DefaultRules(), feed.Settings{On: true, Age: time.Hour, Bytes: 1 << 20}, now)
	kept := func() int { // blocks
		n := 0
		err := store.Iterate(row.AppendSpaceLower(nil, row.SpaceFeed), row.AppendSpaceUpper(nil, row.SpaceFeed),
			func(_, _ []byte) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	trim := func() {
		t.Helper()
		if err := e.trimmer().trim(ctx); err != nil {
			t.Fatal(err)
		}
	}
	start := reader(t, e, feed.Start)
	for i := range 10 {
		submit(t, e, pageView(i))
	}
	sink, err := e.Feed().Receiver("kafka")
	if err != nil {
		t.Fatal(err)
	}
	trim()
	if kept() != 10 {
		t.Fatalf("%d blocks are kept, want all 10: they are young", kept())
	}
	now.Add(2 * time.Hour.Milliseconds())
	trim()
	if kept() != 10 {
		t.Fatalf("%d blocks are kept, want all 10: the sink has acknowledged none", kept())
	}
	r := readerOf(t, sink)
	if n := len(readAll(t, r)); n != 10 {
		t.Fatalf("the sink reads %d entries, want 10", n)
	}
	if err := sink.Ack(r.Cursor()); err != nil {
		t.Fatal(err)
	}
	trim()
	if kept() != 0 {
		t.Fatalf("%d blocks are kept, want none: they are old, and acknowledged", kept())
	}
	if _, err := start.TryNext(t.Context()); !errors.Is(err, feed.ErrTooLate) {
		t.Errorf("a reader that was overtaken gets %v", err)
	}
	submit(t, e, pageView(10))
	if _, err := start.TryNext(t.Context()); !errors.Is(err, feed.ErrTooLate) {
		t.Errorf("a reader that was overtaken gets %v when there is more", err)
	}
	if _, err := reader(t, e, feed.Start).TryNext(t.Context()); !errors.Is(err, feed.ErrTooLate) {
		t.Errorf("from the start of a feed that lacks it: %v", err)
	}
	if got := readAll(t, readerOf(t, sink)); len(got) != 1 {
		t.Errorf("the sink reads %d entries, want the new one", len(got))
	}

	// Bytes: names make rows large, and the oldest go.
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	e = openFed(t, store, 2, graph.DefaultRules(), feed.Settings{Age: time.Hour, Bytes: 2 * 3000}, now)
	if sink, err = e.Feed().Receiver("kafka"); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		ev := pageView(100 + i)
		ev.Traits = []graph.Trait{{Name: []byte("note"), Value: noise(i, 1000)}}
		submit(t, e, ev)
	}
	last := readerOf(t, sink)
	readAll(t, last)
	if err := sink.Ack(last.Cursor()); err != nil {
		t.Fatal(err)
	}
	trim()
	if n := kept(); n == 0 || n > 8 {
		t.Errorf("%d blocks of 1 kB are kept in 6 kB", n)
	}
	e.Feed().Bound(feed.Settings{Age: time.Hour, Bytes: 1})
	trim()
	if n := kept(); n != 0 {
		t.Errorf("%d blocks are kept once the bound is 1 byte", n)
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}

	// A restart remembers the sink's place, and what was trimmed.
	e = openFed(t, store, 2, graph.DefaultRules(), feed.Settings{}, now)
	if since, on := e.Feed().Since(); !on || since != simStart {
		t.Errorf("feed on %t since %d, want since %d", on, since, simStart)
	}
	if got, err := e.Feed().Receivers(); err != nil || len(got) != 1 || got[0].Name() != "kafka" {
		t.Errorf("receivers %v, %v", got, err)
	}
	if sink, err = e.Feed().Receiver("kafka"); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, readerOf(t, sink)); len(got) != 0 {
		t.Errorf("the sink reads %d entries again", len(got))
	}
	submit(t, e, pageView(11))
	if got := readAll(t, readerOf(t, sink)); len(got) != 1 {
		t.Errorf("the sink reads %d entries, want the new one", len(got))
	}
	if err := e.Feed().Drop("kafka"); err != nil {
		t.Fatal(err)
	}
	if err := e.Feed().Drop("kafka"); err == nil {
		t.Error("a sink was dropped twice")
	}
	if err := sink.Ack(reader(t, e, feed.Now).Cursor()); err == nil {
		t.Error("a sink that was dropped acknowledged")
	}
}

func readerOf(t *testing.T, receiver *feed.Receiver) *feed.Reader {
	t.Helper()
	r, err := receiver.Reader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// noise is JSON text that does not shrink.
func noise(seed, n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(seed), 1))
	text := []byte{'"'}
	for range n {
		text = append(text, 'a'+byte(rng.IntN(26)))
	}
	return append(text, '"')
}

func TestFeedCursors(t *testing.T) {
	now := clockAt(simStart)
	e := openFed(t, storage.NewMemStore(), 4, graph.DefaultRules(), feed.Settings{On: true}, now)
	for i := range 20 {
		submit(t, e, pageView(i))
	}
	whole := reader(t, e, feed.Start)
	events, err := whole.TryNext(t.Context())
	if err != nil || len(events) != 20 {
		t.Fatalf("%d events (%v)", len(events), err)
	}
	for n := range len(events) + 1 {
		rest := readAll(t, reader(t, e, whole.CursorAfter(events, n)))
		if len(rest) != len(events)-n {
			t.Fatalf("after %d of %d events there are %d", n, len(events), len(rest))
		}
		for i := range rest {
			if rest[i].Shard != events[n+i].Shard || rest[i].Number != events[n+i].Number {
				t.Fatalf("after %d events, event %d is %d-%d, want %d-%d", n, i, rest[i].Shard, rest[i].Number, events[n+i].Shard, events[n+i].Number)
			}
		}
	}
	if got := readAll(t, reader(t, e, feed.Now)); len(got) != 0 {
		t.Errorf("from now on there are %d events already", len(got))
	}
	for _, bad := range []string{"", "x", "1.", "1.AAAA", "1.AAAAAAA", "2.AAAAAA", "1.//", "1.gICAgIAgAAAA" /* ahead of the feed */} {
		if _, err := e.Feed().Reader(t.Context(), bad); !errors.Is(err, feed.ErrCursor) {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

func TestFeedOff(t *testing.T) {
	e := openEngine(t, storage.NewMemStore(), 1, graph.DefaultRules())
	if _, err := e.Feed().Reader(t.Context(), feed.Start); !errors.Is(err, feed.ErrOff) {
		t.Errorf("reader: %v", err)
	}
	if _, err := e.Feed().Receiver("x"); !errors.Is(err, feed.ErrOff) {
		t.Errorf("sink: %v", err)
	}
	if _, on := e.Feed().Since(); on {
		t.Error("the feed is on")
	}
}

// TestFeedOfLargeComponents: a component of several parts, by its members or by the traits of one of
// them, moves to another root: what readers know in the end is what there is.
func TestFeedOfLargeComponents(t *testing.T) {
	rules := graph.DefaultRules()
	rules.Limits = []graph.Limit{{Namespace: "user_id", Max: 1}}
	rules.GenericNeighbours = 0
	for shards := 1; shards <= 4; shards += 3 {
		now := clockAt(simStart)
		e := openFed(t, storage.NewMemStore(), shards, rules, feed.Settings{On: true}, now)
		id := func(namespace, value string) graph.Identifier {
			return graph.Identifier{Key: oracle.Key(namespace, value), Namespace: namespace, Value: []byte(value)}
		}
		n := uint64(0)
		event := func(ids ...graph.Identifier) *graph.Event {
			n++
			slices.SortFunc(ids, func(a, b graph.Identifier) int { return b.Key.Compare(a.Key) })
			return &graph.Event{
				ID: fmt.Append(nil, n), Seen: n, Type: graph.TypePage, Stamp: graph.Stamp{Time: simStart + int64(n), Tie: n}, Identifiers: ids,
			}
		}
		for i := range 500 {
			cookie := fmt.Sprint(i, "-", string(noise(i, 300)))
			submit(t, e, event(id("anonymous_id", cookie)), event(id("anonymous_id", cookie), id("device_id", "tablet")))
		}
		rich := event(id("anonymous_id", "rich"))
		for i := range 300 {
			rich.Traits = append(rich.Traits, graph.Trait{Name: fmt.Appendf(nil, "t%d", i), Value: noise(i, 1500)})
		}
		submit(t, e, rich)
		if err := e.Settle(context.Background()); err != nil {
			t.Fatal(err)
		}
		submit(t, e, event(id("user_id", "ann"), id("device_id", "tablet")), event(id("user_id", "bob"), id("anonymous_id", "rich")))
		if err := e.Settle(context.Background()); err != nil {
			t.Fatal(err)
		}
		submit(t, e, event(id("user_id", "cy"), id("anonymous_id", "rich"), id("device_id", "tablet")))
		if err := e.Settle(context.Background()); err != nil {
			t.Fatal(err)
		}
		var replica replica.Replica
		for _, ev := range readAll(t, reader(t, e, feed.Start)) {
			replica.Apply(&ev.FeedEntry)
		}
		want := exported(t, e)
		if got := oracle.Dump(replica.Profiles()); got != want {
			t.Errorf("%d shards: a replay of the feed is not the export: %d bytes of differences", shards, len(oracle.Diff(want, got)))
		}
	}
}
