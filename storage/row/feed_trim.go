package row

import (
	"encoding/binary"

	"github.com/kindred-id/kindred/graph"
)

// FeedTrim is a shard's beginning of the feed.
type FeedTrim struct {
	Number uint64 // of the last entry that was deleted
	Bytes  uint64 // of all blocks deleted
}

const feedTrimRow = 3 // in SpaceFeedState

var feedTrimKind = &kind{
	space: SpaceFeedState, row: feedTrimRow, name: "feed beginning", group: "feed state",
	key:   []field{shardField},
	about: "one row a shard: its beginning of the feed",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedTrim(value)
		return err
	},
}

// AppendFeedTrimKey appends the key of a shard's beginning of the feed.
func AppendFeedTrimKey(b []byte, shard graph.ShardID) []byte {
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
