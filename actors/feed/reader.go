package feed

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrTooLate is returned to a reader whose next entries were deleted.
var ErrTooLate = errors.New("change feed: the entries after the cursor were deleted; take a cursor of now, then an export, and go on from that cursor, or keep more of the feed")

// ErrCursor is returned for a cursor that was never given out here.
var ErrCursor = errors.New("not a cursor of this deployment's change feed")

// Event is an entry of the change feed where it stands.
type Event struct {
	graph.FeedEntry
	Shard  graph.ShardID
	Number uint64 // in the shard's feed, from 1 on without a gap
	Order  uint64 // over all shards: what brought it about has a lower one, or an equal one and a lower number
	At     int64  // when it was committed, ms since 1970 UTC
	Rules  uint64 // version of the rules that decided
}

// Bounds of what a reader takes of each shard at once, and holds: the first block whole, and others as long as there
// are fewer.
const (
	blocksAtOnce  = 16
	entriesAtOnce = 64
)

// Places to begin at, beside cursors.
const (
	Start = "start" // of all that was ever told
	Now   = "now"
)

// Reader reads the change feed in causal order: of one identity in the order of its changes, and
// everything after what brought it about. It belongs to one goroutine.
//
//	shard 0   ── 3 ── 7 ── 8 ─────►          ahead: blocks by shard, read and not returned
//	shard 1   ── 4 ── 5 ──────────►          readTo: 8 and 5; so 3, 4 and 5 are returned, and 7 and 8 wait
//
// Invariants:
//   - Of what TryNext returns, no cause is missing: merge returns a block only when every shard was read up to its
//     order. look and lookFar find out how far that is, in one process and over several.
//   - Orders need not ascend from one Next to the next: a block may take its order early and be durable late. Nothing
//     that was returned meanwhile follows from it.
//   - place counts what was returned, and not what is ahead: a cursor never skips a block that waits.
type Reader struct {
	feed   *Feed
	dec    *row.Decoder
	place  place
	before place // the events of the last Next
	// ahead are blocks that were read and not returned, by shard, in their order: of other shards those with a lower
	// order may have been missing. Reading them again each time would take most of the time of a reader that has much
	// to catch up on.
	ahead [][]readBlock
	// readTo is, by shard, the order up to which the shard's blocks were read.
	readTo []uint64
}

// readBlock is what a reader has of a block.
type readBlock struct {
	row.FeedBlock
	shard graph.ShardID
}

func (b *readBlock) last() uint64 { return b.First + uint64(len(b.Entries)) - 1 }

func newReader(f *Feed, from place) *Reader {
	return &Reader{feed: f, dec: row.NewDecoder(), place: from, ahead: make([][]readBlock, len(f.ends)), readTo: make([]uint64, len(f.ends))}
}

// Reader reads the feed on from a cursor, Start or Now. It fails with ErrOff or ErrCursor, and where shards are with several
// processes, with what Others fails with.
func (f *Feed) Reader(ctx context.Context, from string) (*Reader, error) {
	if f == nil {
		return nil, ErrOff
	}
	at := make(place, len(f.ends))
	var err error
	switch from {
	case Start:
	case Now:
		at, err = f.now(ctx)
	default:
		if at, err = parseCursor(from, len(f.ends)); err != nil {
			return nil, err
		}
		var ahead bool
		if ahead, err = f.ahead(ctx, at); ahead {
			err = fmt.Errorf("%w: it is ahead of the feed, as after a restore from a backup; take an export, and go on from a cursor of now", ErrCursor)
		}
	}
	if err != nil {
		return nil, err
	}
	return newReader(f, at), nil
}

// now is the place after all that is durable.
func (f *Feed) now(ctx context.Context) (place, error) {
	if f.others != nil {
		return f.nowFar(ctx)
	}
	at := make(place, len(f.ends))
	for shard := range at {
		at[shard] = f.ends[shard].Load()
	}
	return at, nil
}

// ahead reports whether a place has entries before it that are not there yet. An end in memory may be lower than what readers
// have read: they read the store, and see a commit before its shard hears of it.
func (f *Feed) ahead(ctx context.Context, at place) (bool, error) {
	if f.others != nil {
		return f.aheadFar(ctx, at)
	}
	for shard, number := range at {
		if number <= f.ends[shard].Load() {
			continue
		}
		state, err := row.ReadFeedState(f.store, graph.ShardID(shard))
		if err != nil || number > state.Number {
			return true, err
		}
	}
	return false, nil
}

// Cursor is the place after what was read.
func (r *Reader) Cursor() string { return r.place.String() }

// CursorAfter is the place after the first n of the events that Next returned last.
func (r *Reader) CursorAfter(events []Event, n int) string {
	place := slices.Clone(r.before)
	for i := range events[:n] {
		place[events[i].Shard] = events[i].Number
	}
	return place.String()
}

// Next waits until there are entries, and returns some, in order. It fails with ErrTooLate, and as Reader does.
func (r *Reader) Next(ctx context.Context) ([]Event, error) {
	for {
		grew := r.feed.wait() // before looking: what comes meanwhile must wake us
		events, err := r.TryNext(ctx)
		if err != nil || len(events) > 0 {
			return events, err
		}
		if r.feed.others != nil {
			grew = after(pollEvery) // of other processes nobody says so
		}
		select {
		case <-grew:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.feed.store.Failed():
			return nil, r.feed.store.Err()
		}
	}
}

