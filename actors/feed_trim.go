package actors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// trimBlocks bounds how many blocks of one shard are deleted at a time.
const trimBlocks = 4096

// trimEvery is how many ticks pass between two looks at what may be deleted.
const trimEvery = 50 // of 200 ms

func readFeedTrim(store storage.Store, dec *row.Decoder, shard graph.ShardID) (row.FeedTrim, error) {
	value, err := store.Get(nil, row.AppendFeedTrimKey(nil, shard))
	if errors.Is(err, storage.ErrNotFound) {
		return row.FeedTrim{}, nil
	}
	if err != nil {
		return row.FeedTrim{}, err
	}
	trim, err := dec.FeedTrim(value)
	if err != nil {
		return trim, fmt.Errorf("feed trim of shard %d: %w", shard, err)
	}
	return trim, nil
}

// trim deletes what is older than the feed's age, and the oldest of what is beyond its bytes, but
// nothing that a sink has not acknowledged. Readers that are not sinks may be overtaken.
func (f *changeFeed) trim(now int64) error {
	f.keeping.Lock() // so that no sink registers meanwhile
	defer f.keeping.Unlock()
	for shard := range f.trims {
		if err := f.trimShard(graph.ShardID(shard), now); err != nil {
			return err
		}
	}
	return nil
}

