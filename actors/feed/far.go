package feed

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Others reaches the parts of the feed of all shards where these are with several processes, and move between them.
//
// A reader cannot look at all shards at one moment there. It rests on what each shard has promised instead: with every commit a
// shard writes how far its clock was, and no block that follows has that order or a lower one, in whichever process, since a process
// reads the last state of a shard before it has the shard write. So it makes no difference when a reader has asked which process.
// An answer holds even if the shard is another process's by then: it is out of date, and not wrong.
//
//	Ends ──► of each shard: the last entry, and the order that it has promised
//	Blocks ► of shards with more than was read
//	merge ─► all up to the least promise ──► nothing, and blocks wait? ──► Ends again: each shard is to promise their order
//
// The obvious design, a question to all processes for their clocks and then one for their blocks, loses causes: a shard that goes to
// another process between the two may write there with a lower clock.
type Others interface {
	// Ends says of every shard how far it is, at some moment that it has been through since the call. A shard may be there twice. If
	// raise is not 0, the shards promise that order first. It fails while a shard is with no process.
	Ends(ctx context.Context, raise uint64) ([]End, error)
	// Blocks returns what AppendBlocks has written in a process that has the shard.
	Blocks(ctx context.Context, id graph.ShardID, after uint64) ([]byte, error)
}

// End is how far a shard's part of the feed is.
type End struct {
	Shard  graph.ShardID
	Number uint64 // of the last entry
	Order  uint64 // no block that follows has this order, or a lower one
}

const (
	// pollEvery is the interval at which a reader asks other processes.
	pollEvery = 100 * time.Millisecond
	// farAtOnce bounds the shards that a reader asks for blocks at one time.
	farAtOnce = 8
	// blocksBytes bounds what AppendBlocks appends, unless one block has more.
	blocksBytes = 1 << 20
	// outOfDate is for how long a process may not know what another one has written.
	outOfDate = 5 * time.Second
)

// ErrWaits is returned where what blocks wait for does not come.
var ErrWaits = errors.New("change feed: a shard does not say how far it is; try again")

// waitAgain is the wait of a reader for shards that do not have yet what another process has said of them.
var waitAgain = backoff.Doubling{First: time.Millisecond, Most: 100 * time.Millisecond}

// EndOf is how far a shard is that is here. The promise is read first: the end may only be further than that.
func (f *Feed) EndOf(id graph.ShardID) End {
	order := f.promises[id].Load()
	return End{id, f.ends[id].Load(), order}
}

// lookFar reads what there is of shards that are with several processes.
func (r *Reader) lookFar(ctx context.Context) ([]Event, error) {
	for attempt, waited, raise := 0, time.Duration(0), uint64(0); ; attempt++ {
		ends, err := r.feed.latest(ctx, raise)
		if err != nil {
			return nil, err
		}
		if err := r.fillFar(ctx, ends); err != nil {
			return nil, err
		}
		if events := r.merge(); len(events) > 0 {
			return events, nil
		}
		highest, missing := r.waiting(ends)
		if highest == 0 && !missing {
			return nil, nil
		}
		if missing || raise >= highest { // blocks come from a process that is out of date
			wait := waitAgain.Wait(attempt)
			if waited += wait; waited > outOfDate {
				return nil, ErrWaits
			}
			if err := backoff.Sleep(ctx, wait); err != nil {
				return nil, err
			}
		}
		raise = highest
	}
}

// waiting returns the order of the last block that was read and waits for others, 0 if no block waits, and reports whether a shard
// has entries that were not read, though nothing of it waits.
func (r *Reader) waiting(ends []End) (highest uint64, missing bool) {
	for i, ahead := range r.ahead {
		if n := len(ahead); n > 0 {
			highest = max(highest, ahead[n-1].Order)
		} else if ends[i].Number > r.place[i] {
			missing = true
		}
	}
	return highest, missing
}

// latest says how far each shard is: of a shard that is there twice, what was said later.
func (f *Feed) latest(ctx context.Context, raise uint64) ([]End, error) {
	all, err := f.others.Ends(ctx, raise)
	if err != nil {
		return nil, err
	}
	ends := make([]End, len(f.ends))
	for _, e := range all {
		if int(e.Shard) >= len(ends) {
			return nil, fmt.Errorf("%w: end of the change feed in shard %d of %d", storage.ErrCorrupt, e.Shard, len(ends))
		}
		if was := &ends[e.Shard]; cmp.Or(cmp.Compare(e.Number, was.Number), cmp.Compare(e.Order, was.Order)) >= 0 {
			*was = e
		}
	}
	return ends, nil
}

