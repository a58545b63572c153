package feed

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// trimBlocks bounds how many blocks of one shard are deleted at a time.
const trimBlocks = 4096

// Trim deletes what is older than the feed's age, and the oldest of what is beyond its bytes, but
// nothing that a receiver has not acknowledged. Readers that are not receivers may be overtaken.
func (f *Feed) Trim(now int64) error {
	if f == nil {
		return nil
	}
	f.keeping.Lock() // so that no receiver registers meanwhile
	defer f.keeping.Unlock()
	for shard := range f.trims {
		if err := f.trimShard(graph.ShardID(shard), now); err != nil {
			return err
		}
	}
	return nil
}

// REQUIRES: f.keeping held
func (f *Feed) trimShard(shard graph.ShardID, now int64) error {
	trim := f.trims[shard]
	least := f.ends[shard].Load()
	for _, numbers := range f.receivers {
		least = min(least, numbers[shard])
	}
	if least <= trim.Number {
		return nil
	}
	state, err := row.ReadFeedState(f.store, shard)
	if err != nil {
		return err
	}
	room := uint64(f.settings.Bytes) / uint64(len(f.trims))
	oldest := now - f.settings.Age.Milliseconds()
	next, blocks := trim, 0
	dec := row.NewDecoder()
	err = row.ScanFeed(f.store, shard, trim.Number+1, func(key, value []byte) error {
		b, number, err := dec.FeedRow(key, value)
		if err != nil {
			return err
		}
		if number > least || blocks == trimBlocks || b.At >= oldest && state.Bytes-next.Bytes <= room {
			return storage.ErrStop
		}
		blocks++
		next = row.FeedTrim{Number: number, Bytes: next.Bytes + uint64(len(value))}
		return nil
	})
	if err != nil || blocks == 0 {
		return err
	}
	var batch storage.Batch
	row.DeleteFeed(&batch, shard, trim.Number+1, next.Number+1)
	next.Put(&batch, shard)
	if err := f.store.Commit(&batch); err != nil {
		return err
	}
	f.trims[shard] = next
	return nil
}
