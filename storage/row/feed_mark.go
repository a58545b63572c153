package row

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

const feedMarkRow = 4 // in spaceFeedState

var feedMarkKind = &kind{
	space: spaceFeedState, row: feedMarkRow, name: "feed mark", group: "feed state",
	key:   []field{shardField, nodeField},
	about: "one row a root announced under other rules",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedMark(value)
		return err
	},
}

// appendFeedMarkKey appends the key of a root's mark.
func appendFeedMarkKey(b []byte, shard graph.ShardID, root graph.NodeKey) []byte {
	return root.AppendBinary(binary.BigEndian.AppendUint16(appendFeedRow(b, feedMarkRow), uint16(shard)))
}

const feedMarkFields = 1

// FeedMark appends a root's mark: the version of the rules under which the feed announced its identities.
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

// PutFeedMark writes a root's mark.
func (e *Encoder) PutFeedMark(b *storage.Batch, shard graph.ShardID, root graph.NodeKey, rules uint64) {
	e.key, e.value = appendFeedMarkKey(e.key[:0], shard, root), e.FeedMark(e.value[:0], rules)
	e.set(b)
}

// GetFeedMark reads a root's mark. It fails with ErrNotFound if the root has no mark.
func (d *Decoder) GetFeedMark(s storage.Store, shard graph.ShardID, root graph.NodeKey) (rules uint64, err error) {
	value, err := s.Get(nil, appendFeedMarkKey(nil, shard, root))
	if err != nil {
		return 0, err
	}
	if rules, err = d.FeedMark(value); err != nil {
		return 0, fmt.Errorf("feed mark of node %s: %w", root, err)
	}
	return rules, nil
}

// DeleteFeedMarks deletes the marks of all roots.
func DeleteFeedMarks(b *storage.Batch) {
	b.DeleteRange(appendFeedRow(nil, feedMarkRow), appendFeedRow(nil, feedMarkRow+1))
}
