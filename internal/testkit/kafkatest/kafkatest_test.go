package kafkatest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Records written before a node is killed can be read after its restart.
func TestBroker(t *testing.T) {
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d nodes", nodes), func(t *testing.T) {
			if nodes == 3 && testing.Short() {
				t.Skip("three nodes")
			}
			b := Start(t, Options{Nodes: nodes})
			ctx, cancel := context.WithTimeout(context.Background(), startPatience)
			defer cancel()
			topic := b.Topic(nodes)
			producer := b.Client(kgo.DefaultProduceTopic(topic))
			write := func(from, n int) {
				t.Helper()
				for i := range n {
					if err := producer.ProduceSync(ctx, kgo.StringRecord(fmt.Sprint(from+i))).FirstErr(); err != nil {
						t.Fatal(err)
					}
				}
			}
			write(0, 50)
			b.Kill(nodes)
			if nodes > 1 {
				write(50, 50) // two are left, and enough
			}
			start := time.Now()
			b.Restart(nodes)
			t.Logf("restarted in %.1f s", time.Since(start).Seconds())
			if nodes == 1 {
				write(50, 50)
			}
			consumer := b.Client(kgo.ConsumeTopics(topic))
			seen := make(map[string]bool)
			for len(seen) < 100 {
				fetches := consumer.PollFetches(ctx)
				if ctx.Err() != nil {
					t.Fatalf("%d of 100 records came back", len(seen))
				}
				fetches.EachRecord(func(r *kgo.Record) {
					if seen[string(r.Value)] {
						t.Errorf("record %s came twice", r.Value)
					}
					seen[string(r.Value)] = true
				})
			}
		})
	}
}
