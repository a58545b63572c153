package shard_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// An event is in the timeline at every moment: while it is in the log alone, while the batch with its block is on its way to
// the store, when that is durable, and from then on. With a log of no bytes each step writes the blocks of all its events.
func TestTimelineHoldsEventsUnderWay(t *testing.T) {
	store, rules, buffers := storage.NewMemStore(), graph.DefaultRules(), storage.NewBuffers(1<<20, 0)
	buffers.Poison()
	s, err := shard.Open(shard.Config{Shards: 1, Store: store, Rules: rules, Buffers: buffers, Host: shard.Plain{Rules: rules}})
	if err != nil {
		t.Fatal(err)
	}
	enc, dec := row.NewEncoder(), row.NewDecoder()
	key := oracle.Key("anonymous_id", "a1")
	var want []string
	check := func(when string) {
		t.Helper()
		var got []string
		if err := s.Timeline(key, func(encoded []byte) error {
			e, err := dec.Event(encoded)
			if err == nil {
				got = append(got, string(e.ID))
			}
			return err
		}); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: events %v are in the timeline, want %v", when, got, want)
		}
	}
	for n := range uint64(3) {
		e := &graph.Event{
			ID: fmt.Appendf(nil, "m%d", n), Source: []byte("web"), Seen: n + 1, Type: graph.TypeTrack, Stamp: graph.Stamp{Time: simStart, Tie: n + 1},
			Identifiers: []graph.Identifier{{Key: key, Namespace: "anonymous_id", Value: []byte("a1")}},
		}
		in := shard.Input{Event: e, Body: enc.Event(nil, e, true), Outcome: new(shard.Outcome)}
		if _, err := s.Step([]shard.Input{in}, simStart); err != nil {
			t.Fatal(err)
		}
		want = append(want, string(e.ID))
		check("the batch is on its way")
		if err := store.Commit(s.Batch()); err != nil {
			t.Fatal(err)
		}
		check("the batch is durable")
		s.Committed(simStart)
		check("the step has ended")
	}
}
