package actors

import (
	"context"
	"runtime"
	"testing"

	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// The estimate of what a resident takes is right: it is what holds the process to its memory. Visitors with one page view
// are the worst case, since what a resident takes beside its component counts most.
func TestResidentsTakeWhatIsEstimated(t *testing.T) {
	if testing.Short() && raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	store, _, err := row.Open(storage.Options{Dir: t.TempDir(), BlockCacheBytes: 1 << 20, MemtableBytes: 4 << 20}, row.Deployment{Shards: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	memory, err := storage.SplitMemory(4 << 30)
	if err != nil {
		t.Fatal(err)
	}
	file, err := rulesfile.Load("default")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(context.Background(), Config{Store: store, Deployment: row.Deployment{Shards: 4}, Rules: file.Rules, Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	const visitors = 40_000
	next := uint64(0)
	add := func(n int) {
		d := &Delivery{}
		for range n {
			next++
			d.Add(pageView(int(next)))
		}
		answer := make(chan error, 1)
		if err := e.Submit(context.Background(), d, func(err error) { answer <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	}
	measure := func() (heap, estimate, residents int64) {
		if err := e.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		stats, err := e.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc), stats.ActorBytes, int64(stats.Residents)
	}
	for range 40 { // so that batches have grown to the size that they keep
		add(1000)
	}
	heap0, estimate0, residents0 := measure()
	for range visitors / 1000 {
		add(1000)
	}
	heap, estimate, residents := measure()
	n := residents - residents0
	real, said := float64(heap-heap0)/float64(n), float64(estimate-estimate0)/float64(n)
	t.Logf("%d residents of %.0f bytes, estimated as %.0f", n, real, said)
	if n != visitors || said < 0.9*real || said > 1.3*real {
		t.Errorf("%d residents take %.0f bytes each and are estimated as %.0f", n, real, said)
	}
}
