package bench

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/bench/trial"
)

// BenchmarkEngine takes decoded events into shards, identity actors and a durable store: ingest without reading and
// decoding. It also runs with a change feed.
func BenchmarkEngine(b *testing.B) {
	b.Run("feed=off", func(b *testing.B) { benchmarkEngine(b, feed.Settings{}) })
	b.Run("feed=on", func(b *testing.B) { benchmarkEngine(b, feed.Settings{On: true}) })
}

func benchmarkEngine(b *testing.B, feed feed.Settings) {
	const people, perChunk = 100_000, 400
	ctx := context.Background()
	t, err := trial.Open(ctx, trial.Config{Dir: b.TempDir(), Memory: 4 << 30, Feed: feed})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close(ctx)
	engine := t.Engine

	rng := rand.New(rand.NewPCG(1, 2))
	properties := []byte(`{"product_id":"507f1f77bcf86cd799439011","sku":"G-32","category":"Games","name":"Monopoly: 3rd Edition","price":18.99,"quantity":1,"url":"https://www.example.com/product/path"}`)
	deliveries := make([]*actors.Delivery, b.N)
	for i := range deliveries {
		d := &actors.Delivery{}
		for n := range perChunk {
			seq := i*perChunk + n
			e := visit(rng.IntN(people), seq, seq%3 == 0)
			e.Properties = properties
			d.Add(e)
		}
		deliveries[i] = d
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, d := range deliveries {
		if err := engine.Submit(ctx, d, func(err error) {
			if err != nil {
				b.Error(err)
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := engine.Settle(ctx); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N*perChunk)/b.Elapsed().Seconds(), "events/s")
}
