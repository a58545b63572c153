package journaltest

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// disk is a node's store. A crash loses commits since the last sync, from some commit on.
type disk struct {
	store   *storage.MemStore
	durable *storage.MemStore
	pending []*storage.Batch
	enc     *row.Encoder
}

func newDisk() *disk {
	return &disk{store: storage.NewMemStore(), durable: storage.NewMemStore(), enc: row.NewEncoder()}
}

func (d *disk) commit(b *storage.Batch) error {
	if b.Empty() {
		return nil
	}
	kept := &storage.Batch{}
	kept.Append(b)
	d.pending = append(d.pending, kept)
	return d.store.Commit(b)
}

func (d *disk) sync() {
	if err := d.durable.Commit(d.pending...); err != nil {
		panic(err)
	}
	d.pending = nil
}

// crash forgets some of what was not synced, and reports whether it did.
func (d *disk) crash(rng *rand.Rand) (lost bool) {
	kept := rng.IntN(len(d.pending) + 1)
	lost = kept < len(d.pending)
	d.pending = d.pending[:kept]
	d.sync()
	d.store = storage.NewMemStore()
	var b storage.Batch
	err := d.durable.Iterate([]byte{0}, []byte{0xff}, func(key, value []byte) error {
		b.Set(key, value)
		return nil
	})
	if err == nil {
		err = d.store.Commit(&b)
	}
	if err != nil {
		panic(err)
	}
	return lost
}

// position is that of a copy in a store; nil if it has none.
func position(s storage.Reader, shard graph.ShardID) *journal.Position {
	p, err := row.ReadJournalPosition(s, shard)
	if err != nil {
		return nil
	}
	at := journal.Position(p)
	return &at
}

// put writes the position of a copy.
func (d *disk) put(b *storage.Batch, shard graph.ShardID, at journal.Position) {
	p := row.JournalPosition(at)
	d.enc.PutJournalPosition(b, shard, &p)
}

// hash is that of the rows of a shard, in any store.
func (w *World) hash(s storage.Reader, shard graph.ShardID) uint64 {
	h := uint64(0)
	for _, r := range w.shardRanges[shard] {
		err := s.Iterate(r[0], r[1], func(key, value []byte) error {
			h ^= hashOf(key, value)
			return nil
		})
		w.Must(err, "read rows")
	}
	return h
}

func hashOf(parts ...[]byte) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		var n [4]byte
		binary.LittleEndian.PutUint32(n[:], uint32(len(part)))
		_, _ = h.Write(n[:])
		_, _ = h.Write(part)
	}
	return h.Sum64()
}
