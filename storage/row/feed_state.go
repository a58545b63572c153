package row

import (
	"encoding/binary"

	"github.com/kindred-id/kindred/graph"
)

// FeedState is a shard's end of the feed, written with every block.
type FeedState struct {
	Record uint64 // the log record that it was committed with
	Number uint64 // of the last entry
	Order  uint64 // of the last block
	Bytes  uint64 // of all blocks ever written
}

// SpaceFeedState has the rows beside the feed's blocks.
const SpaceFeedState Space = 0x0b

const feedStateRow = 2 // in SpaceFeedState

var feedStateKind = &kind{
	space: SpaceFeedState, row: feedStateRow, name: "feed end", group: "feed state",
	key:   []field{shardField},
	about: "one row a shard: its end of the feed",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedState(value)
		return err
	},
}

func appendFeedRow(b []byte, row byte) []byte { return append(b, byte(SpaceFeedState), row) }

// AppendFeedStateKey appends the key of a shard's end of the feed.
func AppendFeedStateKey(b []byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(appendFeedRow(b, feedStateRow), uint16(shard))
}

const feedStateFields = 4

// FeedState appends a shard's end of the feed.
func (e *Encoder) FeedState(dst []byte, s *FeedState) []byte {
	o := e.begin(dst, feedStateVersion)
	o.array(feedStateFields)
	for _, v := range [feedStateFields]uint64{s.Record, s.Number, s.Order, s.Bytes} {
		o.uint(v)
	}
	return e.finish()
}

// FeedState reads a shard's end of the feed.
func (d *Decoder) FeedState(src []byte) (FeedState, error) {
	in := d.begin("feed state", src, feedStateVersion)
	in.tuple(feedStateFields)
	s := FeedState{Record: in.uint(), Number: in.uint(), Order: in.uint(), Bytes: in.uint()}
	if err := d.finish(); err != nil {
		return FeedState{}, err
	}
	return s, nil
}
