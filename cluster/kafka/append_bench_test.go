package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkCommit compares the two ways to make a commit of a shard durable, on three brokers of Apache Kafka, with one
// client and commits of 20 KB:
//
//   - append: each shard appends its record and waits for the answer, as shards do.
//   - transaction: all shards' records go in one transaction, and all wait for its end: a group commit.
//
// Both keep every shard stopped while its commit is under way. The figures are commits a second, and how long one took.
// Run: go test -run '^$' -bench Commit -benchtime 20x -timeout 30m ./cluster/kafka (decision 0062 has the results).
func BenchmarkCommit(b *testing.B) {
	const most = 64
	k := kafkatest.Start(b, kafkatest.Options{Nodes: 3})
	if !k.Real() {
		b.Skip("a stand-in in memory has no replicas to wait for")
	}
	c := Config{Connection: broker.Connection{Brokers: k.Brokers()}, Layout: Layout{Topic: "bench.journal", Partitions: most + 1, Replicas: 3}}
	if _, err := Create(b.Context(), c.Connection, c.Layout); err != nil {
		b.Fatal(err)
	}
	l := open(b, c)
	b.Cleanup(l.Close)
	transactions, err := c.Connection.Client(nil, append(sharedOptions(), kgo.TransactionalID("bench"), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(maxBatch), kgo.ProducerBatchCompression(kgo.Lz4Compression()))...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(transactions.Close)
	value := payload(20_000)
	for round := range 3 {
		for _, shards := range []int{1, 8, most} {
			b.Run(fmt.Sprintf("append/shards=%d/round=%d", shards, round), func(b *testing.B) {
				measure(b, shards, func(n int) []time.Duration { return appendAll(b, l, shards, value, n) })
			})
			b.Run(fmt.Sprintf("transaction/shards=%d/round=%d", shards, round), func(b *testing.B) {
				measure(b, shards, func(n int) []time.Duration { return transact(b, transactions, c.Layout.Topic, shards, value, n) })
			})
		}
	}
}

// measure runs commits of every shard b.N times.
func measure(b *testing.B, shards int, run func(n int) []time.Duration) {
	b.ResetTimer()
	took := run(b.N)
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N*shards)/b.Elapsed().Seconds(), "commits/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "p99-ms")
}

func appendAll(b *testing.B, l *Log, shards int, value []byte, n int) []time.Duration {
	var mu sync.Mutex
	var all []time.Duration
	var unknown atomic.Int64
	var writers sync.WaitGroup
	for p := range int32(shards) {
		writers.Go(func() {
			var took []time.Duration
			for range n {
				begun := time.Now()
				done := make(chan error, 1)
				l.Append(p, value, func(_ int64, err error) { done <- err })
				if <-done != nil { // a machine that is too busy for ten seconds
					unknown.Add(1)
				}
				took = append(took, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	writers.Wait()
	b.ReportMetric(float64(unknown.Load()), "unknown")
	return all
}

func transact(b *testing.B, client *kgo.Client, topic string, shards int, value []byte, n int) []time.Duration {
	var took []time.Duration
	for range n {
		begun := time.Now()
		if err := client.BeginTransaction(); err != nil {
			b.Fatal(err)
		}
		for p := range int32(shards) {
			client.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: p, Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			})
		}
		if err := client.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := client.EndTransaction(b.Context(), kgo.TryCommit); err != nil {
			b.Fatal(err)
		}
		for range shards {
			took = append(took, time.Since(begun))
		}
	}
	return took
}

// payload is half noise and half zeros, so that a codec makes it about half as long, as it does with rows.
func payload(size int) []byte {
	b := make([]byte, size)
	random := rand.New(rand.NewPCG(1, 1))
	for i := 0; i < size; i += 2 {
		b[i] = byte(random.Uint32())
	}
	return b
}
