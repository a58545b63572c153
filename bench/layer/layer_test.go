package layer

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/storage"
)

// layers lists what doc.go draws, in the same order.
var layers = []struct {
	name string
	run  func(*testing.B)
}{
	{"decode/event=track", func(b *testing.B) { decode(b, trackEvent) }},
	{"decode/event=identify", func(b *testing.B) { decode(b, identifyEvent) }},
	{"decode/event=order", func(b *testing.B) { decode(b, orderEvent) }},
	{"fold/known=false", func(b *testing.B) { fold(b, false) }},
	{"fold/known=true", func(b *testing.B) { fold(b, true) }},
	{"union", union},
	{"absorb/n=2", func(b *testing.B) { absorb(b, 2) }},
	{"absorb/n=8", func(b *testing.B) { absorb(b, 8) }},
	{"absorb/n=64", func(b *testing.B) { absorb(b, 64) }},
	{"absorb/n=512", func(b *testing.B) { absorb(b, 512) }},
	{"resolve/links=8/limit=kept", func(b *testing.B) { resolve(b, 8, false) }},
	{"resolve/links=8/limit=broken", func(b *testing.B) { resolve(b, 8, true) }},
	{"resolve/links=512/limit=kept", func(b *testing.B) { resolve(b, 512, false) }},
	{"resolve/links=512/limit=broken", func(b *testing.B) { resolve(b, 512, true) }},
	{"shard", func(b *testing.B) { unions(b, 1, forgetful{}) }},
	{"shards", func(b *testing.B) { unions(b, 64, forgetful{}) }},
	{"commit", commit},
	{"durable", durable},
	{"requests", requests},
	{"read", read},
}

// BenchmarkLayer runs every layer. Garbage is collected as in serve and ingest.
func BenchmarkLayer(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(storage.GCPercent))
	for _, l := range layers {
		b.Run(l.name, l.run)
	}
}

// A stopwatch measures the processor time of a benchmark beside the clock's time, and stops both while more is made (L1, L2).
type stopwatch struct {
	b     *testing.B
	spent time.Duration
	since time.Duration // processor time when the watch last started
}

// startWatch collects the garbage of what was made so far, and starts.
func startWatch(b *testing.B) *stopwatch {
	b.ReportAllocs()
	runtime.GC()
	return &stopwatch{b: b, since: trial.ProcessorTime()}
}

// without runs fn while the watch stands, and collects its garbage.
func (w *stopwatch) without(fn func()) {
	w.spent += trial.ProcessorTime() - w.since
	w.b.StopTimer()
	fn()
	runtime.GC()
	w.b.StartTimer()
	w.since = trial.ProcessorTime()
}

// stop reports the processor time of an operation. It is called after the loop.
func (w *stopwatch) stop() {
	w.spent += trial.ProcessorTime() - w.since
	w.b.ReportMetric(float64(w.spent)/float64(w.b.N), "cpu-ns/op")
}
