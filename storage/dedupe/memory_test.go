package dedupe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/hashset"
)

// A model of the memory of duplicates: what was added and when, and the part of it that a crash leaves.
type memoryModel struct {
	now, durable map[uint64]int64
}

func hashOf(i int) uint64 {
	if i == 0 {
		return 0 // the hash that a slot can't hold
	}
	r := rand.NewPCG(uint64(i), 99)
	return r.Uint64()
}

func TestMemoryModel(t *testing.T) {
	const horizon = 8000                                  // ms; a generation is 1000
	for _, limit := range []int64{1, 20 << 10, 1 << 30} { // always spilling, sometimes, never
		for seed := range uint64(4) {
			r := rand.New(rand.NewPCG(seed, uint64(limit)))
			store := storage.NewMemStore()
			limits := Limits{Bytes: limit, Horizon: horizon * time.Millisecond}
			s := New(store, 3, limits)
			model := memoryModel{now: map[uint64]int64{}, durable: map[uint64]int64{}}
			now, next := int64(1_000_000), 0
			expired := int64(0) // when Expire was called last
			check := func(h uint64) bool {
				t.Helper()
				has, err := s.Has(h)
				if err != nil {
					t.Fatal(err)
				}
				at, added := model.now[h]
				switch {
				case added && !has && at > now-horizon:
					t.Fatalf("limit %d seed %d: %x of %d ms ago is forgotten", limit, seed, h, now-at)
				case has && !added:
					t.Fatalf("limit %d seed %d: %x was never added", limit, seed, h)
				case has && at < expired-horizon-1000: // a generation goes as a whole
					t.Fatalf("limit %d seed %d: %x of %d ms ago is remembered", limit, seed, h, now-at)
				}
				return has
			}
			for range 120 {
				now += r.Int64N(500)
				switch r.IntN(12) {
				case 0, 1: // the commit that truncates the log
					var b storage.Batch
					if err := s.Flush(&b); err != nil {
						t.Fatal(err)
					}
					if r.IntN(2) == 0 {
						if err := s.Expire(now, &b); err != nil {
							t.Fatal(err)
						}
						expired = now
					}
					for h := range model.now { // before the commit has returned
						if check(h); r.IntN(50) == 0 {
							break
						}
					}
					if err := store.Commit(&b); err != nil {
						t.Fatal(err)
					}
					maps.DeleteFunc(model.now, func(h uint64, at int64) bool { return !check(h) })
					model.durable = maps.Clone(model.now)
					if limit > 1 && limit < 1<<20 && s.set.Bytes() > limit {
						t.Fatalf("table of %d bytes after a flush, limit %d", s.set.Bytes(), limit)
					}
				case 2: // a crash: replay adds again what was not flushed
					store = store.Reopen()
					s = New(store, 3, limits)
					lost := maps.Clone(model.now)
					for h := range model.durable {
						delete(lost, h)
					}
					if r.IntN(2) == 0 { // a replay of more than was lost changes nothing
						maps.Copy(lost, model.durable)
					}
					for _, h := range slices.Sorted(maps.Keys(lost)) {
						s.Add(h, lost[h])
					}
				default:
					for range r.IntN(120) {
						i := next
						if r.IntN(3) == 0 {
							i = r.IntN(next + 1)
						}
						next = max(next, i+1)
						h := hashOf(i)
						if !check(h) {
							s.Add(h, now)
							model.now[h] = now
						}
						if !check(h) {
							t.Fatalf("%x was just added", h)
						}
					}
				}
				check(r.Uint64())
			}
			for h := range model.now {
				check(h)
			}
		}
	}
}

