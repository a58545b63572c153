package demo_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/demo"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
)

// Every merge is shown with its cause, and the totals are those of the engine.
func TestDemo(t *testing.T) {
	d := demo.New(2000, 1)
	k, err := node.Open(t.Context(), node.Config{Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 4, OnMerge: d.Merged})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	const wanted = 5
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	fed := make(chan error, 1)
	go func() { fed <- d.Feed(ctx, k.Into(true)) }()
	shown := 0
	d.Watch(ctx, k.Engine(), func(m *demo.Merge) {
		if m.Cause == nil || len(m.Profile.Identifiers) < 2 || string(m.Cause.ID) != string(m.Mark.ID) {
			t.Errorf("a merge without its cause: %+v", m)
		}
		if shown++; shown == wanted {
			cancel()
		}
	})
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	if shown < wanted {
		t.Fatalf("%d merges in 30 s", shown)
	}
	totals, err := d.Totals(k.Engine())
	if err != nil || totals.Merges < wanted || totals.Events == 0 || totals.Identities == 0 {
		t.Errorf("%+v, %v", totals, err)
	}
}

// A full queue does not block a shard (D1).
func TestMergedNeverBlocks(t *testing.T) {
	d := demo.New(1, 1)
	merges := make([]graph.Merge, 10_000)
	done := make(chan struct{})
	go func() {
		d.Merged(merges)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it blocks")
	}
}
