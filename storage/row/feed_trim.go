package row

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// FeedTrim is a shard's beginning of the feed.
type FeedTrim struct {
	Number uint64 // of the last deleted entry
	Bytes  uint64 // of all blocks deleted
}

const feedTrimRow = 3 // in spaceFeedState

var feedTrimKind = &kind{
	space: spaceFeedState, row: feedTrimRow, name: "feed beginning", group: "feed state",
	key:   []field{shardField},
	about: "one row a shard: its beginning of the feed",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedTrim(value)
		return err
	},
}

// appendFeedTrimKey appends the key of a shard's beginning of the feed.
func appendFeedTrimKey(b []byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(appendFeedRow(b, feedTrimRow), uint16(shard))
}

const feedTrimFields = 2

// FeedTrim appends a shard's beginning of the feed.
func (e *Encoder) FeedTrim(dst []byte, t *FeedTrim) []byte {
	o := e.begin(dst, feedTrimVersion)
	o.array(feedTrimFields)
	o.uint(t.Number)
	o.uint(t.Bytes)
	return e.finish()
}

// FeedTrim reads a shard's beginning of the feed.
func (d *Decoder) FeedTrim(src []byte) (FeedTrim, error) {
	in := d.begin("feed trim", src, feedTrimVersion)
	in.tuple(feedTrimFields)
	t := FeedTrim{Number: in.uint(), Bytes: in.uint()}
	if err := d.finish(); err != nil {
		return FeedTrim{}, err
	}
	return t, nil
}

// PutFeedTrim writes a shard's beginning of the feed.
func (e *Encoder) PutFeedTrim(b *storage.Batch, shard graph.ShardID, s *FeedTrim) {
	e.key, e.value = appendFeedTrimKey(e.key[:0], shard), e.FeedTrim(e.value[:0], s)
	e.set(b)
}

// GetFeedTrim reads a shard's beginning of the feed. It returns the zero value if the row is absent.
func (d *Decoder) GetFeedTrim(s storage.Store, shard graph.ShardID) (FeedTrim, error) {
	value, err := s.Get(nil, appendFeedTrimKey(nil, shard))
	if errors.Is(err, storage.ErrNotFound) {
		return FeedTrim{}, nil
	}
	if err != nil {
		return FeedTrim{}, err
	}
	trim, err := d.FeedTrim(value)
	if err != nil {
		return trim, fmt.Errorf("feed trim of shard %d: %w", shard, err)
	}
	return trim, nil
}
