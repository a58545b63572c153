package hashset

import (
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// A shard's keys share the low bits of one half and the class in the other.
func shardKey(r *rand.Rand) graph.NodeKey {
	return graph.MakeNodeKey(graph.ClassCookie, r.Uint64(), r.Uint64()&^63|5)
}

func TestFingerprints(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f := NewFingerprints(64 << 20)
	var keys []graph.NodeKey
	for range 200_000 {
		key := shardKey(r)
		keys = append(keys, key)
		f.Add(key)
		f.Add(key)
	}
	for _, key := range keys {
		if !f.Has(key) {
			t.Fatalf("%v was added", key)
		}
	}
	for range 200_000 {
		if key := shardKey(r); f.Has(key) {
			t.Fatalf("%v was never added", key)
		}
	}
	if !f.Complete() || f.Len() != len(keys) {
		t.Errorf("complete %v, %d of %d", f.Complete(), f.Len(), len(keys))
	}
	if per := f.Bytes() / int64(f.Len()); per < 10 || per > 16 {
		t.Errorf("%d bytes an entry", per)
	}
	// The key whose fingerprint is 0, which no slot can hold.
	zero := graph.NodeKey{}
	if f.Has(zero) {
		t.Error("the zero fingerprint is there")
	}
	f.Add(zero)
	if !f.Has(zero) {
		t.Error("the zero fingerprint was added")
	}
}

func TestFingerprintsLimit(t *testing.T) {
	const limit = 1 << 20
	r := rand.New(rand.NewPCG(1, 2))
	f := NewFingerprints(limit)
	var keys []graph.NodeKey
	for f.Complete() || len(keys)*filterBits < limit*8 {
		keys = append(keys, shardKey(r))
		f.Add(keys[len(keys)-1])
		if f.Bytes() > limit+64 {
			t.Fatalf("%d bytes for %d nodes, limit %d", f.Bytes(), len(keys), limit)
		}
	}
	if f.Len() != 0 || f.set.Bytes() != 0 {
		t.Errorf("the set is there beside the filter: %d nodes, %d bytes", f.Len(), f.set.Bytes())
	}
	for i, key := range keys {
		if !f.Has(key) {
			t.Fatalf("node %d of %d was added", i, len(keys))
		}
	}
	wrong := 0
	for range 100_000 {
		if f.Has(shardKey(r)) {
			wrong++
		}
	}
	if wrong > 2000 {
		t.Errorf("of 100000 nodes that were never added, %d are there", wrong)
	}
}

func hashOf(i int) uint64 {
	if i == 0 {
		return 0 // the hash that a slot can't hold
	}
	return rand.NewPCG(uint64(i), 99).Uint64()
}

func TestSetModel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := Set{tagged: true}
	model := map[uint64]uint8{}
	for range 30_000 {
		h := hashOf(r.IntN(4000)) // with repeats, and 0
		if r.IntN(8) == 0 {
			h = 1<<64 - 1 - r.Uint64N(50) // a crowd at the end, which wraps around
		}
		switch r.IntN(2000) {
		case 0:
			drop := uint8(r.IntN(4))
			removed := 0
			s.Remove(func(tag uint8) bool { return tag == drop }, func(h uint64) {
				if tag, ok := model[h]; !ok || tag != drop {
					t.Fatalf("%x with tag %d was removed, dropping %d", h, tag, drop)
				}
				delete(model, h)
				removed++
			})
			for h, tag := range model {
				if tag == drop {
					t.Fatalf("%x was not removed", h)
				}
			}
		default:
			tag := uint8(r.IntN(4))
			_, old := model[h]
			if s.Add(h, tag) == old {
				t.Fatalf("add %x: new %v", h, old)
			}
			if !old {
				model[h] = tag
			}
		}
		if _, ok := model[h]; ok != s.Has(h) || s.Len() != len(model) {
			t.Fatalf("%x: %v, %d of %d", h, s.Has(h), s.Len(), len(model))
		}
	}
}

func TestFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{1, 100, 100_000} {
		f := NewFilter(n)
		var hashes []uint64
		for range n {
			h := r.Uint64()
			hashes = append(hashes, h)
			f.Add(h)
		}
		for _, h := range hashes {
			if !f.MayHave(h) {
				t.Fatalf("%x was added", h)
			}
		}
		wrong := 0
		for range 100_000 {
			if f.MayHave(r.Uint64()) {
				wrong++
			}
		}
		if wrong > 2000 {
			t.Errorf("%d entries: %d of 100000 are wrong", n, wrong)
		}
	}
}

func BenchmarkFingerprints(b *testing.B) {
	for _, c := range []struct {
		name string
		n    int
	}{{"10k", 10_000}, {"1M", 1_000_000}, {"10M", 10_000_000}} {
		b.Run("nodes="+c.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			f := NewFingerprints(1 << 30)
			for range c.n {
				f.Add(shardKey(r))
			}
			b.ReportAllocs()
			for b.Loop() {
				if f.Has(shardKey(r)) {
					b.Fatal("never added")
				}
			}
			b.ReportMetric(float64(f.Bytes())/float64(f.Len()), "B/node")
		})
	}
}
