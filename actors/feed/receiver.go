package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Receiver is a reader of the feed whose place the deployment keeps. Entries that it has not acknowledged are not
// deleted as long as it is registered. So the feed grows without bound for a receiver that is gone for good, until an
// operator drops it.
//
// An acknowledged place never goes back, in any shard. Where shards are with several processes, only the last one that has called
// Feed.Receiver moves it (floor.go).
type Receiver struct {
	feed *Feed
	name string
	turn uint64 // where shards are with several processes
}

// ErrNoReceiver is returned where the change feed has no receiver of that name.
var ErrNoReceiver = errors.New("the change feed has no such receiver")

// Receiver finds the receiver of a name, and registers a new name: then the receiver begins with the oldest entries
// that are kept. From then on, no other process moves it. It fails with ErrOff.
func (f *Feed) Receiver(name string) (*Receiver, error) {
	if f == nil {
		return nil, ErrOff
	}
	if name == "" || len(name) > row.MaxFeedSinkName {
		return nil, fmt.Errorf("name of a receiver of the change feed of %d bytes: give 1 to %d", len(name), row.MaxFeedSinkName)
	}
	f.keeping.Lock() // f.trims has what is decided
	defer f.keeping.Unlock()
	r := &Receiver{feed: f, name: name}
	err := f.catalog.Change(context.Background(), func(change *catalog.Change) (err error) {
		begin := make(place, len(f.trims))
		for shard := range begin {
			begin[shard] = f.trims[shard].Number
		}
		if f.others != nil {
			if r.turn, begin, err = f.takeTurn(change, name); err != nil {
				return err
			}
		}
		_, err = row.ReadFeedSink(change, name)
		if errors.Is(err, storage.ErrNotFound) {
			sink := row.FeedSink{Name: name, Numbers: begin}
			sink.Put(change.Batch())
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Receivers lists the registered receivers by name. It fails with ErrOff.
func (f *Feed) Receivers() (receivers []*Receiver, err error) {
	if f == nil {
		return nil, ErrOff
	}
	err = f.eachReceiver(func(sink row.FeedSink) { receivers = append(receivers, &Receiver{feed: f, name: sink.Name}) })
	return receivers, err
}

// eachReceiver calls fn with the place of each receiver, by name.
func (f *Feed) eachReceiver(fn func(row.FeedSink)) error {
	return row.ScanFeedSinks(f.catalog.Reader(), func(stored row.FeedSink) error {
		if len(stored.Numbers) != len(f.ends) {
			return fmt.Errorf("%w: receiver %q of the change feed has %d shards, want %d", storage.ErrCorrupt, stored.Name, len(stored.Numbers), len(f.ends))
		}
		fn(stored)
		return nil
	})
}

// Drop forgets a receiver, so that the feed no longer keeps what it has not acknowledged. It fails with ErrOff, and
// with ErrNoReceiver.
func (f *Feed) Drop(name string) error {
	if f == nil {
		return ErrOff
	}
	return f.catalog.Change(context.Background(), func(change *catalog.Change) error {
		_, err := row.ReadFeedSink(change, name)
		if errors.Is(err, storage.ErrNotFound) {
			return f.noReceiver(name)
		}
		if err == nil && f.others != nil {
			err = f.leaveTurns(change, name)
		}
		row.DeleteFeedSink(change.Batch(), name)
		return err
	})
}

// noReceiver says which receivers there are instead.
func (f *Feed) noReceiver(name string) error {
	names := []string{}
	if err := f.eachReceiver(func(sink row.FeedSink) { names = append(names, sink.Name) }); err != nil {
		return err
	}
	return fmt.Errorf("%w: %q; it has %q", ErrNoReceiver, name, names)
}

// Name is the receiver's name.
func (r *Receiver) Name() string { return r.name }

// Reader reads on where the receiver acknowledged last.
func (r *Receiver) Reader() (*Reader, error) {
	at, err := r.place()
	if err != nil {
		return nil, err
	}
	return newReader(r.feed, at), nil
}

// place is what the receiver has acknowledged.
func (r *Receiver) place() (place, error) {
	stored, err := row.ReadFeedSink(r.feed.catalog.Reader(), r.name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, r.dropped()
	}
	return slices.Clone(stored.Numbers), err
}

// Behind counts the entries of the feed that are durable and that the receiver has not acknowledged.
func (r *Receiver) Behind(ctx context.Context) (n uint64, err error) {
	at, err := r.place()
	if err != nil {
		return 0, err
	}
	ends, err := r.feed.now(ctx)
	if err != nil {
		return 0, err
	}
	for shard, acked := range at {
		if ends[shard] > acked {
			n += ends[shard] - acked
		}
	}
	return n, nil
}

// Ack notes, durably, that everything before a reader's cursor was received. One that is older than before changes
// nothing. It fails with ErrTaken if another process has taken the receiver.
func (r *Receiver) Ack(cursor string) error {
	f := r.feed
	acked, err := parseCursor(cursor, len(f.ends))
	if err != nil {
		return err
	}
	return f.catalog.Change(context.Background(), func(change *catalog.Change) error {
		if f.others != nil {
			if err := f.holds(change, r.name, r.turn); err != nil {
				return err
			}
		}
		next, err := row.ReadFeedSink(change, r.name)
		if errors.Is(err, storage.ErrNotFound) {
			return r.dropped()
		}
		if err != nil || !place(next.Numbers).moves(acked) {
			return err
		}
		for shard := range acked {
			next.Numbers[shard] = max(next.Numbers[shard], acked[shard])
		}
		next.Put(change.Batch())
		return nil
	})
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

func (r *Receiver) dropped() error {
	return fmt.Errorf("receiver %q of the change feed was dropped", r.name)
}
