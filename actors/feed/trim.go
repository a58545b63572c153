package feed

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// trimBlocks bounds how many blocks of one shard are deleted at a time.
const trimBlocks = 4096

// Trim decides what is to be deleted: what is older than the feed's age, and the oldest of what is beyond its bytes,
// but nothing that a receiver has not acknowledged. It returns the shards that are to do so: each deletes its part with
// its next Tidy, in a batch of its own. Readers that are not receivers may be overtaken. Shards that are not here are
// passed over.
func (f *Feed) Trim(now int64, here func(graph.ShardID) bool) (due []graph.ShardID, err error) {
	if f == nil {
		return nil, nil
	}
	f.keeping.Lock() // so that no receiver registers meanwhile: from here on, a new one begins after what is to go
	defer f.keeping.Unlock()
	for id := range f.trims {
		if !here(graph.ShardID(id)) {
			continue
		}
		if err := f.trimShardLocked(graph.ShardID(id), now); err != nil {
			return nil, err
		}
		if f.due[id].Load() != nil {
			due = append(due, graph.ShardID(id))
		}
	}
	return due, nil
}

// trimShardLocked decides how far a shard's feed is deleted: by whole blocks, from the oldest on, as long as each is
// too old or its shard's part of the bytes is exceeded. Each shard has an equal part, so that one that is busy does not
// shorten what is kept of the others. REQUIRES: f.keeping held
func (f *Feed) trimShardLocked(shard graph.ShardID, now int64) error {
	trim := f.trims[shard]
	if f.others != nil { // another process may have deleted more
		stored, err := row.ReadFeedTrim(f.store, shard)
		if err != nil {
			return err
		}
		if stored.Number > trim.Number {
			trim = stored
		}
	}
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
	f.trims[shard] = next
	f.due[shard].Store(&next)
	return nil
}
