package storage

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
)

// A model of the memory of duplicates: what was added and when, and the part of it that a crash leaves.
type seenModel struct {
	now, durable map[uint64]int64
}

func hashOf(i int) uint64 {
	if i == 0 {
		return 0 // the hash that a slot can't hold
	}
	r := rand.NewPCG(uint64(i), 99)
	return r.Uint64()
}

func TestSeenModel(t *testing.T) {
	const horizon = 8000                                  // ms; a generation is 1000
	for _, limit := range []int64{1, 20 << 10, 1 << 30} { // always spilling, sometimes, never
		for seed := range uint64(4) {
			r := rand.New(rand.NewPCG(seed, uint64(limit)))
			store := NewMemStore()
			limits := SeenLimits{Bytes: limit, Horizon: horizon * time.Millisecond}
			s := NewSeen(store, 3, limits)
			model := seenModel{now: map[uint64]int64{}, durable: map[uint64]int64{}}
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
					var b Batch
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
					if limit > 1 && limit < 1<<20 && s.set.bytes() > limit {
						t.Fatalf("table of %d bytes after a flush, limit %d", s.set.bytes(), limit)
					}
				case 2: // a crash: replay adds again what was not flushed
					store = store.Reopen()
					s = NewSeen(store, 3, limits)
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
func TestSeenSpills(t *testing.T) {
	store, err := Open(Options{Dir: t.TempDir() + "/data", Deployment: Deployment{Shards: 4}})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const limit, total = 256 << 10, 150_000 // 1.2 MB of hashes
	s := NewSeen(store, 1, SeenLimits{Bytes: limit})
	var b Batch
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
	check := func(s *Seen) {
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
	again := NewSeen(store, 1, SeenLimits{Bytes: limit})
	check(again)
	if other := NewSeen(store, 2, SeenLimits{}); other.Load() != nil || other.set.len() != 0 {
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
	if err := store.Iterate(AppendSpaceLower(nil, SpaceSeen), AppendSpaceUpper(nil, SpaceSeen), func(key, _ []byte) error {
		t.Errorf("row % x is left", key)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSeenRefusesDamage(t *testing.T) {
	put := func(kind seenKind, block uint32, value []byte) Store {
		store := NewMemStore()
		var b Batch
		b.Set(seenKey{shard: 1, kind: kind, block: block}.append(nil), value)
		if err := store.Commit(&b); err != nil {
			t.Fatal(err)
		}
		return store
	}
	description := appendSeenDescription([]byte{seenVersion}, 1, []uint64{5}, newFilter(1))
	for _, store := range []Store{
		put(seenAdded, 0, nil),
		put(seenAdded, 0, []byte{seenVersion}),
		put(seenAdded, 0, []byte{seenVersion + 1, 0, 0, 0, 0, 0, 0, 0, 1}),
		put(seenAdded, 0, make([]byte, 12)),
		put(seenFilter, 0, description[:len(description)-1]),
		put(seenFilter, 1, description),
		put(seenFilter, 0, []byte{seenVersion}),
	} {
		if _, err := NewSeen(store, 1, SeenLimits{}).Has(1); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%v", err)
		}
	}
	var wrong []byte
	s := NewSeen(put(seenFilter, 0, description), 1, SeenLimits{})
	for i := range s.runs {
		s.runs[i].filter = nil
	}
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	s.runs[0].filter = nil
	if _, err := s.Has(6); !errors.Is(err, ErrCorrupt) {
		t.Errorf("the block of a run is missing (%v): %v", wrong, err)
	}
}

// More generations than there are tags: nothing is forgotten early.
func TestSeenWildClock(t *testing.T) {
	store := NewMemStore()
	s := NewSeen(store, 1, SeenLimits{Horizon: 8 * time.Second})
	for i := range 600 {
		s.Add(hashOf(i), int64(i%300)*1000+int64(i))
	}
	for range 2 {
		for i := range 600 {
			if has, err := s.Has(hashOf(i)); err != nil || !has {
				t.Fatalf("hash %d: %v, %v", i, has, err)
			}
		}
		var b Batch
		if err := s.Flush(&b); err != nil {
			t.Fatal(err)
		}
		if err := store.Commit(&b); err != nil {
			t.Fatal(err)
		}
		s = NewSeen(store, 1, SeenLimits{Horizon: 8 * time.Second})
	}
}

func FuzzSeenBlock(f *testing.F) {
	f.Add(appendSeenBlock(nil, []uint64{1, 2, 3}))
	f.Add([]byte{seenVersion, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		hashes, err := decodeSeenBlock(b, seenAddedBlock)
		if err == nil {
			var list []uint64
			for i := range hashes.len() {
				list = append(list, hashes.at(i))
			}
			if again := appendSeenBlock(nil, list); !bytes.Equal(again, b) {
				t.Errorf("% x was read, and written as % x", b, again)
			}
		}
		if run, err := decodeSeenRun(b); err == nil && run.len() > 1 && run.at(0) >= run.at(1) {
			t.Errorf("% x does not ascend", b)
		}
	})
}

func FuzzSeenDescription(f *testing.F) {
	filter := newFilter(600)
	filter.add(5)
	f.Add(appendSeenDescription(nil, 600, []uint64{5, 9}, filter))
	f.Add(binary.BigEndian.AppendUint64(nil, 1<<62))
	f.Add(appendSeenDescription(nil, 600, []uint64{5, 9}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, version := range []byte{seenVersion, seenBare} {
			entries, fences, filter, err := decodeSeenDescription(version, b)
			if err != nil {
				continue
			}
			if again := appendSeenDescription(nil, entries, fences, filter); !bytes.Equal(again, b) {
				t.Errorf("% x was read, and written as % x", b, again)
			}
		}
	})
}

// BenchmarkSeen measures one event that is new, with the growth of the table from nothing to its size.
func BenchmarkSeen(b *testing.B) {
	for _, size := range []int{20_000, 200_000, 2_000_000} {
		b.Run(fmt.Sprintf("hashes=%dk", size/1000), func(b *testing.B) {
			r := rand.NewPCG(1, 2)
			store := NewMemStore()
			var s *Seen
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%size == 0 {
					s = NewSeen(store, 1, SeenLimits{Bytes: 1 << 30})
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
