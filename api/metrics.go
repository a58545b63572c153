package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are those of the server itself. Labels are types, results, routes and codes: all bounded,
// none about a person (P5).
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	unanswered prometheus.Gauge
	unseen     prometheus.Counter
	handler    http.Handler
}

// newMetrics registers the metrics. It fails if the registry has one of them already.
// Without a registry it makes one, with the metrics of the Go runtime and of the process. A registry that the caller
// gave has these already or does without.
func newMetrics(registry *prometheus.Registry, engine *actors.Engine, scores *scoring.Keeper, version string, more []prometheus.Collector) (*metrics, error) {
	if registry == nil {
		registry = prometheus.NewRegistry()
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_http_requests_total", Help: "Answered requests by route and status.",
		}, []string{"route", "status"}),
		unanswered: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kindred_http_requests_in_flight", Help: "Requests that are not answered."}),
		unseen: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_answers_before_visible_total",
			Help: "Answers to events and assertions that were given before a look-up by each identifier was sure to find them.",
		}),
		registry: registry,
		handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "kindred_build_info", Help: "Always 1; the labels tell the version and the rules.",
		ConstLabels: prometheus.Labels{"version": version, "rules": engine.Rules().Name},
	})
	info.Set(1)
	var errs []error
	for _, c := range append([]prometheus.Collector{m.requests, m.unanswered, m.unseen, info, newEngineMetrics(engine)}, more...) {
		errs = append(errs, registry.Register(c))
	}
	if scores != nil {
		errs = append(errs, registerScoreMetrics(registry, scores))
	}
	return m, errors.Join(errs...)
}

// registerScoreMetrics registers the metrics of the scores' parameters.
func registerScoreMetrics(registry *prometheus.Registry, scores *scoring.Keeper) error {
	var errs []error
	for _, result := range []scoring.Result{scoring.Fitted, scoring.Partly, scoring.Failed} {
		errs = append(errs, registry.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "kindred_score_fits_total", Help: "Fits of the scores' parameters, by result: ok, partial (some keep their values), failed (all do).",
			ConstLabels: prometheus.Labels{"result": string(result)},
		}, func() float64 { return float64(scores.Fits(result)) })))
	}
	errs = append(errs, registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kindred_score_parameters_version", Help: "Version of the scores' parameters in use; 0 is the cold start.",
	}, func() float64 { return float64(scores.Scorer().Parameters().Version) })))
	return errors.Join(errs...)
}

// engineMetrics collects the counts of the engine, at each scrape.
type engineMetrics struct {
	engine *actors.Engine
	up     *prometheus.Desc
	events *prometheus.Desc
	plain  []engineMetric
}

type engineMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*actors.Stats) float64
}

// scrapeTimeout bounds how long a scrape waits for the shards.
const scrapeTimeout = 5 * time.Second

// newEngineMetrics describes the metrics of the engine. A table maps each to a field of actors.Stats, and a scrape
// reads the Stats once, so the values of one scrape belong together.
func newEngineMetrics(engine *actors.Engine) *engineMetrics {
	m := &engineMetrics{
		engine: engine,
		up:     prometheus.NewDesc("kindred_engine_up", "1 while the engine works, 0 once it stopped.", nil, nil),
		events: prometheus.NewDesc("kindred_events_total", "Events from all inputs since the deployment began, by result.", []string{"result"}, nil),
	}
	add := func(kind prometheus.ValueType, name, help string, value func(*actors.Stats) float64) {
		m.plain = append(m.plain, engineMetric{prometheus.NewDesc(name, help, nil, nil), kind, value})
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	add(gauge, "kindred_merges", "Identifiers that events came in under, less identities with events.", func(s *actors.Stats) float64 { return float64(s.Merges()) })
	add(counter, "kindred_conflicting_events_total", "Events whose message id has another content as well: events less message ids.", func(s *actors.Stats) float64 { return float64(s.Conflicting) })
	add(counter, "kindred_splits_total", "Identities that became several.", func(s *actors.Stats) float64 { return float64(s.Splits) })
	add(counter, "kindred_links_left_out_total", "Links that components at caps.hosted left out since the start: there, order matters.", func(s *actors.Stats) float64 { return float64(s.LeftOut) })
	add(counter, "kindred_generic_values_total", "Identifiers found to be shared by too many to stand for one person.", func(s *actors.Stats) float64 { return float64(s.Generic) })
	add(gauge, "kindred_profiles", "Identities with at least one event.", func(s *actors.Stats) float64 { return float64(s.Identities) })
	add(gauge, "kindred_shards", "Shards of the deployment.", func(s *actors.Stats) float64 { return float64(s.Shards) })
	add(gauge, "kindred_shards_lost", "Shards that stopped since the start, on a failure of their own: what is for them is refused.", func(s *actors.Stats) float64 { return float64(s.Lost) })
	add(gauge, "kindred_actors_resident", "Nodes in memory.", func(s *actors.Stats) float64 { return float64(s.Residents) })
	add(gauge, "kindred_actors_bytes", "Memory of the nodes in memory, by estimate.", func(s *actors.Stats) float64 { return float64(s.ActorBytes) })
	add(gauge, "kindred_log_bytes", "Log that a start would replay.", func(s *actors.Stats) float64 { return float64(s.LogBytes) })
	add(gauge, "kindred_inputs_under_way", "Events and assertions that are not durable yet.", func(s *actors.Stats) float64 { return float64(s.UnderWay) })
	add(gauge, "kindred_shard_messages_waiting", "Messages between shards that are not acknowledged.", func(s *actors.Stats) float64 { return float64(s.Waiting) })
	return m
}

// Describe implements prometheus.Collector.
func (m *engineMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.up
	out <- m.events
	for i := range m.plain {
		out <- m.plain[i].desc
	}
}

// Collect implements prometheus.Collector. For an engine that stopped, it reports only that it is down.
func (m *engineMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	stats, err := m.engine.Counted(ctx)
	if err != nil {
		out <- prometheus.MustNewConstMetric(m.up, prometheus.GaugeValue, 0)
		return
	}
	out <- prometheus.MustNewConstMetric(m.up, prometheus.GaugeValue, 1)
	for result, n := range map[string]uint64{"accepted": stats.Accepted, "duplicate": stats.Duplicates, "quarantined": stats.Quarantined} {
		out <- prometheus.MustNewConstMetric(m.events, prometheus.CounterValue, float64(n), result)
	}
	for i := range m.plain {
		out <- prometheus.MustNewConstMetric(m.plain[i].desc, m.plain[i].kind, m.plain[i].value(&stats))
	}
}
