package row

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// keyOf is a key of the kind, of a shard if its rows belong to one.
func (k *kind) keyOf(shard graph.ShardID, fill byte) []byte {
	key := []byte{byte(k.space), k.row}[:k.head()]
	for i, f := range k.key {
		if i == 0 && !k.catalog {
			key = append(key, byte(shard>>8), byte(shard))
			continue
		}
		key = append(key, bytes.Repeat([]byte{fill}, max(1, f.bytes))...)
	}
	return key
}

var someShards = []graph.ShardID{0, 1, 2, 254, 255, 256, 257, 65279, 65534, 65535}

// A row is in exactly one range of its own shard, and in none of another's. It holds for every kind, also for one that is added:
// its key either begins with the shard, or its rows are the catalog's.
func TestShardRangesHoldEveryKind(t *testing.T) {
	for _, k := range kinds {
		if !k.catalog && (len(k.key) == 0 || k.key[0] != shardField) {
			t.Errorf("%s: the key does not begin with the shard, and the kind is not in the catalog", k.name)
		}
		for _, of := range someShards {
			for _, fill := range []byte{0x00, 0x01, 0xff} {
				key := k.keyOf(of, fill)
				if at, err := ShardOf(key); k.catalog != (err != nil) || err == nil && at != of {
					if k.checkKey == nil {
						t.Errorf("%s: shard of % x is %d, %v", k.name, key, at, err)
					}
				}
				for _, shard := range someShards {
					n := 0
					for _, r := range ShardRanges(shard) {
						if bytes.Compare(r.Lower, key) <= 0 && bytes.Compare(key, r.Upper) < 0 {
							n++
						}
					}
					if want := shard == of && !k.catalog; n > 1 || (n == 1) != want {
						t.Errorf("%s: % x is in %d ranges of shard %d", k.name, key, n, shard)
					}
				}
			}
		}
	}
	for _, shard := range someShards {
		ranges := ShardRanges(shard)
		for i, r := range ranges {
			if bytes.Compare(r.Lower, r.Upper) >= 0 || i > 0 && bytes.Compare(ranges[i-1].Upper, r.Lower) > 0 {
				t.Errorf("shard %d: range % x to % x is empty or out of order", shard, r.Lower, r.Upper)
			}
		}
		if last := ranges[len(ranges)-1].Lower; Space(last[0]) != SpaceJournal {
			t.Errorf("shard %d: rows at % x are copied after the position in the journal", shard, last)
		}
	}
}

// Rows that several shards put are told apart by the ranges: dropping one shard leaves the others and the catalog whole.
func TestShardRangesDropOneShard(t *testing.T) {
	s := storage.NewMemStore()
	var b storage.Batch
	var kept []string
	for _, k := range kinds {
		for _, of := range someShards {
			key := k.keyOf(of, 1)
			b.Set(key, nil)
			if k.catalog || of != 256 {
				kept = append(kept, string(key))
			}
		}
	}
	must(t, s.Commit(&b))
	b.Reset()
	for _, r := range ShardRanges(256) {
		b.DeleteRange(r.Lower, r.Upper)
	}
	must(t, s.Commit(&b))
	var left []string
	must(t, s.Iterate([]byte{0}, []byte{0xff}, func(key, _ []byte) error { left = append(left, string(key)); return nil }))
	slices.Sort(kept)
	if kept = slices.Compact(kept); !slices.Equal(left, kept) {
		t.Errorf("%d rows are left, want %d", len(left), len(kept))
	}
}

