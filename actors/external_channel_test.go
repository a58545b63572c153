package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// channelConsumer consumes a channel as ExternalChannel's documentation says, in batches, with up to some of
// them under way at once.
type channelConsumer struct {
	engine    *Engine
	ch        *ExternalChannel
	log       []graph.Event // an event a record
	positions []int64
	last      []int64
}

func (c *channelConsumer) run(ctx context.Context, rng *rand.Rand) error {
	for {
		start, known, err := c.ch.Floor(ctx)
		if err != nil {
			return err
		}
		if known {
			start = rng.Int64N(start + 1) // any record before it will do
		}
		if c.positions, err = c.ch.Positions(ctx); err != nil {
			return err
		}
		c.last = slices.Repeat([]int64{NoNumber}, c.engine.Shards())
		turned, err := c.read(ctx, start, rng)
		if err != nil {
			return err
		}
		if !turned {
			return c.ch.SetFloor(ctx, int64(len(c.log)))
		}
	}
}

// read reads to the end, and reports whether an event came back out of turn, or its shard was not there.
func (c *channelConsumer) read(ctx context.Context, at int64, rng *rand.Rand) (turned bool, err error) {
	var deliveries []*Delivery
	answers := make(chan error, len(c.log))
	for at < int64(len(c.log)) {
		d := &Delivery{}
		for n := 1 + rng.IntN(7); n > 0 && at < int64(len(c.log)); n-- {
			e, number := &c.log[at], RecordNumber(at, 0)
			shard := e.Route().Shard(c.engine.Shards())
			if number > c.positions[shard] {
				d.AddRecord(e, c.ch, max(c.last[shard], c.positions[shard]), number)
			}
			c.last[shard] = number
			at++
		}
		deliveries = append(deliveries, d)
		if err := c.engine.Submit(ctx, d, func(err error) { answers <- err }); err != nil {
			return false, err
		}
	}
	for range deliveries {
		if err := <-answers; err != nil {
			return false, err
		}
	}
	for _, d := range deliveries {
		turned = turned || slices.Contains(d.Outcomes, OutOfTurn) || slices.Contains(d.Outcomes, Elsewhere)
	}
	return turned, nil
}

