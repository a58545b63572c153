package bench

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/file"
)

// BenchmarkIngestSteady is BenchmarkIngest for an engine and a pipeline that have taken as many events of the same people
// before. The log is so short that rows are written, and records deleted, all the time. docs/decisions/0036-buffers.md has what
// it gave.
func BenchmarkIngestSteady(b *testing.B) {
	const events = 200_000
	data := workload(b, 2*events, events/10)
	half := len(data) / 2
	half += bytes.IndexByte(data[half:], '\n') + 1
	b.SetBytes(int64(len(data) - half))
	b.ReportAllocs()
	var n, allocs, size, cpu float64
	for b.Loop() {
		b.StopTimer()
		m, err := ingestAfter(b, data[:half], data[half:])
		if err != nil {
			b.Fatal(err)
		}
		events := m.EventsPerSecond * m.Seconds
		n, allocs, size, cpu = n+events, allocs+m.AllocsPerEvent*events, size+m.BytesPerEvent*events, cpu+m.CPUPerEvent*events
		b.StartTimer()
	}
	b.ReportMetric(n/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(allocs/n, "allocs/event")
	b.ReportMetric(size/n, "B/event")
	b.ReportMetric(cpu/n, "cpu-µs/event")
}

// ingestAfter lets a pipeline take before, and measures how it takes data from then on. The timer of b runs meanwhile.
func ingestAfter(b *testing.B, before, data []byte) (m trial.Measure, err error) {
	ctx := context.Background()
	t, err := trial.Open(ctx, trial.Config{Dir: b.TempDir(), Memory: 1 << 30})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.Close(ctx)) }()
	left := int64(len(before))
	taken, begin, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	pipeline := file.NewPipeline(ingest.Into{Engine: t.Engine, Registry: registry(b)})
	pipeline.Progress = func(durable int64) {
		if atomic.AddInt64(&left, -durable) == 0 {
			close(taken)
		}
	}
	go func() {
		_, err := pipeline.Run(ctx, []file.Source{
			{Name: "before", Open: func() (*file.Reader, error) {
				return file.NewReader(bytes.NewReader(before), "before", 0)
			}},
			{Name: "data", Open: func() (*file.Reader, error) {
				<-begin
				return file.NewReader(bytes.NewReader(data), "data", 0)
			}},
		})
		done <- err
	}()
	<-taken
	b.StartTimer()
	m, err = trial.Time(func() (events, people int, err error) {
		close(begin)
		return bytes.Count(data, []byte{'\n'}), 0, <-done
	})
	b.StopTimer()
	return m, err
}
