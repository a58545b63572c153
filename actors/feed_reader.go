package actors

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

// ErrFeedBehind is returned to a reader whose next entries were deleted.
var ErrFeedBehind = errors.New("the changes that follow the cursor were deleted: take a cursor of now, then an export, and go on from that cursor; or keep more of the feed")

// ErrFeedCursor is returned for a cursor that was never given out here.
var ErrFeedCursor = errors.New("not a cursor of this deployment's change feed")

// FeedEvent is an entry of the change feed where it stands.
type FeedEvent struct {
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
	feedBlocksAtOnce  = 16
	feedEntriesAtOnce = 64
)

// Places to begin at, beside cursors.
const (
	FeedStart = "start" // of all that was ever told
	FeedNow   = "now"
)

// FeedReader reads the change feed in causal order: of one identity in the order of its changes, and
// everything after what brought it about. It belongs to one goroutine.
type FeedReader struct {
	feed   *changeFeed
	dec    *row.Decoder
	cursor feedCursor
	before feedCursor // the events of the last Next
	// ahead are blocks that were read and not returned, by shard, in their order: of other shards those with a lower order
	// may have been missing. Reading them again each time would take most of the time of a reader that is behind.
	ahead [][]feedBlock
	// known is, by shard, the order up to which the shard's blocks were read.
	known []uint64
}

// feedBlock is what a reader has of a block.
type feedBlock struct {
	row.FeedBlock
	shard graph.ShardID
}

func (b *feedBlock) last() uint64 { return b.First + uint64(len(b.Entries)) - 1 }

func newFeedReader(f *changeFeed, cursor feedCursor) *FeedReader {
	return &FeedReader{feed: f, dec: row.NewDecoder(), cursor: cursor, ahead: make([][]feedBlock, len(f.ends)), known: make([]uint64, len(f.ends))}
}

// Feed reads the change feed from a cursor, FeedStart or FeedNow on. It fails with ErrFeedOff or
// ErrFeedCursor.
func (e *Engine) Feed(from string) (*FeedReader, error) {
	if e.feed == nil {
		return nil, ErrFeedOff
	}
	r := newFeedReader(e.feed, make(feedCursor, len(e.feed.ends)))
	switch from {
	case FeedStart:
	case FeedNow:
		for shard := range r.cursor {
			r.cursor[shard] = e.feed.ends[shard].Load()
		}
	default:
		cursor, err := parseFeedCursor(from, len(e.feed.ends))
		if err != nil {
			return nil, err
		}
		for shard, number := range cursor {
			if number > e.feed.ends[shard].Load() {
				return nil, fmt.Errorf("%w: it is ahead of the feed; was the deployment restored from a backup? Take an export, and go on from a cursor of now", ErrFeedCursor)
			}
		}
		r.cursor = cursor
	}
	return r, nil
}

// Cursor is the place after what was read.
func (r *FeedReader) Cursor() string { return r.cursor.String() }

// CursorAfter is the place after the first n of the events that Next returned last.
func (r *FeedReader) CursorAfter(events []FeedEvent, n int) string {
	place := slices.Clone(r.before)
	for i := range events[:n] {
		place[events[i].Shard] = events[i].Number
	}
	return place.String()
}

// Next waits until there are entries, and returns some, in order. It fails with ErrFeedBehind.
func (r *FeedReader) Next(ctx context.Context) ([]FeedEvent, error) {
	for {
		moved := r.feed.wait() // before looking: what comes meanwhile must wake us
		events, err := r.TryNext()
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.feed.store.Failed():
			return nil, r.feed.store.Err()
		}
	}
}

// TryNext is Next without waiting: it returns nothing when there is nothing.
func (r *FeedReader) TryNext() ([]FeedEvent, error) {
	// The order first, and then the ends: whatever has an order up to high and is there, what brought it
	// about is there, too.
	high := r.feed.shared.order.Load()
	ends := make([]uint64, len(r.feed.ends))
	for shard := range ends {
		ends[shard] = r.feed.ends[shard].Load()
	}
	r.before = append(r.before[:0], r.cursor...)
	for i := range r.ahead {
		if len(r.ahead[i]) > 0 {
			continue // what came to it since has an order above known
		}
		r.known[i] = high
		if ends[i] <= r.cursor[i] {
			continue
		}
		if err := r.fill(graph.ShardID(i), high); err != nil {
			return nil, err
		}
	}
	return r.merge(), nil
}

