package trial

import (
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
)

// The engine and the ceiling make the same people of every workload under the preset open, but for one that rules must divide.
func TestEqualsCeiling(t *testing.T) {
	open, err := rulesfile.Load("open")
	if err != nil {
		t.Fatal(err)
	}
	registry, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workload.All() {
		if w.Divided {
			continue
		}
		data := w.Lines(5, 6000)
		c := ceiling.New(registry, segment.Options{})
		if _, err := c.Run(data, time.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if err := engine(t, registry, open.Rules, data).Differ(c.Outcome()); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
	}
}

// engine ingests lines into an engine and returns its people.
func engine(t *testing.T, registry *identifier.Registry, rules *graph.Rules, data []byte) *outcome.Outcome {
	t.Helper()
	run, err := Open(t.Context(), Config{Dir: t.TempDir(), Memory: storage.MinMemory, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close(t.Context())
	if _, err := run.Ingest(t.Context(), registry, data); err != nil {
		t.Fatal(err)
	}
	o, err := run.Outcome(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}
