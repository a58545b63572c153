package peer

import (
	"context"
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/bench/workload"
)

// benchEvents is the size of a stream that peers are tuned with.
const benchEvents = 60_000

// BenchmarkPostgres tries sizes of batches and numbers of connections: go test -run '^$' -bench Postgres -benchtime 1x ./peer
func BenchmarkPostgres(b *testing.B) {
	for _, size := range []int{500, 2000, 5000} {
		for _, workers := range []int{1, 2, 3, 6} {
			tune(b, fmt.Sprintf("batch=%d/connections=%d", size, workers), newPostgresKind("postgres", "", "on", size, workers, false))
		}
	}
}

// BenchmarkRedis tries sizes of calls and pipelines: go test -run '^$' -bench Redis -benchtime 1x ./peer
func BenchmarkRedis(b *testing.B) {
	for _, size := range []redisBatches{{1, 1000, 2}, {10, 100, 2}, {100, 20, 1}, {100, 20, 2}, {100, 20, 4}, {500, 10, 2}} {
		tune(b, fmt.Sprintf("call=%d/pipeline=%d/connections=%d", size.call, size.pipe, size.clients), newRedisKind("always", false, size))
	}
}

// tune reports the events a second of a peer and the processor time of an event, in all processes.
func tune(b *testing.B, name string, kind Kind) {
	retail, _ := workload.Named("retail")
	lines, env := retail.Lines(1, benchEvents), environment(b)
	b.Run(name, func(b *testing.B) {
		var seconds, cpu float64
		for b.Loop() {
			b.StopTimer()
			p, err := kind.Open(b.Context(), env)
			if err != nil {
				b.Skip(err)
			}
			b.StartTimer()
			outside := p.Outside()
			m, err := trial.Time(func() (int, int, error) {
				n, err := p.Run(b.Context(), lines)
				return n, 0, err
			})
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			seconds += m.Seconds
			cpu += m.CPUPerEvent + float64((p.Outside()-outside).Microseconds())/benchEvents
			if err := p.Close(context.WithoutCancel(b.Context())); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		b.ReportMetric(float64(b.N)*benchEvents/seconds, "events/s")
		b.ReportMetric(cpu/float64(b.N), "cpu-us/event")
	})
}
