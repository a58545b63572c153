package bench

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/storage"
)

// workload returns generated events as NDJSON.
func workload(tb testing.TB, events, people int) []byte {
	tb.Helper()
	c := generate.Default()
	c.Events, c.People, c.Loyalty = events, people, 0
	g, err := generate.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	data := make([]byte, 0, events*700)
	for {
		line, ok := g.Next(data)
		if !ok {
			return data
		}
		data = append(line, '\n')
	}
}

func registry(tb testing.TB) *identifier.Registry {
	tb.Helper()
	r, err := identifier.New([16]byte{1, 2, 3}, identifier.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// BenchmarkCeiling is the plain resolver: parse, hash, union-find, fold, in memory, on one core.
func BenchmarkCeiling(b *testing.B) {
	const events = 200_000
	data, reg := workload(b, events, events/10), registry(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		taken, err := ceiling.New(reg, segment.Options{}).Run(data, time.Now().UnixMilli())
		if err != nil {
			b.Fatal(err)
		}
		n += taken
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkIngest is ingest end to end: from NDJSON in memory to a durable store, on all cores.
func BenchmarkIngest(b *testing.B) {
	const events = 200_000
	data, reg := workload(b, events, events/10), registry(b)
	ctx := context.Background()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		b.StopTimer()
		t, err := trial.Open(ctx, trial.Config{Dir: b.TempDir(), Memory: storage.DefaultMemory()})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		source := file.Source{Name: "memory", Open: func() (*file.Reader, error) {
			return file.NewReader(bytes.NewReader(data), "memory", 0)
		}}
		summary, err := file.NewPipeline(ingest.Into{Engine: t.Engine, Registry: reg}).Run(ctx, []file.Source{source})
		if err != nil {
			b.Fatal(err)
		}
		n += summary.Read
		b.StopTimer()
		if err := t.Close(ctx); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