// nowFar is the place after all that is durable.
func (f *Feed) nowFar(ctx context.Context) (place, error) {
	ends, err := f.latest(ctx, 0)
	if err != nil {
		return nil, err
	}
	at := make(place, len(ends))
	for i := range ends {
		at[i] = ends[i].Number
	}
	return at, nil
}

// aheadFar reports whether a place has entries before it that are not there. It asks for a while: a process may be out of date.
func (f *Feed) aheadFar(ctx context.Context, at place) (bool, error) {
	for attempt, waited := 0, time.Duration(0); ; attempt++ {
		is, err := f.nowFar(ctx)
		if err != nil || !is.moves(at) || waited > outOfDate {
			return err == nil && is.moves(at), err
		}
		wait := waitAgain.Wait(attempt)
		waited += wait
		if err := backoff.Sleep(ctx, wait); err != nil {
			return false, err
		}
	}
}

// fillFar reads blocks of the shards of which nothing waits.
func (r *Reader) fillFar(ctx context.Context, ends []End) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(farAtOnce)
	for i := range ends {
		switch {
		case len(r.ahead[i]) > 0:
		case ends[i].Number <= r.place[i]:
			r.readTo[i] = max(r.readTo[i], ends[i].Order)
		default:
			group.Go(func() error { return r.fillOf(ctx, &ends[i]) })
		}
	}
	return group.Wait()
}

// fillOf reads blocks of a shard that is said to have some. Only if they reach its end, the shard was read up to its promise: the
// process that gave them may be another one than the process that gave the promise, and out of date.
func (r *Reader) fillOf(ctx context.Context, end *End) error {
	encoded, err := r.feed.others.Blocks(ctx, end.Shard, r.place[end.Shard])
	if err != nil {
		return err
	}
	got := taking{shard: end.Shard, next: r.place[end.Shard] + 1, blocks: r.ahead[end.Shard][:0]}
	trimmed, err := readBlocks(encoded, got.take)
	if err != nil {
		return err
	}
	if len(got.blocks) == 0 {
		if trimmed > r.place[end.Shard] {
			return ErrTooLate
		}
		return nil
	}
	r.readTo[end.Shard] = max(r.readTo[end.Shard], got.last())
	if got.next > end.Number {
		r.readTo[end.Shard] = max(r.readTo[end.Shard], end.Order)
	}
	r.ahead[end.Shard] = got.blocks
	return nil
}

// AppendBlocks appends blocks of a shard that is here, after an entry: some of them, and at least one where there is one.
//
//	last entry that is deleted │ length, key, length, value │ …
//
// Numbers are varints, keys and values those of the rows.
func (f *Feed) AppendBlocks(dst []byte, id graph.ShardID, after uint64) ([]byte, error) {
	trim, err := row.ReadFeedTrim(f.store, id)
	if err != nil {
		return dst, err
	}
	dst = binary.AppendUvarint(dst, trim.Number)
	blocks, begin := 0, len(dst)
	err = row.ScanFeed(f.store, id, after+1, func(key, value []byte) error {
		if blocks == blocksAtOnce || blocks > 0 && len(dst)-begin+len(value) > blocksBytes {
			return storage.ErrStop
		}
		blocks++
		for _, part := range [...][]byte{key, value} {
			dst = append(binary.AppendUvarint(dst, uint64(len(part))), part...)
		}
		return nil
	})
	return dst, err
}

// readBlocks reads what AppendBlocks has written.
func readBlocks(src []byte, take func(row.FeedBlock) error) (trimmed uint64, err error) {
	trimmed, n := binary.Uvarint(src)
	if n <= 0 {
		return 0, errBlocks
	}
	dec := row.NewDecoder()
	for src = src[n:]; len(src) > 0; {
		var parts [2][]byte
		for i := range parts {
			size, n := binary.Uvarint(src)
			if n <= 0 || size > uint64(len(src)-n) {
				return 0, errBlocks
			}
			parts[i], src = src[n:n+int(size)], src[n+int(size):]
		}
		b, _, err := dec.FeedRow(parts[0], parts[1])
		if err == nil {
			err = take(b)
		}
		if err != nil {
			return 0, err
		}
	}
	return trimmed, nil
}

var errBlocks = fmt.Errorf("%w: blocks of the change feed from another process are cut off", storage.ErrCorrupt)

// after is closed after a while.
func after(wait time.Duration) <-chan struct{} {
	over := make(chan struct{})
	time.AfterFunc(wait, func() { close(over) })
	return over
}
