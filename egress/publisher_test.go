package egress

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/prometheus/client_golang/prometheus"
)

// brokenSink refuses entries until it is repaired.
type brokenSink struct {
	mended atomic.Bool
	taken  atomic.Int64
}

func (s *brokenSink) Send(_ context.Context, events []feed.Event) error {
	if !s.mended.Load() {
		return errors.New("the broker is down")
	}
	s.taken.Add(int64(len(events)))
	return nil
}

func (s *brokenSink) Close() error { return nil }

// gather reads a publisher's metrics by name.
func gather(t *testing.T, p *Publisher) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(p.Metrics())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		values[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return values
}

// A failing delivery shows in the metrics, with the entries that wait; afterwards none waits, and none was skipped. A
// publisher that can't continue reports it.
func TestPublisherStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		memory, err := storage.SplitMemory(storage.MinMemory)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := actors.Open(ctx, actors.Config{
			Store: storage.NewMemStore(), Deployment: row.Deployment{Shards: 2}, Rules: graph.DefaultRules(),
			Memory: memory, Feed: feed.Settings{On: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		submitted := 0
		submit := func() {
			submitted++
			name := strconv.Itoa(submitted)
			e := &graph.Event{
				ID: []byte(name), Seen: uint64(submitted), Stamp: graph.Stamp{Time: int64(submitted)}, Type: graph.TypePage,
				Identifiers: []graph.Identifier{{Namespace: "user_id", Value: []byte(name), Key: oracle.Key("user_id", name)}},
			}
			d := &actors.Delivery{}
			d.Add(e)
			answered := make(chan error, 1)
			if err := engine.Submit(ctx, d, func(err error) { answered <- err }); err != nil {
				t.Fatal(err)
			}
			if err := <-answered; err != nil {
				t.Fatal(err)
			}
		}

		sink := &brokenSink{}
		p := &Publisher{Engine: engine, Sink: sink, Name: "test", Logger: slog.New(slog.DiscardHandler)}
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		submit()
		submit()
		synctest.Wait()
		got := gather(t, p)
		waiting := got["kindred_publish_behind_entries"]
		if got["kindred_publish_up"] != 0 || waiting < 2 || got["kindred_publish_failed_attempts"] != 1 || got["kindred_publish_entries_total"] != 0 {
			t.Errorf("while the sink refuses: %v", got)
		}
		if _, known := got["kindred_publish_last_delivery_timestamp_seconds"]; known {
			t.Error("a last delivery is told before there was any")
		}

		sink.mended.Store(true)
		waitUntil(t, func() bool { return p.Status(ctx).Behind == 0 })
		got = gather(t, p)
		if got["kindred_publish_up"] != 1 || got["kindred_publish_failed_attempts"] != 0 || got["kindred_publish_entries_total"] != waiting || float64(sink.taken.Load()) != waiting {
			t.Errorf("after the sink took %d entries: %v, want %v", sink.taken.Load(), got, waiting)
		}
		if got["kindred_publish_last_delivery_timestamp_seconds"] == 0 {
			t.Error("no last delivery is told")
		}

		if err := engine.Feed().Drop("test"); err != nil {
			t.Fatal(err)
		}
		submit()
		if err := <-ended; err == nil {
			t.Error("a publisher whose receiver was dropped goes on")
		}
		if s := p.Status(ctx); !s.Stopped || s.Err == nil || gather(t, p)["kindred_publish_up"] != 0 {
			t.Errorf("after the receiver was dropped: %+v", s)
		}
		if err := engine.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		time.Sleep(retry.First) // of the bubble
	}
}