// A batch of rows that a shard's commits write passes, and is the same batch again.
func TestOpsOf(t *testing.T) {
	enc := NewEncoder()
	for _, shard := range someShards {
		var b storage.Batch
		record := sampleRecord()
		enc.PutMeta(&b, shard, sampleMeta())
		enc.PutRecord(&b, shard, record.Seq, writeRecord(&RecordWriter{}, nil, &record))
		enc.PutNode(&b, shard, sampleRoot(), 1)
		DeleteRecords(&b, shard, 1, 1<<63)
		DeleteFeedMarks(&b, shard)
		DeleteFeed(&b, shard, 0, 1<<63)
		for _, r := range ShardRanges(shard) {
			if Space(r.Lower[0]) != SpaceJournal {
				b.DeleteRange(r.Lower, r.Upper)
			}
		}
		b.Delete(appendPositionKey(nil, shard))
		ops, n := b.Ops()
		again, err := OpsOf(bytes.Clone(ops), n, shard)
		if err != nil {
			t.Fatalf("shard %d: %v", shard, err)
		}
		if got, m := again.Ops(); m != n || !bytes.Equal(got, ops) || again.Size() != b.Size() || again.Len() != b.Len() {
			t.Errorf("shard %d: the batch is another one", shard)
		}
		if _, err := OpsOf(ops, n, shard^1); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("a batch of shard %d as one of shard %d: %v", shard, shard^1, err)
		}
	}
	if b, err := OpsOf(nil, 0, 7); err != nil || !b.Empty() {
		t.Errorf("a record without operations: %v", err)
	}
}

func TestOpsOfRefuses(t *testing.T) {
	set := func(key []byte) *storage.Batch { b := new(storage.Batch); b.Set(key, []byte("x")); return b }
	drop := func(lower, upper []byte) *storage.Batch {
		b := new(storage.Batch)
		b.DeleteRange(lower, upper)
		return b
	}
	for name, b := range map[string]*storage.Batch{
		"row of another shard":             set(appendMetaKey(nil, 8)),
		"row of the catalog":               set(appendRulesKey(nil)),
		"channel":                          set(appendChannelKey(nil, 7)),
		"settings of the feed":             set(appendFeedSettingsKey(nil)),
		"no row":                           set([]byte{0x1e, 0, 7}),
		"key that no row has":              set(append(appendMetaKey(nil, 7), 0)),
		"empty key":                        set(nil),
		"journal position":                 set(appendJournalPositionKey(nil, 7)),
		"range of the next shard":          drop(AppendShardLower(nil, SpaceNode, 7), AppendShardUpper(nil, SpaceNode, 8)),
		"range of the shard before":        drop(AppendShardLower(nil, SpaceNode, 6), AppendShardUpper(nil, SpaceNode, 7)),
		"range over spaces":                drop(AppendShardLower(nil, SpaceNode, 7), AppendShardUpper(nil, SpaceLog+5, 7)),
		"range of the journal position":    drop(AppendShardLower(nil, SpaceJournal, 7), AppendShardUpper(nil, SpaceJournal, 7)),
		"range that ends in the catalog":   drop(appendFeedTrimKey(nil, 7), appendFeedSinkKey(nil, "a")),
		"range without keys":               drop(appendMetaKey(nil, 7), appendMetaKey(nil, 7)),
		"range upside down":                drop(AppendShardUpper(nil, SpaceNode, 7), AppendShardLower(nil, SpaceNode, 7)),
		"good row, then a row of another":  func() *storage.Batch { b := set(appendMetaKey(nil, 7)); b.Append(set(appendMetaKey(nil, 9))); return b }(),
		"deletion of a row of the catalog": func() *storage.Batch { b := new(storage.Batch); b.Delete(appendDeploymentKey(nil)); return b }(),
	} {
		ops, n := b.Ops()
		if _, err := OpsOf(ops, n, 7); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Damaged operations are refused or are operations on the same shard; nothing panics.
func FuzzOpsOf(f *testing.F) {
	enc := NewEncoder()
	var b storage.Batch
	enc.PutMeta(&b, 7, sampleMeta())
	DeleteFeedMarks(&b, 7)
	b.Delete(appendPositionKey(nil, 7))
	ops, n := b.Ops()
	f.Add(ops, n)
	r := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		damaged := bytes.Clone(ops)
		damaged[r.IntN(len(damaged))] ^= 1 << r.IntN(8)
		f.Add(damaged, n)
	}
	f.Fuzz(func(t *testing.T, ops []byte, n uint32) {
		b, err := OpsOf(ops, n, 7)
		if err != nil {
			if !errors.Is(err, storage.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		s := storage.NewMemStore()
		must(t, s.Commit(b))
		must(t, s.Iterate([]byte{0}, []byte{0xff}, func(key, _ []byte) error {
			if of, err := ShardOf(key); err != nil || of != 7 || Space(key[0]) == SpaceJournal {
				t.Errorf("% x was written by a batch of shard 7: %v", key, err)
			}
			return nil
		}))
	})
}