// REQUIRES: f.keeping held
func (f *changeFeed) trimShard(shard graph.ShardID, now int64) error {
	trim := f.trims[shard]
	least := f.ends[shard].Load()
	for _, numbers := range f.sinks {
		least = min(least, numbers[shard])
	}
	if least <= trim.Number {
		return nil
	}
	dec := row.NewDecoder()
	value, err := f.store.Get(nil, row.AppendFeedStateKey(nil, shard))
	if err != nil {
		return err
	}
	state, err := dec.FeedState(value)
	if err != nil {
		return fmt.Errorf("feed state of shard %d: %w", shard, err)
	}
	room := uint64(f.settings.Bytes) / uint64(len(f.trims))
	oldest := now - f.settings.Age.Milliseconds()
	next, blocks := trim, 0
	err = f.store.Iterate(row.AppendFeedKey(nil, shard, trim.Number+1), row.AppendShardUpper(nil, row.SpaceFeed, shard), func(key, value []byte) error {
		b, number, err := readFeedBlock(dec, key, value)
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
	batch.DeleteRange(row.AppendFeedKey(nil, shard, trim.Number+1), row.AppendFeedKey(nil, shard, next.Number+1))
	batch.Set(row.AppendFeedTrimKey(nil, shard), row.NewEncoder().FeedTrim(nil, &next))
	if err := f.store.Commit(&batch); err != nil {
		return err
	}
	f.trims[shard] = next
	return nil
}

// FeedSink is a receiver of the change feed whose place is kept in the deployment. What it has not
// acknowledged is not deleted, for as long as it is registered.
type FeedSink struct {
	feed *changeFeed
	name string
}

// readSinks finds the receivers.
func (f *changeFeed) readSinks() error {
	dec := row.NewDecoder()
	return f.store.Iterate(row.AppendFeedSinksLower(nil), row.AppendFeedSinksUpper(nil), func(_, value []byte) error {
		sink, err := dec.FeedSink(value)
		if err != nil {
			return fmt.Errorf("receiver of the change feed: %w", err)
		}
		if len(sink.Numbers) != len(f.ends) {
			return fmt.Errorf("%w: receiver %q of the change feed has %d shards, want %d", storage.ErrCorrupt, sink.Name, len(sink.Numbers), len(f.ends))
		}
		f.sinks[sink.Name] = sink.Numbers
		return nil
	})
}

// FeedSink finds the receiver of a name, and registers it where there is none: it then begins with the
// oldest entries that are kept. It fails with ErrFeedOff.
func (e *Engine) FeedSink(name string) (*FeedSink, error) {
	f := e.feed
	if f == nil {
		return nil, ErrFeedOff
	}
	if name == "" || len(name) > row.MaxFeedSinkName {
		return nil, fmt.Errorf("name of a receiver of the change feed of %d bytes: give 1 to %d", len(name), row.MaxFeedSinkName)
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	if _, known := f.sinks[name]; !known {
		numbers := make(feedCursor, len(f.trims))
		for shard := range numbers {
			numbers[shard] = f.trims[shard].Number
		}
		if err := f.writeSinkLocked(name, numbers); err != nil {
			return nil, err
		}
	}
	return &FeedSink{f, name}, nil
}

// FeedReceiver is a registered receiver and how far it is behind.
type FeedReceiver struct {
	Name   string
	Behind uint64 // durable entries that it has not acknowledged
}

// FeedReceivers lists the registered receivers by name. It fails with ErrFeedOff.
func (e *Engine) FeedReceivers() ([]FeedReceiver, error) {
	f := e.feed
	if f == nil {
		return nil, ErrFeedOff
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	receivers := make([]FeedReceiver, 0, len(f.sinks))
	for _, name := range slices.Sorted(maps.Keys(f.sinks)) {
		receivers = append(receivers, FeedReceiver{Name: name, Behind: f.behindLocked(name)})
	}
	return receivers, nil
}

// ErrNoReceiver is returned where the change feed has no receiver of that name.
var ErrNoReceiver = errors.New("the change feed has no such receiver")

// DropFeedSink forgets a receiver, so that the feed no longer keeps what it has not acknowledged. It fails with
// ErrFeedOff, and with ErrNoReceiver.
func (e *Engine) DropFeedSink(name string) error {
	f := e.feed
	if f == nil {
		return ErrFeedOff
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	if _, known := f.sinks[name]; !known {
		return fmt.Errorf("%w: %q; it has %q", ErrNoReceiver, name, slices.Sorted(maps.Keys(f.sinks)))
	}
	var batch storage.Batch
	batch.Delete(row.AppendFeedSinkKey(nil, name))
	if err := f.store.Commit(&batch); err != nil {
		return err
	}
	delete(f.sinks, name)
	return nil
}

// REQUIRES: f.keeping held
func (f *changeFeed) writeSinkLocked(name string, numbers []uint64) error {
	var batch storage.Batch
	batch.Set(row.AppendFeedSinkKey(nil, name), row.NewEncoder().FeedSink(nil, &row.FeedSink{Name: name, Numbers: numbers}))
	if err := f.store.Commit(&batch); err != nil {
		return err
	}
	f.sinks[name] = numbers
	return nil
}

// Reader reads on where the receiver acknowledged last.
func (s *FeedSink) Reader() *FeedReader {
	s.feed.keeping.Lock()
	defer s.feed.keeping.Unlock()
	return newFeedReader(s.feed, slices.Clone(s.feed.sinks[s.name]))
}

// Behind counts the entries of the feed that are durable and that the receiver has not acknowledged.
func (s *FeedSink) Behind() uint64 {
	s.feed.keeping.Lock()
	defer s.feed.keeping.Unlock()
	return s.feed.behindLocked(s.name)
}

// behindLocked counts the durable entries that a receiver has not acknowledged; 0 for one that was dropped.
//
// REQUIRES: f.keeping held
func (f *changeFeed) behindLocked(name string) uint64 {
	var n uint64
	for shard, acked := range f.sinks[name] {
		if end := f.ends[shard].Load(); end > acked {
			n += end - acked
		}
	}
	return n
}

// Ack notes, durably, that everything before a reader's cursor was received. One that is older than
// before changes nothing.
func (s *FeedSink) Ack(_ context.Context, cursor string) error {
	acked, err := parseFeedCursor(cursor, len(s.feed.ends))
	if err != nil {
		return err
	}
	s.feed.keeping.Lock()
	defer s.feed.keeping.Unlock()
	before, known := s.feed.sinks[s.name]
	if !known {
		return fmt.Errorf("receiver %q of the change feed was dropped", s.name)
	}
	news := false
	for shard := range acked {
		news = news || acked[shard] > before[shard]
		acked[shard] = max(acked[shard], before[shard])
	}
	if !news {
		return nil
	}
	return s.feed.writeSinkLocked(s.name, acked)
}