// TryNext is Next without waiting: it returns nothing when there is nothing.
func (r *Reader) TryNext(ctx context.Context) ([]Event, error) {
	r.before = append(r.before[:0], r.place...)
	if r.feed.others != nil {
		return r.lookFar(ctx)
	}
	return r.look()
}

// look reads what there is of shards that are all here.
func (r *Reader) look() ([]Event, error) {
	// Read the order first, and then the ends. A durable block of an order up to high was prepared before this line; its
	// causes were committed, and their ends moved, before that. So the ends read below include them. The other way round,
	// a cause could become durable after its shard's end was read, and its effect before the order was.
	high := r.feed.order.Now()
	ends := make([]uint64, len(r.feed.ends))
	for shard := range ends {
		ends[shard] = r.feed.ends[shard].Load()
	}
	for i := range r.ahead {
		if len(r.ahead[i]) > 0 {
			continue // what came to it since has an order above readTo
		}
		r.readTo[i] = high
		if ends[i] <= r.place[i] {
			continue
		}
		if err := r.fill(graph.ShardID(i), high); err != nil {
			return nil, err
		}
	}
	return r.merge(), nil
}

// fill reads blocks of a shard of which nothing is ahead, with orders up to high. A block above high stays unread: its
// causes may be missing from the ends that look has read.
func (r *Reader) fill(shard graph.ShardID, high uint64) error {
	got := taking{shard: shard, next: r.place[shard] + 1, blocks: r.ahead[shard][:0]}
	err := row.ScanFeed(r.feed.store, shard, got.next, func(key, value []byte) error {
		if got.full() {
			r.readTo[shard] = got.last()
			return storage.ErrStop
		}
		b, _, err := r.dec.FeedRow(key, value)
		switch {
		case err != nil:
			return err
		case b.Order > high:
			return storage.ErrStop
		}
		return got.take(b)
	})
	if err != nil {
		return err
	}
	// Either all blocks are above high, or all that the reader wanted were deleted. The row of the feed's beginning
	// tells one from the other.
	if len(got.blocks) == 0 && r.place.trimmed(r.feed.store, shard) {
		return ErrTooLate
	}
	r.ahead[shard] = got.blocks
	return nil
}

// taking is what a reader takes of a shard at once.
type taking struct {
	shard   graph.ShardID
	next    uint64 // number of the next entry
	entries int
	blocks  []readBlock
}

// full reports whether no more is to be taken.
func (t *taking) full() bool { return len(t.blocks) == blocksAtOnce || t.entries >= entriesAtOnce }

// last is the order of the last block that was taken.
func (t *taking) last() uint64 { return t.blocks[len(t.blocks)-1].Order }

// take takes the next block, from the next entry on. It fails with ErrTooLate if that was deleted.
func (t *taking) take(b row.FeedBlock) error {
	if b.First > t.next {
		return ErrTooLate
	}
	b.Entries = b.Entries[t.next-b.First:]
	b.First = t.next
	t.next += uint64(len(b.Entries))
	t.entries += len(b.Entries)
	t.blocks = append(t.blocks, readBlock{b, t.shard})
	return nil
}

// merge takes the blocks that no unread block can precede, in their order, and moves the cursor past them: the blocks
// up to the order to which all shards were read. If there are blocks at all, it takes some: the shard that was read
// least far gives all it has.
func (r *Reader) merge() (events []Event) {
	bound := slices.Min(r.readTo)
	var blocks []readBlock
	for i, ahead := range r.ahead {
		n := 0
		for n < len(ahead) && ahead[n].Order <= bound {
			n++
		}
		blocks = append(blocks, ahead[:n]...)
		left := copy(ahead, ahead[n:])
		clear(ahead[left:])
		r.ahead[i] = ahead[:left]
	}
	slices.SortFunc(blocks, func(a, b readBlock) int { return cmp.Compare(a.Order, b.Order) }) // of two with one order, of several processes, neither follows from the other
	for i := range blocks {
		b := &blocks[i]
		for j := range b.Entries {
			events = append(events, Event{b.Entries[j], b.shard, b.First + uint64(j), b.Order, b.At, b.Rules})
		}
		r.place[b.shard] = b.last()
	}
	return events
}

// place is one in the feed: by shard, the number of the last entry read.
type place []uint64

// trimmed reports whether entries that follow the cursor in a shard were deleted.
func (c place) trimmed(store storage.Store, shard graph.ShardID) bool {
	trim, err := row.ReadFeedTrim(store, shard)
	return err == nil && trim.Number > c[shard]
}

// Cursors are text, to be passed on as they are: a version, and the numbers as varints in base64.
const cursorVersion = "1."

// String writes a place as a cursor: cursorVersion, and the numbers of all shards as varints, in base64 for URLs. A
// cursor of 64 shards with a million entries each has some 260 bytes.
func (c place) String() string {
	var b []byte
	for _, number := range c {
		b = binary.AppendUvarint(b, number)
	}
	return cursorVersion + base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads what String wrote. It fails with ErrCursor.
func parseCursor(text string, shards int) (place, error) {
	encoded, ok := strings.CutPrefix(text, cursorVersion)
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, fmt.Errorf("%w: unreadable", ErrCursor)
	}
	c := make(place, 0, shards)
	for len(b) > 0 && len(c) < shards {
		number, n := binary.Uvarint(b)
		if n <= 0 {
			break
		}
		c, b = append(c, number), b[n:]
	}
	if len(b) > 0 || len(c) != shards {
		return nil, fmt.Errorf("%w: not of %d shards", ErrCursor, shards)
	}
	return c, nil
}
