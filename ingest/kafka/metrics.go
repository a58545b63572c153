package kafka

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics exports the status of a consumer. Labels are topics, partitions, and names of fields: bounded, and never personal data.
type metrics struct {
	consumer *Consumer
	up       *prometheus.Desc
	problem  *prometheus.Desc
	state    *prometheus.Desc
	offset   *prometheus.Desc
	lag      *prometheus.Desc
	lagTime  *prometheus.Desc
	records  *prometheus.Desc
	events   *prometheus.Desc
	letters  *prometheus.Desc
	dropped  *prometheus.Desc
}

// Metrics returns the collector of the consumer, for a registry.
func (c *Consumer) Metrics() prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("kindred_kafka_"+name, help, labels, nil)
	}
	return &metrics{
		consumer: c,
		up:       desc("up", "1 while the brokers answer."),
		problem:  desc("topic_missing", "1 for a topic that is not there, or may not be read.", "topic"),
		state:    desc("partition_state", "1 for the state that a partition is in.", "topic", "partition", "state"),
		offset:   desc("handled_offset", "The offset below which every record is handled.", "topic", "partition"),
		lag:      desc("lag_records", "Records that are not handled.", "topic", "partition"),
		lagTime:  desc("lag_seconds", "How long ago the first record that is not handled was written.", "topic", "partition"),
		records:  desc("records_total", "Records handled since the start.", "topic", "partition"),
		events:   desc("events_total", "Events of records handled since the start, by result.", "topic", "partition", "result"),
		letters:  desc("dead_letters_total", "Dead letters that the brokers acknowledged.", "topic", "partition"),
		dropped:  desc("dropped_total", "Fields left out of events that were read since the start, by field and reason.", "topic", "partition", "field", "code"),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.up, m.problem, m.state, m.offset, m.lag, m.lagTime, m.records, m.events, m.letters, m.dropped} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	status := m.consumer.Status()
	up := 1.0
	if status.Brokers != "" {
		up = 0
	}
	send(m.up, gauge, up)
	for _, t := range status.Topics {
		send(m.problem, gauge, 1, t.Topic)
	}
	for i := range status.Partitions {
		p := &status.Partitions[i]
		topic, partition := p.Topic, strconv.Itoa(int(p.Partition))
		for _, state := range []State{Starting, Consuming, Waiting, Halted} {
			is := 0.0
			if p.State == state {
				is = 1
			}
			send(m.state, gauge, is, topic, partition, string(state))
		}
		if p.Handled >= 0 {
			send(m.offset, gauge, float64(p.Handled), topic, partition)
			send(m.lag, gauge, float64(p.Lag), topic, partition)
			send(m.lagTime, gauge, p.LagTime.Seconds(), topic, partition)
		}
		send(m.records, counter, float64(p.Counts.Records), topic, partition)
		send(m.letters, counter, float64(p.Counts.DeadLetters), topic, partition)
		for key, n := range p.Counts.Dropped {
			send(m.dropped, counter, float64(n), topic, partition, key.Field, string(key.Code))
		}
		for _, e := range []struct {
			result string
			n      uint64
		}{
			{"accepted", p.Counts.Accepted},
			{"duplicate", p.Counts.Duplicates},
			{"quarantined", p.Counts.Quarantined},
			{"elsewhere", p.Counts.Elsewhere},
			{"without_identifier", p.Counts.WithoutIdentifier},
			{"rejected", p.Counts.Rejected},
		} {
			send(m.events, counter, float64(e.n), topic, partition, e.result)
		}
	}
}
