package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Config configures a measurement.
type Config struct {
	Events, People int
	Rounds         int
	Dir            string // where data directories are created; if empty, a temporary directory
	Memory         int64  // the memory limit of the engine
	LogBytes       int64
	Progress       func(what string) // may be nil
}

// Round is one run of the ceiling and two of the engine, on the same bytes.
type Round struct {
	Ceiling Measure `json:"ceiling"`
	Engine  Measure `json:"engine"`
	Ratio   float64 `json:"ratio"` // engine to ceiling, events per second
	// A second run of the engine, with concurrent look-ups.
	WithLookups Measure `json:"engine_with_lookups"`
	Lookups     Lookups `json:"lookups"`
}

// Measure is the result of one run.
type Measure struct {
	EventsPerSecond float64 `json:"events_per_second"`
	Seconds         float64 `json:"seconds"`
	CPUPerEvent     float64 `json:"cpu_us_per_event"`
	AllocsPerEvent  float64 `json:"allocs_per_event"`
	BytesPerEvent   float64 `json:"alloc_bytes_per_event"`
	People          int     `json:"people"`
}

// Report is the result, with the medians over the rounds.
type Report struct {
	Events       int     `json:"events"`
	People       int     `json:"people"`
	BytesOfInput int     `json:"bytes_of_input"`
	Processors   int     `json:"processors"`
	Rounds       []Round `json:"rounds"`
	Ceiling      float64 `json:"ceiling_events_per_second"`
	Engine       float64 `json:"engine_events_per_second"`
	Ratio        float64 `json:"ratio"`
	LookupP99    float64 `json:"lookup_p99_us"`
}

// Run measures the ceiling and the engine in turn, on the same bytes.
func Run(ctx context.Context, c Config) (Report, error) {
	progress := c.Progress
	if progress == nil {
		progress = func(string) {}
	}
	progress(fmt.Sprintf("generate %d events of %d people", c.Events, c.People))
	data, err := events(c)
	if err != nil {
		return Report{}, err
	}
	reg, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		return Report{}, err
	}
	keys, err := lookupKeys(reg, data)
	if err != nil {
		return Report{}, err
	}
	report := Report{Events: c.Events, People: c.People, BytesOfInput: len(data), Processors: runtime.GOMAXPROCS(0)}
	for n := range c.Rounds {
		var round Round
		progress(fmt.Sprintf("round %d of %d: the ceiling", n+1, c.Rounds))
		if round.Ceiling, err = measureCeiling(reg, data); err != nil {
			return report, err
		}
		progress(fmt.Sprintf("round %d of %d: the engine", n+1, c.Rounds))
		if round.Engine, _, err = measureEngine(ctx, c, reg, data, nil); err != nil {
			return report, err
		}
		progress(fmt.Sprintf("round %d of %d: the engine, with look-ups", n+1, c.Rounds))
		if round.WithLookups, round.Lookups, err = measureEngine(ctx, c, reg, data, keys); err != nil {
			return report, err
		}
		round.Ratio = round.Engine.EventsPerSecond / round.Ceiling.EventsPerSecond
		report.Rounds = append(report.Rounds, round)
	}
	report.Ceiling = median(report.Rounds, func(r Round) float64 { return r.Ceiling.EventsPerSecond })
	report.Engine = median(report.Rounds, func(r Round) float64 { return r.Engine.EventsPerSecond })
	report.Ratio = median(report.Rounds, func(r Round) float64 { return r.Ratio })
	report.LookupP99 = median(report.Rounds, func(r Round) float64 { return r.Lookups.P99 })
	return report, nil
}

func median[R any](rounds []R, of func(R) float64) float64 {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// events generates the input as NDJSON.
func events(c Config) ([]byte, error) {
	g := generate.Default()
	g.Events, g.People, g.Loyalty = c.Events, c.People, 0
	generator, err := generate.New(g)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, c.Events*680)
	for {
		line, ok := generator.Next(data)
		if !ok {
			return data, nil
		}
		data = append(line, '\n')
	}
}

// measure runs fn on a number of events, and measures its time, processor time and allocations.
func measure(fn func() (events, people int, err error)) (Measure, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := processorTime(), time.Now()
	n, people, err := fn()
	elapsed, used := time.Since(start), processorTime()-cpu
	runtime.ReadMemStats(&after)
	if err != nil {
		return Measure{}, err
	}
	return Measure{
		EventsPerSecond: float64(n) / elapsed.Seconds(),
		Seconds:         elapsed.Seconds(),
		CPUPerEvent:     float64(used.Nanoseconds()) / 1e3 / float64(n),
		AllocsPerEvent:  float64(after.Mallocs-before.Mallocs) / float64(n),
		BytesPerEvent:   float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
		People:          people,
	}, nil
}

func measureCeiling(reg *identifier.Registry, data []byte) (Measure, error) {
	return measure(func() (int, int, error) {
		c := newCeiling(reg, segment.Options{})
		n, err := c.Run(data, time.Now().UnixMilli())
		return n, c.People(), err
	})
}

// measureEngine ingests the bytes into an engine on a new data directory, until everything is durable and delivered between
// shards. Meanwhile it looks up the profiles of keys, if any are given.
func measureEngine(ctx context.Context, c Config, reg *identifier.Registry, data []byte, keys []graph.NodeKey) (m Measure, l Lookups, err error) {
	t, err := newTrial(ctx, c, feed.Settings{})
	if err != nil {
		return Measure{}, Lookups{}, err
	}
	defer func() { err = errors.Join(err, t.close(ctx)) }()
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		if len(keys) > 0 {
			l, err = lookUp(ctx, t.engine, keys, stop)
		}
		done <- err
	}()
	m, err = measure(func() (int, int, error) {
		source := file.Source{Name: "memory", Open: func() (*file.Reader, error) {
			return file.NewReader(bytes.NewReader(data), "memory", 0)
		}}
		summary, err := file.NewPipeline(ingest.Into{Engine: t.engine, Registry: reg}).Run(ctx, []file.Source{source})
		return int(summary.Read - summary.WithoutIdentifier), int(summary.Identities), err
	})
	close(stop)
	return m, l, errors.Join(err, <-done)
}
