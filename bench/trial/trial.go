// Package trial runs an engine on a new data directory, for measurements: it opens, ingests, measures, and deletes.
package trial

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Config configures a trial.
type Config struct {
	Dir      string // where the data directory is created; if empty, a temporary directory
	Memory   int64  // the memory limit of the engine
	LogBytes int64
	Shards   int          // 0 is 64
	Rules    *graph.Rules // nil is graph.DefaultRules
	Feed     feed.Settings
}

// defaultShards is the number of shards of a trial that states no other.
const defaultShards = 64

// Trial is an engine on a new data directory, which Close deletes.
type Trial struct {
	Engine *actors.Engine

	dir   string
	store *storage.Pebble
}

// Open returns a running trial.
func Open(ctx context.Context, c Config) (*Trial, error) {
	memory, err := storage.SplitMemory(c.Memory)
	if err != nil {
		return nil, err
	}
	t := &Trial{}
	if t.dir, err = os.MkdirTemp(c.Dir, "kindred-bench-"); err != nil {
		return nil, err
	}
	deployment := row.Deployment{Shards: cmp.Or(c.Shards, defaultShards)}
	t.store, _, err = row.Open(storage.Options{
		Dir: t.dir, BlockCacheBytes: memory.BlockCache, MemtableBytes: memory.Memtables,
	}, deployment)
	if err == nil {
		rules := c.Rules
		if rules == nil {
			rules = graph.DefaultRules()
		}
		t.Engine, err = actors.Open(ctx, actors.Config{
			Store: t.store, Deployment: deployment, Rules: rules, Memory: memory, LogBytes: c.LogBytes, Feed: c.Feed,
		})
	}
	if err != nil {
		return nil, errors.Join(err, t.Close(ctx))
	}
	return t, nil
}

// Close stops the engine, if it runs, and deletes the data directory.
func (t *Trial) Close(ctx context.Context) error {
	return errors.Join(t.Stop(ctx), os.RemoveAll(t.dir))
}

// Stop stops the engine. The data directory stays until Close.
func (t *Trial) Stop(ctx context.Context) error {
	var errs []error
	if t.Engine != nil {
		errs = append(errs, t.Engine.Close(ctx))
		t.Engine = nil
	}
	if t.store != nil {
		errs = append(errs, t.store.Close())
		t.store = nil
	}
	return errors.Join(errs...)
}

// Ingest ingests lines, until everything is durable and delivered between shards. It returns the number of events. A
// line that is rejected is an error: a measurement of fewer events than were made would be of something else.
func (t *Trial) Ingest(ctx context.Context, registry *identifier.Registry, lines []byte) (int, error) {
	source := file.Source{Name: "memory", Open: func() (*file.Reader, error) {
		return file.NewReader(bytes.NewReader(lines), "memory", 0)
	}}
	summary, err := file.NewPipeline(ingest.Into{Engine: t.Engine, Registry: registry}).Run(ctx, []file.Source{source})
	if err == nil && summary.Rejected+summary.Quarantined > 0 {
		err = errors.New("generated events were rejected; please report this defect")
	}
	return int(summary.Read - summary.WithoutIdentifier), err
}

// People returns the number of identities.
func (t *Trial) People(ctx context.Context) (int, error) {
	stats, err := t.Engine.Stats(ctx)
	return int(stats.Identities), err
}

// Outcome returns the people.
func (t *Trial) Outcome(ctx context.Context) (*outcome.Outcome, error) {
	return t.OutcomeWithout(ctx, graph.NodeKey{})
}

// OutcomeWithout returns the people, without one identifier.
func (t *Trial) OutcomeWithout(ctx context.Context, key graph.NodeKey) (*outcome.Outcome, error) {
	o := &outcome.Outcome{}
	var keys []graph.NodeKey
	err := t.Engine.Each(ctx, func(c *graph.Component) error {
		for _, p := range c.Profiles(t.Engine.Rules(), false) {
			keys = keys[:0]
			for i := range p.Identifiers {
				if k := p.Identifiers[i].Key; k != key {
					keys = append(keys, k)
				}
			}
			o.Add(keys, p.Events)
		}
		return nil
	})
	return o, err
}

// Dir is the data directory.
func (t *Trial) Dir() string { return t.dir }
