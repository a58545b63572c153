package row

import (
	"encoding/binary"

	"github.com/kindred-id/kindred/graph"
)

const feedMarkRow = 4 // in SpaceFeedState

var feedMarkKind = &kind{
	space: SpaceFeedState, row: feedMarkRow, name: "feed mark", group: "feed state",
	key:   []field{shardField, nodeField},
	about: "one row a root told under other rules",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedMark(value)
		return err
	},
}

// AppendFeedMarkKey appends the key of a root's mark.
func AppendFeedMarkKey(b []byte, shard graph.ShardID, root graph.NodeKey) []byte {
	return root.AppendBinary(binary.BigEndian.AppendUint16(appendFeedRow(b, feedMarkRow), uint16(shard)))
}

// AppendFeedMarksLower appends the first possible key of a mark.
func AppendFeedMarksLower(b []byte) []byte { return appendFeedRow(b, feedMarkRow) }

// AppendFeedMarksUpper appends the key after the last of a mark.
func AppendFeedMarksUpper(b []byte) []byte { return appendFeedRow(b, feedMarkRow+1) }

const feedMarkFields = 1

// FeedMark appends a root's mark: the version of the rules under which its identities were told.
func (e *Encoder) FeedMark(dst []byte, rules uint64) []byte {
	o := e.begin(dst, feedMarkVersion)
	o.array(feedMarkFields)
	o.uint(rules)
	return e.finish()
}

// FeedMark reads a root's mark.
func (d *Decoder) FeedMark(src []byte) (rules uint64, err error) {
	in := d.begin("feed mark", src, feedMarkVersion)
	in.tuple(feedMarkFields)
	rules = in.uint()
	if err := d.finish(); err != nil {
		return 0, err
	}
	return rules, nil
}
