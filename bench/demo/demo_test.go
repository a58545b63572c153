package demo_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/demo"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
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

// The crowd that was there before is the one that the generator describes: every event of a batch is read as it was made.
func TestFill(t *testing.T) {
	const people, batch = 60, 500
	secretFile := filepath.Join(t.TempDir(), "secret") // one for both: keys of identifiers are compared
	if err := os.WriteFile(secretFile, []byte("000102030405060708090a0b0c0d0e0f"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(d *demo.Demo) *node.Kindred {
		k, err := node.Open(t.Context(), node.Config{Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 4, OnMerge: d.Merged, SecretFile: secretFile})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := k.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return k
	}
	outcomeOf := func(k *node.Kindred) (*outcome.Outcome, map[graph.NodeKey]graph.NodeName) {
		if err := k.Engine().Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		o, names := &outcome.Outcome{}, map[graph.NodeKey]graph.NodeName{}
		err := k.Engine().Each(t.Context(), func(c *graph.Component) error {
			for _, p := range c.Profiles(k.Engine().Rules(), false) {
				var keys []graph.NodeKey
				for i := range p.Identifiers {
					id := &p.Identifiers[i]
					keys = append(keys, id.Key)
					names[id.Key] = id.NodeName
				}
				o.Add(keys, p.Events)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return o, names
	}
	d := demo.New(1, 1)
	filled := open(d)
	if err := d.Fill(t.Context(), filled.Into(false), people); err != nil {
		t.Fatal(err)
	}
	// The same lines, each read and delivered before the next is made.
	one := open(demo.New(1, 1))
	live, at := generate.NewLive(1), time.Now().Add(-time.Hour)
	intake := ingest.NewIntake(one.Into(false))
	for n := 0; live.People() < people || n%batch > 0; n++ {
		intake.Reset()
		if v := intake.Take(live.Next(nil, at), ingest.Arrival{Received: time.Now().UnixMilli(), Source: []byte("demo")}); v.Rejection != nil {
			t.Fatal(v.Rejection)
		}
		if err := intake.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, names := outcomeOf(filled)
	want, wantNames := outcomeOf(one)
	if err := got.Differ(want); err != nil {
		t.Error(err)
	}
	for key, name := range wantNames { // a key is computed at once, and a name is read later
		if names[key] != name {
			t.Fatalf("an identifier is called %v, want %v", names[key], name)
		}
	}
	totals, err := d.Totals(filled.Engine())
	if err != nil || totals.Missed != 0 {
		t.Errorf("%+v, %v: merges of the past are not to be shown", totals, err)
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