// Many hashes in little memory, over restarts, on the real store: answers stay right and memory bounded.
func TestSpills(t *testing.T) {
	store, err := storage.Open(storage.Options{Dir: t.TempDir() + "/data", Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const limit, total = 256 << 10, 150_000 // 1.2 MB of hashes
	s := New(store, 1, Limits{Bytes: limit})
	var b storage.Batch
	for i := range total {
		s.Add(hashOf(i), int64(i)*1000)
		if i%5000 == 4999 {
			b.Reset()
			if err := s.Flush(&b); err != nil {
				t.Fatal(err)
			}
			if err := store.Commit(&b); err != nil {
				t.Fatal(err)
			}
			if s.Bytes() > 2*limit {
				t.Fatalf("%d bytes after %d hashes, limit %d", s.Bytes(), i, limit)
			}
		}
	}
	check := func(s *Memory) {
		for i := range total {
			if i%7 != 0 {
				continue
			}
			if has, err := s.Has(hashOf(i)); err != nil || !has {
				t.Fatalf("hash %d: %v, %v", i, has, err)
			}
			if has, err := s.Has(hashOf(i + total)); err != nil || has {
				t.Fatalf("hash %d was never added: %v, %v", i+total, has, err)
			}
		}
	}
	if len(s.runs) < 2 {
		t.Fatalf("%d runs: nothing was spilled", len(s.runs))
	}
	check(s)
	again := New(store, 1, Limits{Bytes: limit})
	check(again)
	if other := New(store, 2, Limits{}); other.Load() != nil || other.set.Len() != 0 {
		t.Error("a shard sees what another one added")
	}
	b.Reset()
	if err := again.Expire(1<<50, &b); err != nil {
		t.Fatal(err)
	}
	if err := store.Commit(&b); err != nil {
		t.Fatal(err)
	}
	if again.Bytes() != 0 {
		t.Errorf("%d bytes after everything expired", again.Bytes())
	}
	if err := store.Iterate([]byte{Space}, []byte{Space + 1}, func(key, _ []byte) error {
		t.Errorf("row % x is left", key)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesDamage(t *testing.T) {
	put := func(kind rowKind, block uint32, value []byte) storage.Store {
		store := storage.NewMemStore()
		var b storage.Batch
		b.Set(rowKey{shard: 1, kind: kind, block: block}.append(nil), value)
		if err := store.Commit(&b); err != nil {
			t.Fatal(err)
		}
		return store
	}
	description := appendDescription([]byte{rowVersion}, 1, []uint64{5}, hashset.NewFilter(1))
	for _, store := range []storage.Store{
		put(addedRow, 0, nil),
		put(addedRow, 0, []byte{rowVersion}),
		put(addedRow, 0, []byte{rowVersion + 1, 0, 0, 0, 0, 0, 0, 0, 1}),
		put(addedRow, 0, make([]byte, 12)),
		put(filterRow, 0, description[:len(description)-1]),
		put(filterRow, 1, description),
		put(filterRow, 0, []byte{rowVersion}),
	} {
		if _, err := New(store, 1, Limits{}).Has(1); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%v", err)
		}
	}
	var wrong []byte
	s := New(put(filterRow, 0, description), 1, Limits{})
	for i := range s.runs {
		s.runs[i].filter = nil
	}
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	s.runs[0].filter = nil
	if _, err := s.Has(6); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("the block of a run is missing (%v): %v", wrong, err)
	}
}

// More generations than there are tags: nothing is forgotten early.
func TestWildClock(t *testing.T) {
	store := storage.NewMemStore()
	s := New(store, 1, Limits{Horizon: 8 * time.Second})
	for i := range 600 {
		s.Add(hashOf(i), int64(i%300)*1000+int64(i))
	}
	for range 2 {
		for i := range 600 {
			if has, err := s.Has(hashOf(i)); err != nil || !has {
				t.Fatalf("hash %d: %v, %v", i, has, err)
			}
		}
		var b storage.Batch
		if err := s.Flush(&b); err != nil {
			t.Fatal(err)
		}
		if err := store.Commit(&b); err != nil {
			t.Fatal(err)
		}
		s = New(store, 1, Limits{Horizon: 8 * time.Second})
	}
}

func FuzzBlock(f *testing.F) {
	f.Add(appendBlock(nil, []uint64{1, 2, 3}))
	f.Add([]byte{rowVersion, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		hashes, err := decodeBlock(b, addedBlock)
		if err == nil {
			var list []uint64
			for i := range hashes.len() {
				list = append(list, hashes.at(i))
			}
			if again := appendBlock(nil, list); !bytes.Equal(again, b) {
				t.Errorf("% x was read, and written as % x", b, again)
			}
		}
		if run, err := decodeRun(b); err == nil && run.len() > 1 && run.at(0) >= run.at(1) {
			t.Errorf("% x does not ascend", b)
		}
	})
}

func FuzzDescription(f *testing.F) {
	filter := hashset.NewFilter(600)
	filter.Add(5)
	f.Add(appendDescription(nil, 600, []uint64{5, 9}, filter))
	f.Add(binary.BigEndian.AppendUint64(nil, 1<<62))
	f.Add(appendDescription(nil, 600, []uint64{5, 9}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, version := range []byte{rowVersion, bareVersion} {
			entries, fences, filter, err := decodeDescription(version, b)
			if err != nil {
				continue
			}
			if again := appendDescription(nil, entries, fences, filter); !bytes.Equal(again, b) {
				t.Errorf("% x was read, and written as % x", b, again)
			}
		}
	})
}

// BenchmarkMemory measures one event that is new, with the growth of the table from nothing to its size.
func BenchmarkMemory(b *testing.B) {
	for _, size := range []int{20_000, 200_000, 2_000_000} {
		b.Run(fmt.Sprintf("hashes=%dk", size/1000), func(b *testing.B) {
			r := rand.NewPCG(1, 2)
			store := storage.NewMemStore()
			var s *Memory
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%size == 0 {
					s = New(store, 1, Limits{Bytes: 1 << 30})
				}
				h := r.Uint64()
				has, err := s.Has(h)
				if has || err != nil {
					b.Fatal(has, err)
				}
				s.Add(h, int64(i))
			}
		})
	}
}

// BenchmarkHas measures the look-up of a new hash where a million are remembered: all of them in the table, in sorted runs
// whose filters are in memory, and in runs whose filters had no room.
func BenchmarkHas(b *testing.B) {
	const total, flush = 1_000_000, 20_000
	for _, c := range []struct {
		name  string
		bytes int64
	}{{"table", 1 << 30}, {"filters", 4 << 20}, {"no-filters", 64 << 10}} {
		b.Run(c.name, func(b *testing.B) {
			store, err := storage.Open(storage.Options{Dir: b.TempDir() + "/data", Create: true})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			s := New(store, 1, Limits{Bytes: c.bytes})
			r := rand.NewPCG(1, 2)
			var batch storage.Batch
			written := 0
			for i := range total + 500*flush { // the last flushes bring merges to their end
				if i < total {
					s.Add(r.Uint64(), int64(i))
				}
				if i%flush == flush-1 {
					batch.Reset()
					if err := s.Flush(&batch); err != nil {
						b.Fatal(err)
					}
					written += batch.Size()
					if err := store.Commit(&batch); err != nil {
						b.Fatal(err)
					}
				}
			}
			stored := 0
			if err := store.Iterate([]byte{Space}, []byte{Space + 1}, func(key, value []byte) error {
				stored += len(key) + len(value)
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if has, err := s.Has(r.Uint64()); has || err != nil {
					b.Fatal(has, err)
				}
			}
			b.ReportMetric(float64(s.Bytes())/total, "memory-B/hash")
			b.ReportMetric(float64(stored)/total, "stored-B/hash")
			b.ReportMetric(float64(written)/total, "written-B/hash")
			b.ReportMetric(float64(len(s.runs)), "runs")
		})
	}
}
