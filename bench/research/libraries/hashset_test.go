package libraries

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/cockroachdb/swiss"
	cuckoo "github.com/seiflotfy/cuckoofilter"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/hashset"
)

// BenchmarkFingerprints looks up nodes that were never stored, in a set of three million others.
func BenchmarkFingerprints(b *testing.B) {
	const nodes = 3_000_000
	run := func(name string, fill func(next func() graph.NodeKey) (has func(graph.NodeKey) bool)) {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			next := func() graph.NodeKey { return graph.NodeKey{Hi: r.Uint64(), Lo: r.Uint64()} }
			before := heap()
			has := fill(next)
			used := heap() - before
			wrong := 0
			b.ReportAllocs()
			for b.Loop() {
				if has(next()) {
					wrong++
				}
			}
			b.ReportMetric(float64(used)/nodes, "B/node")
			b.ReportMetric(100*float64(wrong)/float64(b.N), "%wrong")
			runtime.KeepAlive(has)
		})
	}
	run("hashset", func(next func() graph.NodeKey) func(graph.NodeKey) bool {
		f := hashset.NewFingerprints(1 << 30)
		for range nodes {
			f.Add(next())
		}
		return f.Has
	})
	run("hashset filter", func(next func() graph.NodeKey) func(graph.NodeKey) bool {
		f := hashset.NewFilter(nodes)
		for range nodes {
			f.Add(next().Lo)
		}
		return func(k graph.NodeKey) bool { return f.MayHave(k.Lo) }
	})
	run("map", func(next func() graph.NodeKey) func(graph.NodeKey) bool {
		m := make(map[uint64]struct{})
		for range nodes {
			m[next().Lo] = struct{}{}
		}
		return func(k graph.NodeKey) bool { _, ok := m[k.Lo]; return ok }
	})
	run("swiss", func(next func() graph.NodeKey) func(graph.NodeKey) bool {
		m := swiss.New[uint64, struct{}](0)
		for range nodes {
			m.Put(next().Lo, struct{}{})
		}
		return func(k graph.NodeKey) bool { _, ok := m.Get(k.Lo); return ok }
	})
	key := make([]byte, 0, 16)
	run("bloom", func(next func() graph.NodeKey) func(graph.NodeKey) bool {
		f := bloom.NewWithEstimates(nodes, 0.0125)
		for range nodes {
			f.Add(next().AppendBinary(key[:0]))
		}
		return func(k graph.NodeKey) bool { return f.Test(k.AppendBinary(key[:0])) }
	})
	run("cuckoo", func(next func() graph.NodeKey) func(graph.NodeKey) bool {
		f := cuckoo.NewFilter(nodes)
		for range nodes {
			f.Insert(next().AppendBinary(key[:0]))
		}
		return func(k graph.NodeKey) bool { return f.Lookup(k.AppendBinary(key[:0])) }
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
