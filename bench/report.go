package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
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

// prepare makes the events of a measurement, whole and by line, and a directory of its own, which is c.Dir from then on. The caller
// removes the directory.
func (c *Config) prepare(measurement string) (data []byte, lines [][]byte, err error) {
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	c.Progress(fmt.Sprintf("generate %d events of %d people", c.Events, c.People))
	if data, err = events(*c); err != nil {
		return nil, nil, err
	}
	if c.Dir, err = os.MkdirTemp(c.Dir, "kindred-bench-"+measurement+"-"); err != nil {
		return nil, nil, err
	}
	return data, bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")), nil
}

func (c *Config) trial() trial.Config {
	return trial.Config{Dir: c.Dir, Memory: c.Memory, LogBytes: c.LogBytes}
}

// Round is one run of the ceiling and two of the engine, on the same bytes.
type Round struct {
	Ceiling trial.Measure `json:"ceiling"`
	Engine  trial.Measure `json:"engine"`
	Ratio   float64       `json:"ratio"` // engine to ceiling, events per second
	// A second run of the engine, with concurrent look-ups.
	WithLookups trial.Measure `json:"engine_with_lookups"`
	Lookups     Latencies     `json:"lookups"`
}

// Report is the result, with the medians over the rounds.
//
// Rates are in events per second and LookupP99 in µs. Ratio is the median of the ratios of the rounds and not the
// ratio of the medians: both programs of one round meet the same speed of the machine.
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

// median is the middle value over rounds.
func median[R any](rounds []R, of func(R) float64) float64 {
	return SpreadOf(rounds, func(r *R) float64 { return of(*r) }).Median
}

// events generates the input as NDJSON.
func events(c Config) ([]byte, error) {
	g := generate.Default()
	g.Events, g.People, g.Loyalty = c.Events, c.People, 0
	generator, err := generate.New(g)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, c.Events*680) // about what an event takes; more grows it
	for {
		line, ok := generator.Next(data)
		if !ok {
			return data, nil
		}
		data = append(line, '\n')
	}
}

// measureCeiling resolves the bytes with a resolver that has no log, no shards and no actors: what is left of the work
// is to decode events and to merge people.
func measureCeiling(reg *identifier.Registry, data []byte) (trial.Measure, error) {
	return trial.Time(func() (int, int, error) {
		c := ceiling.New(reg, segment.Options{})
		n, err := c.Run(data, time.Now().UnixMilli())
		return n, c.People(), err
	})
}

// measureEngine ingests the bytes into an engine on a new data directory, until everything is durable and delivered
// between shards. Meanwhile it looks up the profiles of keys, if any are given.
func measureEngine(ctx context.Context, c Config, reg *identifier.Registry, data []byte, keys []graph.NodeKey) (m trial.Measure, l Latencies, err error) {
	t, err := trial.Open(ctx, c.trial())
	if err != nil {
		return trial.Measure{}, Latencies{}, err
	}
	defer func() { err = errors.Join(err, t.Close(ctx)) }()
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		if len(keys) > 0 {
			l, err = lookUp(ctx, t.Engine, keys, stop)
		}
		done <- err
	}()
	m, err = trial.Time(func() (int, int, error) {
		n, err := t.Ingest(ctx, reg, data)
		if err != nil {
			return n, 0, err
		}
		people, err := t.People(ctx)
		return n, people, err
	})
	close(stop)
	lookingUp := <-done // before l is read
	return m, l, errors.Join(err, lookingUp)
}
