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
	check: parses[feedMark]("feed mark"),
}

// appendFeedMarkKey appends the key of a root's mark.
func appendFeedMarkKey(b []byte, shard graph.ShardID, root graph.NodeKey) []byte {
	return root.AppendBinary(binary.BigEndian.AppendUint16(appendFeedRow(b, feedMarkRow), uint16(shard)))
}

const feedMarkFields = 1

// feedMark is a root's mark: the version of the rules under which the feed announced its identities.
type feedMark struct{ rules uint64 }

func (m *feedMark) encode(out *writer) {
	out.start(feedMarkVersion)
	out.array(feedMarkFields)
	out.uint(m.rules)
}

func (m *feedMark) decode(in *reader) {
	in.version(feedMarkVersion)
	in.tuple(feedMarkFields)
	m.rules = in.uint()
}

// PutFeedMark writes a root's mark: the version of the rules under which the feed announced its identities.
func (e *Encoder) PutFeedMark(b *storage.Batch, shard graph.ShardID, root graph.NodeKey, rules uint64) {
	e.key = appendFeedMarkKey(e.key[:0], shard, root)
	m := feedMark{rules}
	m.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// GetFeedMark reads a root's mark. It fails with ErrNotFound if the root has no mark.
func (d *Decoder) GetFeedMark(s storage.Store, shard graph.ShardID, root graph.NodeKey) (rules uint64, err error) {
	value, err := s.Get(nil, appendFeedMarkKey(nil, shard, root))
	if err != nil {
		return 0, err
	}
	var m feedMark
	in := d.begin("feed mark", value)
	m.decode(in)
	if err := in.finish(); err != nil {
		return 0, fmt.Errorf("feed mark of node %s: %w", root, err)
	}
	return m.rules, nil
}

// DeleteFeedMarks deletes the marks of all roots of a shard.
func DeleteFeedMarks(b *storage.Batch, shard graph.ShardID) {
	lower := binary.BigEndian.AppendUint16(appendFeedRow(nil, feedMarkRow), uint16(shard))
	upper := appendFeedRow(nil, feedMarkRow+1)
	if shard < MaxShards-1 {
		upper = binary.BigEndian.AppendUint16(appendFeedRow(nil, feedMarkRow), uint16(shard)+1)
	}
	b.DeleteRange(lower, upper)
}
