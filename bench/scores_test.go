package bench

import (
	"bytes"
	"context"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/storage"
)

// BenchmarkScoresOfOrders ingests generated events, from NDJSON in memory to a durable store with a change feed, while a
// listener follows the feed. With scores=on, the listener has the scores of the customer computed, on the customer's shard,
// for every entry that changes orders. Ingest ends when the listener has the last entry. Both variants run in turn.
func BenchmarkScoresOfOrders(b *testing.B) {
	const events = 200_000
	data, reg := workload(b, events, events/10), registry(b)
	scorer, err := score.NewScorer(score.ColdStart(), score.Terms{})
	if err != nil {
		b.Fatal(err)
	}
	for _, scored := range []bool{false, true, false, true} {
		name := "scores=off"
		if scored {
			name = "scores=on"
		}
		b.Run(name, func(b *testing.B) {
			orders, taken := 0, 0
			for b.Loop() {
				n, told := ingestWithListener(b, data, reg, scorer, scored)
				taken, orders = taken+n, orders+told
			}
			b.ReportMetric(float64(taken)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(orders)/float64(b.N), "orders/op")
		})
	}
}

// ingestWithListener returns the number of events, and the number of entries that changed orders.
func ingestWithListener(b *testing.B, data []byte, reg *identifier.Registry, scorer *score.Scorer, scored bool) (events, orders int) {
	b.StopTimer()
	defer b.StartTimer()
	ctx := context.Background()
	t, err := trial.Open(ctx, trial.Config{Dir: b.TempDir(), Memory: storage.DefaultMemory(), Feed: feed.Settings{On: true}})
	if err != nil {
		b.Fatal(err)
	}
	engine := t.Engine
	reader, err := engine.Feed().Reader(ctx, feed.Start)
	if err != nil {
		b.Fatal(err)
	}
	listening, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	b.StartTimer()
	go func() {
		err := listen(listening, engine, reader, scorer, scored, &orders)
		ended <- err
	}()
	source := file.Source{Name: "memory", Open: func() (*file.Reader, error) {
		return file.NewReader(bytes.NewReader(data), "memory", 0)
	}}
	summary, err := file.NewPipeline(ingest.Into{Engine: engine, Registry: reg}).Run(ctx, []file.Source{source})
	if err != nil {
		b.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if err := t.Close(ctx); err != nil {
		b.Fatal(err)
	}
	return int(summary.Read), orders
}

// listen follows the feed until stop is set and the feed has ended.
func listen(ctx context.Context, engine *actors.Engine, reader *feed.Reader, scorer *score.Scorer, scored bool, orders *int) error {
	scores := egress.Scores(func(ctx context.Context, ids []graph.NodeKey) ([][]byte, error) {
		now := engine.Now()
		return make([][]byte, len(ids)), engine.ReadMany(ctx, ids, func(i int, v *actors.View) {
			if scoring, ok := v.Component.Scoring(ids[i], engine.Rules()); ok {
				customer := scoring.Customer()
				_ = scorer.Of(&customer, now)
			}
		})
	})
	if !scored {
		scores = nil
	}
	for {
		events, err := reader.Next(ctx)
		if ctx.Err() != nil {
			if events, err = reader.TryNext(context.WithoutCancel(ctx)); err == nil && len(events) == 0 {
				return nil
			}
		}
		if err != nil {
			return err
		}
		for i := range events {
			if egress.TellsOrders(&events[i]) {
				*orders++
			}
		}
		if _, err := scores.Of(context.WithoutCancel(ctx), events); err != nil {
			return err
		}
	}
}
