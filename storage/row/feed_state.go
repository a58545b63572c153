package row

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// FeedState is a shard's end of the feed, written with every block, and where shards move between processes with every step. The difference of its bytes and those of FeedTrim
// is the size of what is kept, without a scan.
type FeedState struct {
	Record uint64 // the log record that it was committed with
	Number uint64 // of the last entry
	Order  uint64 // of the last block, or one that is no lower than those of all blocks that the last step follows from
	Bytes  uint64 // of all blocks ever written
}

// spaceFeedState holds the feed's rows other than its blocks.
const spaceFeedState Space = 0x0b

const feedStateRow = 2 // in spaceFeedState

var feedStateKind = &kind{
	space: spaceFeedState, row: feedStateRow, name: "feed end", group: "feed state",
	key:   []field{shardField},
	about: "one row a shard: its end of the feed",
	check: parses[FeedState]("feed state"),
}

func appendFeedRow(b []byte, row byte) []byte { return append(b, byte(spaceFeedState), row) }

// appendFeedStateKey appends the key of a shard's end of the feed.
func appendFeedStateKey(b []byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(appendFeedRow(b, feedStateRow), uint16(shard))
}

const feedStateFields = 4

func (s *FeedState) encode(out *writer) {
	out.start(feedStateVersion)
	out.array(feedStateFields)
	for _, v := range [feedStateFields]uint64{s.Record, s.Number, s.Order, s.Bytes} {
		out.uint(v)
	}
}

func (s *FeedState) decode(in *reader) {
	in.version(feedStateVersion)
	in.tuple(feedStateFields)
	*s = FeedState{Record: in.uint(), Number: in.uint(), Order: in.uint(), Bytes: in.uint()}
}

// PutFeedState writes a shard's end of the feed.
func (e *Encoder) PutFeedState(b *storage.Batch, shard graph.ShardID, s *FeedState) {
	e.key = appendFeedStateKey(e.key[:0], shard)
	s.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// ReadFeedState reads a shard's end of the feed. It returns the zero value if the row is absent.
func ReadFeedState(s storage.Store, shard graph.ShardID) (FeedState, error) {
	value, err := s.Get(nil, appendFeedStateKey(nil, shard))
	if errors.Is(err, storage.ErrNotFound) {
		return FeedState{}, nil
	}
	if err != nil {
		return FeedState{}, err
	}
	state, err := parse[FeedState]("feed state", value)
	if err != nil {
		return state, fmt.Errorf("feed state of shard %d: %w", shard, err)
	}
	return state, nil
}
