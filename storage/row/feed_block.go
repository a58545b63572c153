package row

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// FeedBlock is a row of the change feed: the entries of one commit of a shard. Its key has the number of its last
// entry.
type FeedBlock struct {
	Record  uint64 // the log record that it was committed with
	Order   uint64 // across all shards: the block of a cause has a lower order than the block of its effect
	At      int64  // ms since 1970 UTC
	First   uint64 // number of the first entry in the shard's feed; the others follow without a gap
	Rules   uint64 // version of the rules that decided
	Entries []graph.FeedEntry
}

// SpaceFeed holds the blocks of the change feed.
const SpaceFeed Space = 0x0a

var feedKind = &kind{
	space: SpaceFeed, name: "feed",
	key:   []field{shardField, numberField},
	about: "one row a commit with entries, packed",
	check: func(d *Decoder, key, value []byte) error {
		_, err := d.feedBlock(binary.BigEndian.Uint64(key[shardPrefixLen:]), value)
		return err
	},
}

// appendFeedKey appends the key of the block whose last entry has the given number in the shard's feed.
func appendFeedKey(b []byte, shard graph.ShardID, number uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceFeed, shard), number)
}

// ParseFeedKey reads the format of appendFeedKey. It fails with ErrKeyShape.
func ParseFeedKey(key []byte) (graph.ShardID, uint64, error) { return feedKind.parseSeq(key) }

const feedBlockFields = 6

// encode writes the block as one array after the version. The number of the last entry is in the key, and follows
// from first and the number of entries: feedBlock checks that both agree.
//
//	 1 B
//	+---------+--------+-------+----+-------+-------+------------------+
//	| version | record | order | at | first | rules | array of entries |
//	+---------+--------+-------+----+-------+-------+------------------+
func (b *FeedBlock) encode(out *writer) {
	out.start(feedBlockVersion)
	out.array(feedBlockFields)
	out.uint(b.Record)
	out.uint(b.Order)
	out.int(b.At)
	out.uint(b.First)
	out.uint(b.Rules)
	out.array(len(b.Entries))
	entries := feedWriter{out}
	for i := range b.Entries {
		entries.entry(&b.Entries[i])
	}
}

// decode reads a block of the feed, which shares no memory with its encoding.
func (b *FeedBlock) decode(in *reader) {
	in.version(feedBlockVersion)
	in.tuple(feedBlockFields)
	*b = FeedBlock{Record: in.uint(), Order: in.uint(), At: in.int(), First: in.uint(), Rules: in.uint()}
	if n := in.list(1, feedEntryLeast); n > 0 {
		b.Entries = make([]graph.FeedEntry, n)
	}
	entries := feedReader{in}
	for i := range b.Entries {
		entries.entry(&b.Entries[i])
		if in.err != nil {
			break
		}
	}
}

// PutFeedBlock writes a block of a shard's feed, packed, and returns the size of the packed block in bytes.
func (e *Encoder) PutFeedBlock(b *storage.Batch, shard graph.ShardID, block *FeedBlock) int {
	number := block.First + uint64(len(block.Entries)) - 1
	e.key = appendFeedKey(e.key[:0], shard, number)
	block.encode(e.begin(e.value[:0]))
	e.value = e.finish()
	return e.setPacked(b, e.value)
}

// FeedRow reads the row of a block and the number of its last entry, which is in the key, as is its shard.
func (d *Decoder) FeedRow(key, value []byte) (b FeedBlock, number uint64, err error) {
	shard, number, err := ParseFeedKey(key)
	if err != nil {
		return FeedBlock{}, 0, err
	}
	if b, err = d.feedBlock(number, value); err != nil {
		return FeedBlock{}, 0, fmt.Errorf("feed of shard %d, block %d: %w", shard, number, err)
	}
	return b, number, nil
}

// feedBlock reads the value of the row of the block with this number in its key.
func (d *Decoder) feedBlock(number uint64, value []byte) (b FeedBlock, err error) {
	data, err := Unpack(value)
	if err != nil {
		return FeedBlock{}, err
	}
	in := d.begin("feed block", data)
	b.decode(in)
	if err := in.finish(); err != nil {
		return FeedBlock{}, err
	}
	if b.First == 0 || b.First+uint64(len(b.Entries)) != number+1 {
		return b, fmt.Errorf("%w: it holds %d entries from %d on", storage.ErrCorrupt, len(b.Entries), b.First)
	}
	return b, nil
}

// ScanFeed calls fn with the rows of a shard's feed whose last entry has a number >= from. FeedRow reads them.
func ScanFeed(s storage.Store, shard graph.ShardID, from uint64, fn func(key, value []byte) error) error {
	return s.Iterate(appendFeedKey(nil, shard, from), AppendShardUpper(nil, SpaceFeed, shard), fn)
}

// DeleteFeed deletes the blocks of a shard's feed whose last entry has a number with from <= number < to. REQUIRES:
// from < to
func DeleteFeed(b *storage.Batch, shard graph.ShardID, from, to uint64) {
	b.DeleteRange(appendFeedKey(nil, shard, from), appendFeedKey(nil, shard, to))
}
