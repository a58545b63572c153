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
	check: parses[FeedTrim]("feed trim"),
}

// appendFeedTrimKey appends the key of a shard's beginning of the feed.
func appendFeedTrimKey(b []byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(appendFeedRow(b, feedTrimRow), uint16(shard))
}

const feedTrimFields = 2

func (t *FeedTrim) encode(out *writer) {
	out.start(feedTrimVersion)
	out.array(feedTrimFields)
	out.uint(t.Number)
	out.uint(t.Bytes)
}

func (t *FeedTrim) decode(in *reader) {
	in.version(feedTrimVersion)
	in.tuple(feedTrimFields)
	*t = FeedTrim{Number: in.uint(), Bytes: in.uint()}
}

// Put writes a shard's beginning of the feed.
func (t *FeedTrim) Put(b *storage.Batch, shard graph.ShardID) {
	b.Set(appendFeedTrimKey(nil, shard), appendValue(nil, t))
}

// ReadFeedTrim reads a shard's beginning of the feed. It returns the zero value if the row is absent.
func ReadFeedTrim(s storage.Store, shard graph.ShardID) (FeedTrim, error) {
	value, err := s.Get(nil, appendFeedTrimKey(nil, shard))
	if errors.Is(err, storage.ErrNotFound) {
		return FeedTrim{}, nil
	}
	if err != nil {
		return FeedTrim{}, err
	}
	trim, err := parse[FeedTrim]("feed trim", value)
	if err != nil {
		return trim, fmt.Errorf("feed trim of shard %d: %w", shard, err)
	}
	return trim, nil
}
