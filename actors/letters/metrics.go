package letters

import "github.com/prometheus/client_golang/prometheus"

// metrics count letters. They have no labels: codes are in the events' own metrics.
type metrics struct {
	kept, evicted, lost prometheus.Counter
	letters, bytes      prometheus.GaugeFunc
}

func newMetrics(l *Letters) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string, value func(number int, bytes int64) float64) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(l.Size()) })
	}
	return &metrics{
		kept:    counter("kindred_http_dead_letters_total", "Events that were refused over HTTP and kept as dead letters."),
		evicted: counter("kindred_http_dead_letters_evicted_total", "Dead letters that were dropped to make room for later ones."),
		lost:    counter("kindred_http_dead_letters_lost_total", "Refused events that were not kept, because too many came at once or the store failed."),
		letters: gauge("kindred_http_dead_letters", "Dead letters that are kept.", func(number int, _ int64) float64 { return float64(number) }),
		bytes:   gauge("kindred_http_dead_letter_bytes", "Bytes that dead letters take.", func(_ int, bytes int64) float64 { return float64(bytes) }),
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.kept, m.evicted, m.lost, m.letters, m.bytes}
}

// Describe implements prometheus.Collector.
func (l *Letters) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range l.metrics.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (l *Letters) Collect(ch chan<- prometheus.Metric) {
	for _, c := range l.metrics.all() {
		c.Collect(ch)
	}
}