// TestChannelConsumers lets several consumers deliver one channel at once, and again after a restart:
// every event is taken once, whatever else is remembered of it.
func TestChannelConsumers(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(10) {
		world := oracle.RandomWorld(rand.New(rand.NewPCG(seed, 3)))
		world.Assertions = nil
		log := slices.CompactFunc(slices.SortedFunc(slices.Values(world.Events), func(a, b graph.Event) int { return cmp.Compare(a.Seen, b.Seen) }),
			func(a, b graph.Event) bool { return a.Seen == b.Seen })
		want := oracle.Dump(oracle.Profiles(log, nil, world.Rules))
		store := storage.NewMemStore()
		for round := range 2 {
			e := openEngine(t, store, 4, world.Rules)
			ch, err := e.ExternalChannels().Open(ctx, "events/0/1")
			if err != nil {
				t.Fatal(err)
			}
			if round == 1 { // as if the floor had never been told
				if err := ch.Seek(ctx, 0); err != nil {
					t.Fatal(err)
				}
			}
			var consumers sync.WaitGroup
			for i := range uint64(3) {
				consumers.Go(func() {
					c := &channelConsumer{engine: e, ch: ch, log: slices.Clone(log)}
					if err := c.run(ctx, rand.New(rand.NewPCG(seed, i))); err != nil {
						t.Error(err)
					}
				})
			}
			consumers.Wait()
			if err := e.Settle(ctx); err != nil {
				t.Fatal(err)
			}
			if got := dump(t, e); got != want {
				t.Fatalf("seed %d, round %d:\n%s", seed, round, oracle.Diff(want, got))
			}
			stats, err := e.Stats(ctx)
			if err != nil {
				t.Fatal(err)
			}
			// Taken again after Seek, they are duplicates; taken by several consumers, they are not even that.
			if stats.Accepted != uint64(len(log)) || stats.Duplicates != uint64(round*len(log)) {
				t.Fatalf("seed %d, round %d: %d events accepted and %d duplicates, of %d", seed, round, stats.Accepted, stats.Duplicates, len(log))
			}
			if err := e.Close(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func channelNames(e *Engine) (names []string) {
	for _, ch := range e.ExternalChannels().All() {
		names = append(names, ch.Name())
	}
	return names
}

// TestChannelsSurvive: names, floors and positions are there after a restart, and can be dropped.
func TestChannelsSurvive(t *testing.T) {
	ctx := context.Background()
	store := storage.NewMemStore()
	rules := graph.DefaultRules()
	event := func(value string) *graph.Event {
		return &graph.Event{
			ID: []byte(value), Seen: uint64(len(value)), Type: graph.TypeTrack,
			Identifiers: []graph.Identifier{{Key: oracle.Key("anonymous_id", value), Namespace: "anonymous_id", Value: []byte(value)}},
		}
	}
	deliver := func(e *Engine, ch *ExternalChannel, ev *graph.Event, prev, number int64) shard.Outcome {
		d := &Delivery{}
		d.AddRecord(ev, ch, prev, number)
		if err := e.submitAndWait(ctx, d); err != nil {
			t.Fatal(err)
		}
		return d.Outcomes[0]
	}
	channel := func(e *Engine, name string) *ExternalChannel {
		ch, err := e.ExternalChannels().Open(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return ch
	}
	floor := func(ch *ExternalChannel) int64 {
		offset, ok, err := ch.Floor(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return NoNumber
		}
		return offset
	}

	e := openEngine(t, store, 2, rules)
	a, b := channel(e, "a/0/1"), channel(e, "b/0/1")
	if again := channel(e, "a/0/1"); again != a {
		t.Error("the same name gave another channel")
	}
	x := event("x")
	home := x.Route().Shard(2)
	number := RecordNumber(7, 2)
	for _, c := range []struct {
		ch           *ExternalChannel
		prev, number int64
		want         shard.Outcome
	}{
		{a, 0, number, OutOfTurn},
		{a, NoNumber, number, Accepted},
		{a, NoNumber, number, OutOfTurn},
		{a, number, number, OutOfTurn},
		{b, NoNumber, 0, Duplicate}, // which moves the position
		{b, NoNumber, 0, OutOfTurn},
	} {
		if got := deliver(e, c.ch, x, c.prev, c.number); got != c.want {
			t.Errorf("%s: %d after %d: outcome %d, want %d", c.ch.Name(), c.number, c.prev, got, c.want)
		}
	}
	if floor(a) != NoNumber {
		t.Errorf("a new channel has the floor %d", floor(a))
	}
	for _, offset := range []int64{5, 3} {
		if err := a.SetFloor(ctx, offset); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}

	e = openEngine(t, store.Reopen(), 2, rules)
	if got := channelNames(e); !slices.Equal(got, []string{"a/0/1", "b/0/1"}) {
		t.Errorf("channels %q after a restart", got)
	}
	a, b = channel(e, "a/0/1"), channel(e, "b/0/1")
	want := slices.Repeat([]int64{NoNumber}, 2)
	want[home] = number
	if got, err := a.Positions(ctx); err != nil || !slices.Equal(got, want) {
		t.Errorf("positions %d (%v), want %d", got, err, want)
	}
	if floor(a) != 5 {
		t.Errorf("floor %d, want the higher one that was told, 5", floor(a))
	}
	if err := a.Seek(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if got := deliver(e, a, x, RecordNumber(3, 0)-1, RecordNumber(4, 0)); floor(a) != 3 || got != Duplicate {
		t.Errorf("after seek: floor %d, outcome %d; want 3, and a duplicate", floor(a), got)
	}
	if err := a.Drop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.SetFloor(ctx, 9); err == nil {
		t.Error("a channel that was dropped took a floor")
	}
	anew := channel(e, "c/0/1")
	if got, err := anew.Positions(ctx); err != nil || got[home] != NoNumber {
		t.Errorf("a new channel has the positions %d (%v)", got, err)
	}
	if got, err := b.Position(ctx, home); err != nil || got != 0 {
		t.Errorf("position %d (%v) in the other channel, want 0", got, err)
	}
}

// TestChannelDropped: nothing is taken of a channel that was dropped, now or after a restart, however late a consumer is; its id is not used
// again, and a channel of the same name starts over.
func TestChannelDropped(t *testing.T) {
	ctx := context.Background()
	store, rules := storage.NewMemStore(), graph.DefaultRules()
	e := openEngine(t, store, 2, rules)
	deliver := func(ch *ExternalChannel, n int, prev, number int64) shard.Outcome {
		t.Helper()
		d := &Delivery{}
		d.AddRecord(pageView(n), ch, prev, number)
		if err := e.submitAndWait(ctx, d); err != nil {
			t.Fatal(err)
		}
		return d.Outcomes[0]
	}
	open := func(name string) *ExternalChannel {
		t.Helper()
		ch, err := e.ExternalChannels().Open(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return ch
	}
	ids := map[row.ChannelID]bool{}
	anew := func(name string) *ExternalChannel {
		t.Helper()
		ch := open(name)
		if ids[ch.id] {
			t.Errorf("id %d of %s was given out before", ch.id, name)
		}
		ids[ch.id] = true
		return ch
	}
	refused := func(late *ExternalChannel) {
		t.Helper()
		for _, prev := range []int64{NoNumber, 5, 6} {
			if got := deliver(late, 2, prev, 7); got != OutOfTurn {
				t.Errorf("an event of a dropped channel after %d has outcome %d, want that it is out of turn", prev, got)
			}
		}
		if _, err := late.Positions(ctx); err == nil {
			t.Error("a dropped channel has positions")
		}
		if _, _, err := late.Floor(ctx); err == nil {
			t.Error("a dropped channel has a floor")
		}
		if late.SetFloor(ctx, 9) == nil || late.Seek(ctx, 9) == nil || late.Drop(ctx) == nil {
			t.Error("a dropped channel took a floor, went elsewhere or was dropped again")
		}
	}
	late := anew("a/0/1")
	if got := deliver(late, 1, NoNumber, 5); got != Accepted {
		t.Fatalf("outcome %d", got)
	}
	if err := late.Drop(ctx); err != nil {
		t.Fatal(err)
	}
	refused(late)
	second := anew("a/0/1")
	refused(late)
	if got := deliver(second, 2, NoNumber, 5); got != Accepted {
		t.Errorf("a channel of the same name: outcome %d", got)
	}
	if err := second.Drop(ctx); err != nil { // it has the highest id, and a restart must not forget that
		t.Fatal(err)
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}

	e = openEngine(t, store.Reopen(), 2, rules)
	if got := channelNames(e); len(got) > 0 {
		t.Errorf("channels %q after a restart", got)
	}
	stale := func(ch *ExternalChannel) *ExternalChannel { return &ExternalChannel{e, ch.id, ch.name} } // of a consumer in another process
	refused(stale(late))
	refused(stale(second))
	third := anew("a/0/1")
	refused(stale(second))
	if got, err := third.Positions(ctx); err != nil || !slices.Equal(got, []int64{NoNumber, NoNumber}) {
		t.Errorf("a channel of the same name has the positions %d (%v)", got, err)
	}
	if err := e.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for id := range graph.ShardID(2) {
		positions, err := row.ReadPositions(e.store, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			t.Fatal(err)
		}
		for _, p := range positions.Positions {
			if p.Channel != third.id {
				t.Errorf("shard %d keeps its position in channel %d, which was dropped", id, p.Channel)
			}
		}
	}
}

func TestChannelBounds(t *testing.T) {
	ctx := context.Background()
	e := openEngine(t, storage.NewMemStore(), 1, graph.DefaultRules())
	for _, name := range []string{"", strings.Repeat("x", maxChannelName+1)} {
		if _, err := e.ExternalChannels().Open(ctx, name); err == nil {
			t.Errorf("a name of %d bytes was taken", len(name))
		}
	}
	var ch *ExternalChannel
	for i := range shard.MaxChannels {
		var err error
		if ch, err = e.ExternalChannels().Open(ctx, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.ExternalChannels().Open(ctx, "one more"); !errors.Is(err, errTooManyChannels) {
		t.Errorf("beside %d channels: %v", shard.MaxChannels, err)
	}
	for _, offset := range []int64{-1, MaxOffset + 1} {
		if ch.SetFloor(ctx, offset) == nil || ch.Seek(ctx, offset) == nil {
			t.Errorf("offset %d was taken", offset)
		}
	}
	if err := ch.Drop(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ExternalChannels().Open(ctx, "one more"); err != nil {
		t.Errorf("in the place of a dropped one: %v", err)
	}
	if err := e.ExternalChannels().byName["0"].Drop(ctx); err != nil {
		t.Fatal(err)
	}
	e.ExternalChannels().last = math.MaxUint16
	if _, err := e.ExternalChannels().Open(ctx, "after all ids"); !errors.Is(err, errTooManyChannels) {
		t.Errorf("with no id left: %v", err)
	}
}
