package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// Where shards are with several processes, one deletes of a shard while another registers a receiver. Neither can wait for all others
// to have heard of it: a process may be paused for as long as it likes, and delete when it goes on.
//
//	trim:     read the floors ─► read the receivers ─► decide ─► raise the floors ─┐ conflict: again
//	receiver: read the floors ─► begin there, take the next turn ─────────────────┴─► one row of the catalog
//
// Both change one row, and rest on what it was, so they have an order (C1, J9):
//   - A shard deletes nothing above its floor, which never goes down, in whichever process and however late.
//   - A floor that is raised after a receiver was registered is not above what that has acknowledged: the process that raises it has
//     seen the receiver, or its change would not count. It reads the row first: what it then sees of receivers is newer.
//   - A receiver that is registered after a floor was raised begins at it.
//
// With the same row, each process that takes a receiver gets a turn, and only the last one moves it: what one before it has
// delivered and not acknowledged is delivered again from there to the end, without a gap or a step back in between.
//
// The obvious design, to ask all processes before a receiver begins, waits for those that do not answer, and fails for a shard
// that moves between two answers.

// ErrPostponed is returned where nothing can be deleted now.
var ErrPostponed = errors.New("the change feed is not trimmed now")

// ErrTaken is returned to a process whose receiver was taken by another one.
var ErrTaken = errors.New("another process goes on with this receiver of the change feed")

// readFloors reads the floors of all shards.
func (f *Feed) readFloors(change *catalog.Change) (row.FeedFloors, error) {
	floors, err := row.ReadFeedFloors(change)
	if err == nil && len(floors.Numbers) == 0 {
		floors.Numbers = make([]uint64, len(f.ends))
	}
	if err == nil && len(floors.Numbers) != len(f.ends) {
		err = fmt.Errorf("floors of the change feed: of %d shards, want %d", len(floors.Numbers), len(f.ends))
	}
	return floors, err
}

// raiseFloors lets decide say what shards are to delete, and raises their floors to that.
func (f *Feed) raiseFloors(ctx context.Context, decide func() ([]shardTrim, error)) (decided []shardTrim, err error) {
	var failed error
	err = f.catalog.Change(ctx, func(change *catalog.Change) error {
		floors, err := f.readFloors(change) // before the receivers
		if err == nil {
			decided, err = decide()
		}
		if failed = err; err != nil || len(decided) == 0 {
			return err
		}
		for _, d := range decided {
			floors.Numbers[d.shard] = max(floors.Numbers[d.shard], d.to.Number)
		}
		floors.Put(change.Batch())
		return nil
	})
	if err != nil && failed == nil {
		return nil, fmt.Errorf("%w: %w", ErrPostponed, err)
	}
	return decided, err
}

// takeTurn makes the caller the one that moves a receiver, and returns its turn and where a new receiver begins.
func (f *Feed) takeTurn(change *catalog.Change, name string) (turn uint64, begin place, err error) {
	floors, err := f.readFloors(change)
	if err != nil {
		return 0, nil, err
	}
	floors.Turns++
	i, known := holderOf(&floors, name)
	if !known {
		floors.Holders = slices.Insert(floors.Holders, i, row.FeedHolder{Name: name})
	}
	floors.Holders[i].Turn = floors.Turns
	floors.Put(change.Batch())
	return floors.Turns, floors.Numbers, nil
}

// holds fails with ErrTaken unless a turn is the last one with a receiver.
func (f *Feed) holds(change *catalog.Change, name string, turn uint64) error {
	floors, err := f.readFloors(change)
	if err != nil {
		return err
	}
	if i, known := holderOf(&floors, name); known && floors.Holders[i].Turn != turn {
		return ErrTaken
	}
	return nil
}

// leaveTurns forgets who moves a receiver.
func (f *Feed) leaveTurns(change *catalog.Change, name string) error {
	floors, err := f.readFloors(change)
	if err != nil {
		return err
	}
	if i, known := holderOf(&floors, name); known {
		floors.Holders = slices.Delete(floors.Holders, i, i+1)
		floors.Put(change.Batch())
	}
	return nil
}

func holderOf(floors *row.FeedFloors, name string) (int, bool) {
	return slices.BinarySearchFunc(floors.Holders, name, func(h row.FeedHolder, name string) int { return strings.Compare(h.Name, name) })
}

// shardTrim is what a shard is to delete.
type shardTrim struct {
	shard graph.ShardID
	to    row.FeedTrim
}
