package kafka

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A sink that was taken from delivers nothing more, not even what it had begun: in the topic, what it delivered comes before all of the
// next one.
func TestSinkIsTaken(t *testing.T) {
	c := cluster(t, "changes")
	open := func() *Sink {
		s, err := New(Config{Connection: broker.Connection{Brokers: c.ListenAddrs()}, Topic: "changes", TransactionalID: "kindred.test", Source: "/kindred/test"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	entries := func(from, to uint64) (events []feed.Event) {
		for n := from; n <= to; n++ {
			events = append(events, feed.Event{FeedEntry: graph.FeedEntry{Kind: graph.FeedErased, ID: oracle.Key("user_id", "1")}, Number: n})
		}
		return events
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, second := open(), open()
	must(first.Take(ctx))
	must(first.Send(ctx, entries(1, 3)))
	must(first.client.BeginTransaction())
	begun := record("changes", oracle.Key("user_id", "1"), nil, nil)
	must(first.client.ProduceSync(ctx, begun).FirstErr())
	must(second.Take(ctx))
	if err := first.client.EndTransaction(ctx, kgo.TryCommit); err == nil {
		t.Error("what the first had begun counts after the second took over")
	}
	if err := first.Send(ctx, entries(2, 3)); err == nil {
		t.Error("the first delivers after the second took over")
	}
	must(second.Send(ctx, entries(3, 5)))

	reader, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("changes"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	must(err)
	defer reader.Close()
	var got []string
	for len(got) < 6 {
		fetches := reader.PollFetches(ctx)
		must(fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			e := entry(t, r)
			got = append(got, fmt.Sprint(e.Number))
		})
	}
	if want := "[1 2 3 3 4 5]"; fmt.Sprint(got) != want {
		t.Errorf("the topic has %v, want %s", got, want)
	}
}
