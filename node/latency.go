package node

import (
	"context"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/prometheus/client_golang/prometheus"
)

// latency measures the headline of a Kindred: the time from an event's arrival until every look-up finds its profile with it.
//
// It measures a sample, one batch at a time: a batch that settles while the one before is still measured is not. So it costs
// an ingest nothing but a failed send, at any rate. To measure all batches would make each wait for visibility, which answers
// over HTTP do and files and topics need not.
type latency struct {
	seconds *prometheus.HistogramVec
	samples chan sample
}

// sample is a batch that is durable.
type sample struct {
	source   string
	received int64 // ms since 1970
}

// latencyPatience bounds how long one batch is measured: beyond it, the shards are overloaded, and it counts as that long.
const latencyPatience = time.Minute

func newLatency() *latency {
	return &latency{
		samples: make(chan sample),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                        "kindred_event_to_profile_seconds",
			Help:                        "Time from an event's arrival until look-ups find its profile with it, by way; of Kafka, from the time of the record. A sample of batches.",
			Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"source"}),
	}
}

// of returns the function that is told of settled batches from a source.
func (l *latency) of(source string) func(received int64) {
	return func(received int64) {
		select {
		case l.samples <- sample{source, received}:
		default: // one is being measured
		}
	}
}

// run measures until the context ends.
func (l *latency) run(ctx context.Context, engine *actors.Engine) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-l.samples:
			waiting, cancel := context.WithTimeout(ctx, latencyPatience)
			err := engine.Visible(waiting)
			cancel()
			if ctx.Err() != nil || err != nil && waiting.Err() == nil { // it stops, or a shard is lost
				continue
			}
			l.seconds.WithLabelValues(s.source).Observe(max(0, float64(engine.Now()-s.received)/1000))
		}
	}
}

func (k *Kindred) startLatency(context.Context) error {
	k.stopMeasuring = background(func(ctx context.Context) { k.directory.latency.run(ctx, k.directory.engine) })
	return nil
}

func (k *Kindred) stopLatency(context.Context) error {
	k.stopMeasuring()
	return nil
}
