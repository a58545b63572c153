package collect

import (
	"errors"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics count events that came over HTTP. Labels are types, results, fields and codes: all bounded, none about a
// person (P5).
type metrics struct {
	events   [graph.EventTypes][ingest.Statuses]prometheus.Counter // by type, 0 is unknown
	excess   prometheus.Counter                                    // in requests with too many
	dropped  *prometheus.CounterVec
	duration prometheus.Histogram
}

// newMetrics registers the metrics. It fails if the registry has one of them already.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kindred_ingest_events_total", Help: "Events that came in, by way, type and result.", ConstLabels: prometheus.Labels{"source": "http"},
	}, []string{"type", "result"})
	m := &metrics{
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_ingest_dropped_total", Help: "Fields left out of events that came over HTTP and were taken, by field and reason.",
		}, []string{"field", "code"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kindred_ingest_request_duration_seconds", Help: "Time from a request with events to its answer, which follows their durable commit.",
			Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
	}
	for t := range m.events {
		name := graph.EventType(t).String() //nolint:gosec // below graph.EventTypes
		if name == "" {
			name = "unknown"
		}
		for status := range m.events[t] {
			if result := statusNames[status]; result != "" {
				m.events[t][status] = events.WithLabelValues(name, result)
			}
		}
	}
	m.excess = events.WithLabelValues("unknown", string(document.CodeTooManyEvents))
	return m, errors.Join(registry.Register(events), registry.Register(m.dropped), registry.Register(m.duration))
}

// count counts the events of an answered request.
func (m *metrics) count(verdicts []ingest.Verdict, dropped segment.DropCounts) {
	for key, n := range dropped {
		m.dropped.WithLabelValues(key.Field, string(key.Code)).Add(float64(n))
	}
	for i := range verdicts {
		m.events[verdicts[i].Type][verdicts[i].Status].Inc()
	}
}
