package feed

import (
	"context"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// trimBlocks bounds how many blocks of one shard are deleted at a time.
const trimBlocks = 4096

// Trim decides what is to be deleted: what is older than the feed's age, and the oldest of what is beyond its bytes,
// but nothing that a receiver has not acknowledged. It returns the shards that are to do so: each deletes its part with
// its next Tidy, in a batch of its own. Readers that are not receivers may be overtaken. Shards that are not here are
// passed over. Where shards are with several processes it fails with ErrPostponed while the catalog can't be changed.
func (f *Feed) Trim(ctx context.Context, now int64, here func(graph.ShardID) bool) (due []graph.ShardID, err error) {
	if f == nil {
		return nil, nil
	}
	f.keeping.Lock() // so that no receiver registers here meanwhile: from here on, a new one begins after what is to go
	defer f.keeping.Unlock()
	decide := func() ([]shardTrim, error) { return f.decideLocked(now, here) }
	decided, err := decide()
	if f.others != nil && err == nil && len(decided) > 0 {
		decided, err = f.raiseFloors(ctx, decide)
	}
	if err != nil {
		return nil, err
	}
	for i := range decided {
		d := &decided[i]
		f.trims[d.shard] = d.to
		f.due[d.shard].Store(&d.to)
	}
	for id := range f.due {
		if here(graph.ShardID(id)) && f.due[id].Load() != nil {
			due = append(due, graph.ShardID(id))
		}
	}
	return due, nil
}

// decideLocked says how far the shards that are here may delete. REQUIRES: f.keeping held
func (f *Feed) decideLocked(now int64, here func(graph.ShardID) bool) (decided []shardTrim, err error) {
	least := make(place, len(f.ends))
	for shard := range least {
		least[shard] = f.ends[shard].Load()
	}
	if err := f.eachReceiver(func(sink row.FeedSink) {
		for shard := range least {
			least[shard] = min(least[shard], sink.Numbers[shard])
		}
	}); err != nil {
		return nil, err
	}
	for id := range least {
		if !here(graph.ShardID(id)) {
			continue
		}
		to, err := f.decideShardLocked(graph.ShardID(id), least[id], now)
		if err != nil {
			return nil, err
		}
		if to != nil {
			decided = append(decided, shardTrim{graph.ShardID(id), *to})
		}
	}
	return decided, nil
}

// decideShardLocked decides how far a shard's feed is deleted, at most up to an entry: by whole blocks, from the oldest on, as long as
// each is too old or its shard's part of the bytes is exceeded. Each shard has an equal part, so that one that is busy does not
// shorten what is kept of the others. It returns nil if nothing is to go. REQUIRES: f.keeping held
func (f *Feed) decideShardLocked(shard graph.ShardID, least uint64, now int64) (*row.FeedTrim, error) {
	trim := f.trims[shard]
	if f.others != nil { // another process may have deleted more
		stored, err := row.ReadFeedTrim(f.store, shard)
		if err != nil {
			return nil, err
		}
		if stored.Number > trim.Number {
			trim = stored
		}
	}
	if least <= trim.Number {
		return nil, nil //nolint:nilnil // nothing is to go
	}
	state, err := row.ReadFeedState(f.store, shard)
	if err != nil {
		return nil, err
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
		return nil, err
	}
	return &next, nil
}
