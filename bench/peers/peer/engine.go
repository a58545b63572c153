package peer

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/ingest/segment"
)

var engineKind = Kind{
	Name: "kindred", Durability: "each batch synced before its answer",
	Settings: "in this process, 64 shards, preset open",
	Open: func(ctx context.Context, env *Env) (Peer, error) {
		t, err := trial.Open(ctx, trial.Config{Dir: env.Dir, Memory: env.Memory, Rules: env.Rules})
		return &engine{env: env, trial: t}, err
	},
}

// engine is the product's engine, in this process.
type engine struct {
	env   *Env
	trial *trial.Trial
}

func (e *engine) Run(ctx context.Context, lines []byte) (int, error) {
	return e.trial.Ingest(ctx, e.env.Registry, lines)
}
func (e *engine) Outcome(ctx context.Context) (*outcome.Outcome, error) { return e.trial.Outcome(ctx) }
func (e *engine) Outside() time.Duration                                { return 0 }
func (e *engine) Version() string                                       { return "" }
func (e *engine) Close(ctx context.Context) error                       { return e.trial.Close(ctx) }
func (e *engine) DiskBytes() int64                                      { return treeBytes(e.trial.Dir()) }

var ceilingKind = Kind{
	Name: "ceiling", Durability: "nothing: memory only", Settings: "one thread, no store",
	Open: func(_ context.Context, env *Env) (Peer, error) {
		return &memory{ceiling.New(env.Registry, segment.Options{})}, nil
	},
}

// memory is the ceiling.
type memory struct{ resolver *ceiling.Resolver }

func (m *memory) Run(_ context.Context, lines []byte) (int, error) {
	return m.resolver.Run(lines, time.Now().UnixMilli())
}
func (m *memory) Outcome(context.Context) (*outcome.Outcome, error) { return m.resolver.Outcome(), nil }
func (m *memory) Outside() time.Duration                            { return 0 }
func (m *memory) Version() string                                   { return "" }
func (m *memory) DiskBytes() int64                                  { return 0 }
func (m *memory) Close(context.Context) error                       { return nil }

// treeBytes is the size of the files below a directory.
func treeBytes(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}
