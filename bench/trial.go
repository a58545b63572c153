package bench

import (
	"context"
	"errors"
	"os"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// trial is an engine on a new data directory, which close deletes.
type trial struct {
	dir    string
	store  *storage.Pebble
	engine *actors.Engine
}

func newTrial(ctx context.Context, c Config, feed feed.Settings) (*trial, error) {
	memory, err := storage.SplitMemory(c.Memory)
	if err != nil {
		return nil, err
	}
	t := &trial{}
	if t.dir, err = os.MkdirTemp(c.Dir, "kindred-bench-"); err != nil {
		return nil, err
	}
	deployment := row.Deployment{Shards: 64}
	t.store, _, err = row.Open(storage.Options{
		Dir: t.dir, BlockCacheBytes: memory.BlockCache, MemtableBytes: memory.Memtables,
	}, deployment)
	if err == nil {
		t.engine, err = actors.Open(ctx, actors.Config{
			Store: t.store, Deployment: deployment, Rules: graph.DefaultRules(), Memory: memory, LogBytes: c.LogBytes, Feed: feed,
		})
	}
	if err != nil {
		return nil, errors.Join(err, t.close(ctx))
	}
	return t, nil
}

func (t *trial) close(ctx context.Context) error {
	var errs []error
	if t.engine != nil {
		errs = append(errs, t.engine.Close(ctx))
	}
	if t.store != nil {
		errs = append(errs, t.store.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(t.dir))...)
}

// people returns the number of identities.
func (t *trial) people(ctx context.Context) (int, error) {
	stats, err := t.engine.Stats(ctx)
	return int(stats.Identities), err
}