// fill reads blocks of a shard of which nothing is ahead, with orders up to high.
func (r *FeedReader) fill(shard graph.ShardID, high uint64) error {
	next, entries := r.cursor[shard]+1, 0
	ahead := r.ahead[shard][:0]
	err := r.feed.store.Iterate(row.AppendFeedKey(nil, shard, next), row.AppendShardUpper(nil, row.SpaceFeed, shard), func(key, value []byte) error {
		if len(ahead) == feedBlocksAtOnce || entries >= feedEntriesAtOnce {
			r.known[shard] = ahead[len(ahead)-1].Order
			return storage.ErrStop
		}
		b, number, err := readFeedBlock(r.dec, key, value)
		switch {
		case err != nil:
			return err
		case b.Order > high:
			return storage.ErrStop
		case b.First > next:
			return ErrFeedBehind
		}
		b.Entries = b.Entries[next-b.First:]
		b.First = next
		ahead = append(ahead, feedBlock{b, shard})
		next = number + 1
		entries += len(b.Entries)
		return nil
	})
	if err != nil {
		return err
	}
	if len(ahead) == 0 && r.cursor.trimmed(r.feed.store, r.dec, shard) {
		return ErrFeedBehind
	}
	r.ahead[shard] = ahead
	return nil
}

// merge takes the blocks that nothing unread can come before, in their order, and moves the cursor behind them: those up to
// the order to which all shards were read. There are some if there are any: the shard that was read least far gives all it has.
func (r *FeedReader) merge() (events []FeedEvent) {
	bound := slices.Min(r.known)
	var blocks []feedBlock
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
	slices.SortFunc(blocks, func(a, b feedBlock) int { return cmp.Compare(a.Order, b.Order) }) // orders are unique
	for i := range blocks {
		b := &blocks[i]
		for j := range b.Entries {
			events = append(events, FeedEvent{b.Entries[j], b.shard, b.First + uint64(j), b.Order, b.At, b.Rules})
		}
		r.cursor[b.shard] = b.last()
	}
	return events
}

// feedCursor is a place in the feed: by shard, the number of the last entry read.
type feedCursor []uint64

// trimmed tells whether what follows the cursor in a shard was deleted.
func (c feedCursor) trimmed(store storage.Store, dec *row.Decoder, shard graph.ShardID) bool {
	trim, err := readFeedTrim(store, dec, shard)
	return err == nil && trim.Number > c[shard]
}

// readFeedBlock reads a block, and the number of its last entry.
func readFeedBlock(dec *row.Decoder, key, value []byte) (row.FeedBlock, uint64, error) {
	shard, number, err := row.ParseFeedKey(key)
	if err != nil {
		return row.FeedBlock{}, 0, err
	}
	data, err := row.Unpack(value)
	if err != nil {
		return row.FeedBlock{}, 0, fmt.Errorf("feed of shard %d, block %d: %w", shard, number, err)
	}
	b, err := dec.FeedBlock(data)
	if err != nil {
		return row.FeedBlock{}, 0, fmt.Errorf("feed of shard %d, block %d: %w", shard, number, err)
	}
	if b.First == 0 || b.First+uint64(len(b.Entries)) != number+1 {
		return row.FeedBlock{}, 0, fmt.Errorf("%w: feed of shard %d, block %d: it holds %d entries from %d on", storage.ErrCorrupt, shard, number, len(b.Entries), b.First)
	}
	return b, number, nil
}

// Cursors are text, to be passed on as they are: a version, and the numbers as varints in base64.
const feedCursorVersion = "1."

func (c feedCursor) String() string {
	var b []byte
	for _, number := range c {
		b = binary.AppendUvarint(b, number)
	}
	return feedCursorVersion + base64.RawURLEncoding.EncodeToString(b)
}

// parseFeedCursor reads what String wrote. It fails with ErrFeedCursor.
func parseFeedCursor(text string, shards int) (feedCursor, error) {
	encoded, ok := strings.CutPrefix(text, feedCursorVersion)
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, fmt.Errorf("%w: it does not read as one", ErrFeedCursor)
	}
	c := make(feedCursor, 0, shards)
	for len(b) > 0 && len(c) < shards {
		number, n := binary.Uvarint(b)
		if n <= 0 {
			break
		}
		c, b = append(c, number), b[n:]
	}
	if len(b) > 0 || len(c) != shards {
		return nil, fmt.Errorf("%w: it is not of %d shards", ErrFeedCursor, shards)
	}
	return c, nil
}
