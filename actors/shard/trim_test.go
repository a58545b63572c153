package shard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Entries that the change feed keeps no more are deleted by the batch of their shard, and by nothing else.
func TestTrimIsOfTheShard(t *testing.T) {
	if err := trimIsOfTheShard(); err != nil {
		t.Fatal(err)
	}
}

// fedShard is the only shard of a deployment, with its feed.
type fedShard struct {
	*shard.Shard
	store  storage.Store
	feed   *feed.Feed
	events int
	enc    *row.Encoder
}

func openFedShard(store storage.Store) (*fedShard, error) {
	rules, rows := graph.DefaultRules(), catalog.New(store, nil)
	settings := feed.Settings{On: true, Age: time.Millisecond}
	err := rows.Change(context.Background(), func(change *catalog.Change) error {
		return feed.Prepare(change, rules, settings, simStart)
	})
	if err != nil {
		return nil, err
	}
	f := &fedShard{store: store, enc: row.NewEncoder()}
	if f.feed, err = feed.Open(store, rows, 1, rules, settings); err != nil {
		return nil, err
	}
	f.Shard, err = shard.Open(shard.Config{
		Shards: 1, Store: store, Rules: rules, Limits: shard.Limits{LogBytes: 1 << 20, ActorBytes: 1 << 20},
		Host: shard.Plain{Rules: rules}, Observers: []shard.Observer{f.feed.Observer(0)},
	})
	return f, err
}

// step takes inputs and leaves the batch to be committed.
func (f *fedShard) step(inputs ...shard.Input) error {
	for i := range inputs {
		inputs[i].Outcome = new(shard.Outcome)
	}
	_, err := f.Step(inputs, simStart)
	return err
}

func (f *fedShard) commit() error {
	if err := f.store.Commit(f.Batch()); err != nil {
		return err
	}
	f.Committed(simStart)
	return nil
}

// event takes an event of a visitor of its own, whom the feed tells of in one entry.
func (f *fedShard) event() error {
	f.events++
	e := &graph.Event{
		ID: fmt.Append(nil, f.events), Seen: uint64(f.events), Type: graph.TypeTrack, Stamp: graph.Stamp{Time: simStart},
		Identifiers: []graph.Identifier{{Key: graph.MakeNodeKey(graph.ClassCookie, uint64(f.events), 0), Namespace: "anonymous_id", Value: []byte("x")}},
	}
	if err := f.step(shard.Input{Event: e, Body: f.enc.Event(nil, e, true)}); err != nil {
		return err
	}
	return f.commit()
}

// entries checks that a reader reads entries from one number to another.
func entries(r *feed.Reader, from, to uint64) error {
	for next := from; next <= to; {
		events, err := r.TryNext(context.Background())
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Number != next {
				return fmt.Errorf("entry %d was read, want %d", e.Number, next)
			}
			next++
		}
		if len(events) == 0 {
			return fmt.Errorf("no entry was read, want %d", next)
		}
	}
	return nil
}

// fromStart checks what a reader from the start reads; nothing where it is overtaken.
func fromStart(f *feed.Feed, overtaken bool, to uint64) error {
	r, err := f.Reader(context.Background(), feed.Start)
	if err != nil {
		return err
	}
	if err = entries(r, 1, to); overtaken && errors.Is(err, feed.ErrTooLate) {
		return nil
	}
	if err == nil && overtaken {
		return errors.New("entries are there that were deleted")
	}
	return err
}

// trimIsOfTheShard trims what a receiver has acknowledged. The step that deletes is undone once, as an
// input of it fails; and a receiver registers in the middle.
func trimIsOfTheShard() error {
	const told, acknowledged = 6, 2
	disk := &memDisk{shards: 1}
	store, err := disk.open()
	if err != nil {
		return err
	}
	f, err := openFedShard(store)
	if err != nil {
		return err
	}
	receiver, err := f.feed.Receiver("first")
	if err != nil {
		return err
	}
	for range acknowledged {
		if err := f.event(); err != nil {
			return err
		}
	}
	now, err := f.feed.Reader(context.Background(), feed.Now)
	if err != nil {
		return err
	}
	if err := receiver.Ack(now.Cursor()); err != nil {
		return err
	}
	for range told - acknowledged {
		if err := f.event(); err != nil {
			return err
		}
	}
	due, err := f.feed.Trim(context.Background(), simStart+time.Hour.Milliseconds(), everyShard)
	if err != nil {
		return err
	}
	if len(due) != 1 {
		return fmt.Errorf("%d shards have something to delete, want 1", len(due))
	}
	late, err := f.feed.Receiver("late")
	if err != nil {
		return err
	}
	poison := shard.Input{Event: &graph.Event{Type: graph.TypeTrack}, Body: []byte("poison")}
	if err := f.step(shard.Input{Tidy: true}, poison); err != nil {
		return err
	}
	if err := fromStart(f.feed, false, told); err != nil {
		return fmt.Errorf("before the commit: %w", err)
	}
	if err := f.commit(); err != nil {
		return err
	}
	due, err = f.feed.Trim(context.Background(), simStart+time.Hour.Milliseconds(), everyShard)
	if err != nil {
		return err
	}
	if len(due) > 0 {
		return fmt.Errorf("%d shards still have something to delete", len(due))
	}
	if err := entriesOf(late, acknowledged+1, told); err != nil {
		return fmt.Errorf("the receiver that registered in the middle: %w", err)
	}
	disk.crash(nil)
	if store, err = disk.open(); err != nil {
		return err
	}
	again, err := openFedShard(store)
	if err != nil {
		return err
	}
	if receiver, err = again.feed.Receiver("first"); err != nil {
		return err
	}
	if err := fromStart(again.feed, true, told); err != nil {
		return fmt.Errorf("after the commit: %w", err)
	}
	if err := entriesOf(receiver, acknowledged+1, told); err != nil {
		return fmt.Errorf("what was not acknowledged: %w", err)
	}
	return nil
}

// entriesOf is entries of a receiver's reader.
func entriesOf(receiver *feed.Receiver, from, to uint64) error {
	r, err := receiver.Reader()
	if err != nil {
		return err
	}
	return entries(r, from, to)
}

func everyShard(graph.ShardID) bool { return true }
