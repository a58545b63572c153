package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/storage"
)

// BenchmarkScoresBesideIngest takes orders of customers into a durable store; with scores=on, all scores of who ordered
// are computed at every order, once it is committed, by one reader beside: what it costs to follow every customer
// live. Ingest ends when the last order was scored.
func BenchmarkScoresBesideIngest(b *testing.B) {
	b.Run("scores=off", func(b *testing.B) { benchmarkOrders(b, false) })
	b.Run("scores=on", func(b *testing.B) { benchmarkOrders(b, true) })
}

func benchmarkOrders(b *testing.B, scored bool) {
	const people, perChunk = 20_000, 400
	memory, err := storage.SplitMemory(4 << 30)
	if err != nil {
		b.Fatal(err)
	}
	deployment := storage.Deployment{Shards: 64}
	store, err := storage.Open(storage.Options{
		Dir: b.TempDir(), Deployment: deployment, BlockCacheBytes: memory.BlockCache, MemtableBytes: memory.Memtables,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	ctx := context.Background()
	engine, err := actors.Open(ctx, actors.Config{Store: store, Deployment: deployment, Rules: graph.DefaultRules(), Memory: memory})
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close(ctx)
	scorer, err := score.NewScorer(score.ColdStart(), score.Terms{})
	if err != nil {
		b.Fatal(err)
	}

	rng := rand.New(rand.NewPCG(1, 2))
	enc := storage.NewEncoder()
	deliveries, customers := make([]*actors.Delivery, b.N), make([][]graph.NodeKey, b.N)
	for i := range deliveries {
		d := &actors.Delivery{}
		var arena []byte
		for n := range perChunk {
			e := order(rng.IntN(people), i*perChunk+n)
			start := len(arena)
			arena = enc.Event(arena, e, true)
			d.Event(e, arena[start:len(arena):len(arena)])
			customers[i] = append(customers[i], e.Identifiers[0].Key)
		}
		deliveries[i] = d
	}
	b.ReportAllocs()
	b.ResetTimer()
	written, read := make(chan int, b.N), make(chan struct{})
	go func() {
		defer close(read)
		for i := range written {
			for _, key := range customers[i] {
				if err := scoreOne(ctx, engine, scorer, key); err != nil {
					b.Error(err)
					return
				}
			}
		}
	}()
	for i, d := range deliveries {
		if err := engine.Submit(ctx, d, func(err error) {
			if err != nil {
				b.Error(err)
			}
			if scored {
				written <- i
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := engine.Settle(ctx); err != nil {
		b.Fatal(err)
	}
	close(written)
	<-read
	b.StopTimer()
	b.ReportMetric(float64(b.N*perChunk)/b.Elapsed().Seconds(), "orders/s")
}

// scoreOne computes all scores of who holds a node, on its shard, as GET /v1/profiles/{id}?scores=true does.
func scoreOne(ctx context.Context, engine *actors.Engine, scorer *score.Scorer, key graph.NodeKey) error {
	days := 0.0
	found, err := engine.View(ctx, key, func(c *graph.Component) {
		if profile, ok := c.Profile(key, engine.Rules()); ok {
			scoring := profile.Scoring()
			customer := scoring.Customer()
			scores := scorer.Of(&customer, engine.Now())
			days = float64(scores.History.N)
		}
	})
	if err == nil && (!found || days == 0) {
		err = fmt.Errorf("a customer who ordered has %v days with an order (found: %t)", days, found)
	}
	return err
}

// order is an order of a customer.
func order(person, n int) *graph.Event {
	e := visit(person, n, true)
	e.Type, e.Name = graph.TypeTrack, []byte("Order Completed")
	e.Stamp.Time = 1_700_000_000_000 + int64(n)*60_000
	e.Order = graph.OrderChange{
		Kind: graph.OrderCompleted, Rule: graph.NetRevenue, Currency: graph.Currency{'E', 'U', 'R'}, Net: 1999 + int64(n%50)*100, Discount: int64(n%3) * 100,
		ID: fmt.Appendf(nil, "order-%d", n),
	}
	return e
}
