package ceiling

import (
	"testing"

	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Every workload has the shape that its description promises.
func TestShapes(t *testing.T) {
	const events = 40_000
	shapes := map[string]Shape{}
	for _, w := range workload.All() {
		s, err := ShapeOf(registry(t), segment.Options{}, w.Lines(1, events), now)
		if err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		shapes[w.Name] = s
		t.Logf("%-12s %+v", w.Name, s)
		if s.Events != events || s.BytesPerEvent < 500 || s.BytesPerEvent > 700 {
			t.Errorf("%s: %d events of %.0f bytes", w.Name, s.Events, s.BytesPerEvent)
		}
	}
	within := func(what string, got, low, high float64) {
		if got < low || got > high {
			t.Errorf("%s is %.4f: want %.4f to %.4f", what, got, low, high)
		}
	}
	share := func(name string, n func(Shape) int) float64 { return float64(n(shapes[name])) / events }
	merges, people := func(s Shape) int { return s.Merges }, func(s Shape) int { return s.People }
	duplicates, late := func(s Shape) int { return s.Duplicates }, func(s Shape) int { return s.Late }
	within("merges of merge-storm", share("merge-storm", merges), 0.18, 0.21)
	within("merges of hot-key", share("hot-key", merges), 0, 0)
	within("half of hot-key", shapes["hot-key"].HotShare, 0.48, 0.55)
	within("people of cold", share("cold", people), 0.22, 0.26)
	within("people of poison", share("poison", people), 0, 0.01)
	for _, name := range []string{"web", "retail", "hot-key", "cold", "poison"} {
		within("duplicates of "+name, share(name, duplicates), 0.015, 0.025)
		within("disorder of "+name, share(name, late), 0.03, 0.07)
	}
}
