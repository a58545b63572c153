package egress

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics exports the status of a publisher. Its label is the receiver's name, which is a setting.
type metrics struct {
	publisher *Publisher
	up        *prometheus.Desc
	turn      *prometheus.Desc
	sent      *prometheus.Desc
	behind    *prometheus.Desc
	attempts  *prometheus.Desc
	last      *prometheus.Desc
}

// Metrics returns the publisher's collector, for a registry.
func (p *Publisher) Metrics() prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("kindred_publish_"+name, help, nil, prometheus.Labels{"receiver": p.Name})
	}
	return &metrics{
		publisher: p,
		up:        desc("up", "1 while entries of the change feed are delivered, 0 after a delivery failed or publishing stopped."),
		turn:      desc("turn", "1 while this process publishes the change feed; in a cluster one node does."),
		sent:      desc("entries_total", "Entries of the change feed delivered since the start."),
		behind:    desc("behind_entries", "Entries of the change feed that are not delivered, or not known to be."),
		attempts:  desc("failed_attempts", "Deliveries of the same entries that failed in a row."),
		last:      desc("last_delivery_timestamp_seconds", "When entries were delivered last, since 1970; absent before the first delivery after a start."),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.up, m.turn, m.sent, m.behind, m.attempts, m.last} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64) {
		out <- prometheus.MustNewConstMetric(d, kind, value)
	}
	status := m.publisher.Status(context.Background())
	up := 1.0
	if status.Err != nil {
		up = 0
	}
	send(m.up, prometheus.GaugeValue, up)
	turn := 0.0
	if status.Turn {
		turn = 1
	}
	send(m.turn, prometheus.GaugeValue, turn)
	send(m.sent, prometheus.CounterValue, float64(status.Sent))
	send(m.behind, prometheus.GaugeValue, float64(status.Behind))
	send(m.attempts, prometheus.GaugeValue, float64(status.Attempts))
	if !status.Last.IsZero() {
		send(m.last, prometheus.GaugeValue, float64(status.Last.UnixMilli())/1000)
	}
}
