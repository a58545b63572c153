package feed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Receiver is a reader of the feed whose place the deployment keeps. Entries that it has not acknowledged are not
// deleted as long as it is registered. So the feed grows without bound for a receiver that is gone for good, until an
// operator drops it.
//
// An acknowledged place never goes back, in any shard: of two processes that deliver for one name, the slower one
// changes nothing.
type Receiver struct {
	feed *Feed
	name string
}

// ErrNoReceiver is returned where the change feed has no receiver of that name.
var ErrNoReceiver = errors.New("the change feed has no such receiver")

// Receiver finds the receiver of a name, and registers a new name: then the receiver begins with the oldest entries
// that are kept. It fails with ErrOff.
func (f *Feed) Receiver(name string) (*Receiver, error) {
	if f == nil {
		return nil, ErrOff
	}
	if name == "" || len(name) > row.MaxFeedSinkName {
		return nil, fmt.Errorf("name of a receiver of the change feed of %d bytes: give 1 to %d", len(name), row.MaxFeedSinkName)
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	if _, known := f.receivers[name]; !known {
		numbers := make(place, len(f.trims))
		for shard := range numbers {
			numbers[shard] = f.trims[shard].Number
		}
		if err := f.moveReceiverLocked(name, numbers, true); err != nil {
			return nil, err
		}
	}
	return &Receiver{f, name}, nil
}

// Receivers lists the registered receivers by name. It fails with ErrOff.
func (f *Feed) Receivers() ([]*Receiver, error) {
	if f == nil {
		return nil, ErrOff
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	receivers := make([]*Receiver, 0, len(f.receivers))
	for _, name := range slices.Sorted(maps.Keys(f.receivers)) {
		receivers = append(receivers, &Receiver{f, name})
	}
	return receivers, nil
}

// Drop forgets a receiver, so that the feed no longer keeps what it has not acknowledged. It fails with ErrOff, and
// with ErrNoReceiver.
func (f *Feed) Drop(name string) error {
	if f == nil {
		return ErrOff
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	if _, known := f.receivers[name]; !known {
		return fmt.Errorf("%w: %q; it has %q", ErrNoReceiver, name, slices.Sorted(maps.Keys(f.receivers)))
	}
	err := f.catalog.Change(context.Background(), func(change *catalog.Change) error {
		row.DeleteFeedSink(change.Batch(), name)
		return nil
	})
	if err == nil {
		delete(f.receivers, name)
	}
	return err
}

// Name is the receiver's name.
func (r *Receiver) Name() string { return r.name }

// Reader reads on where the receiver acknowledged last.
func (r *Receiver) Reader() *Reader {
	r.feed.keeping.Lock()
	defer r.feed.keeping.Unlock()
	return newReader(r.feed, slices.Clone(r.feed.receivers[r.name]))
}

// Behind counts the entries of the feed that are durable and that the receiver has not acknowledged; 0 for one that was
// dropped.
func (r *Receiver) Behind() uint64 {
	r.feed.keeping.Lock()
	defer r.feed.keeping.Unlock()
	var n uint64
	for shard, acked := range r.feed.receivers[r.name] {
		if end := r.feed.ends[shard].Load(); end > acked {
			n += end - acked
		}
	}
	return n
}

// Ack notes, durably, that everything before a reader's cursor was received. One that is older than before changes
// nothing.
func (r *Receiver) Ack(cursor string) error {
	f := r.feed
	acked, err := parseCursor(cursor, len(f.ends))
	if err != nil {
		return err
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	before, known := f.receivers[r.name]
	if !known {
		return dropped(r.name)
	}
	if !place(before).moves(acked) {
		return nil
	}
	return f.moveReceiverLocked(r.name, acked, false)
}

// moves reports whether a place is ahead of this one in any shard.
func (c place) moves(to place) bool {
	for shard := range to {
		if to[shard] > c[shard] {
			return true
		}
	}
	return false
}

// readReceivers finds the receivers.
func (f *Feed) readReceivers() error {
	return row.ScanFeedSinks(f.catalog.Reader(), func(stored row.FeedSink) error {
		if len(stored.Numbers) != len(f.ends) {
			return fmt.Errorf("%w: receiver %q of the change feed has %d shards, want %d", storage.ErrCorrupt, stored.Name, len(stored.Numbers), len(f.ends))
		}
		f.receivers[stored.Name] = stored.Numbers
		return nil
	})
}

// moveReceiverLocked writes how far a receiver is: at numbers, or where it was if that is further. A new one is
// registered.
//
// REQUIRES: f.keeping held
func (f *Feed) moveReceiverLocked(name string, numbers place, register bool) error {
	next := row.FeedSink{Name: name}
	err := f.catalog.Change(context.Background(), func(change *catalog.Change) error {
		stored, err := row.ReadFeedSink(change, name)
		switch {
		case errors.Is(err, storage.ErrNotFound) && register:
			next.Numbers = numbers
		case errors.Is(err, storage.ErrNotFound):
			return dropped(name)
		case err != nil:
			return err
		default:
			next.Numbers = stored.Numbers
			for shard := range numbers {
				next.Numbers[shard] = max(next.Numbers[shard], numbers[shard])
			}
		}
		next.Put(change.Batch())
		return nil
	})
	if err == nil {
		f.receivers[name] = next.Numbers
	}
	return err
}

func dropped(name string) error {
	return fmt.Errorf("receiver %q of the change feed was dropped", name)
}
