package row

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Position is how far a shard has taken another shard's channel.
type Position struct {
	Source uint16
	Seq    uint64 // of the last message taken
}

// ShardMeta is a shard's meta row: where it stands with other shards and in its own log. A recovery reads it first, and
// then the log from Low on.
//
//	+---------+---------+---------------+----------+-----+
//	| version | applied | positions, 2n | sent, 2n | low |
//	+---------+---------+---------------+----------+-----+
//
// Both lists are in ascending order of shards, each shard once.
type ShardMeta struct {
	Applied   uint64     // the last log record that all of this includes
	Positions []Position // by source
	Sent      []Ack      // by destination: the number of the last message sent there
	Low       uint64     // the first log record kept
}

// SpaceMeta has the shards' meta rows.
const SpaceMeta Space = 0x02

var metaKind = &kind{
	space: SpaceMeta, name: "meta",
	key:   []field{shardField},
	about: "one row a shard",
	check: parses[ShardMeta]("meta row"),
}

// appendMetaKey appends the key of a shard's meta row.
func appendMetaKey(b []byte, shard graph.ShardID) []byte { return appendShard(b, SpaceMeta, shard) }

// ParseMetaKey reads the format of appendMetaKey. It fails with ErrKeyShape.
func ParseMetaKey(key []byte) (graph.ShardID, error) { return metaKind.parseShard(key) }

const (
	metaFields    = 4
	channelFields = 2 // of a position, and of a number of sent messages
)

func (m *ShardMeta) encode(out *writer) {
	out.start(metaVersion)
	out.array(metaFields)
	out.uint(m.Applied)
	out.array(channelFields * len(m.Positions))
	for _, p := range m.Positions {
		out.uint(uint64(p.Source))
		out.uint(p.Seq)
	}
	out.array(channelFields * len(m.Sent))
	for _, a := range m.Sent {
		out.uint(uint64(a.To))
		out.uint(a.Seq)
	}
	out.uint(m.Low)
}

func (m *ShardMeta) decode(in *reader) {
	in.version(metaVersion)
	in.tuple(metaFields)
	m.Applied = in.uint()
	list := metaReader{in}
	list.channels(func(shard uint16, seq uint64) { m.Positions = append(m.Positions, Position{shard, seq}) })
	list.channels(func(shard uint16, seq uint64) { m.Sent = append(m.Sent, Ack{shard, seq}) })
	m.Low = in.uint()
}

// ParseMeta reads the value of a shard's meta row. It fails with ErrCorrupt.
func ParseMeta(value []byte) (ShardMeta, error) { return parse[ShardMeta]("meta row", value) }

// PutMeta writes a shard's meta row.
func (e *Encoder) PutMeta(b *storage.Batch, shard graph.ShardID, m *ShardMeta) {
	e.key = appendMetaKey(e.key[:0], shard)
	m.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// ReadMeta reads a shard's meta row. It fails with ErrNotFound if the row is absent.
func ReadMeta(s storage.Store, shard graph.ShardID) (ShardMeta, error) {
	value, err := s.Get(nil, appendMetaKey(nil, shard))
	if err != nil {
		return ShardMeta{}, err
	}
	m, err := ParseMeta(value)
	if err != nil {
		return m, fmt.Errorf("meta row of shard %d: %w", shard, err)
	}
	return m, nil
}

// A metaReader reads the lists of a meta row.
type metaReader struct{ *reader }

// channels reads pairs of a shard and a number, in ascending order of distinct shards.
func (in metaReader) channels(each func(shard uint16, seq uint64)) {
	n := in.list(channelFields, channelFields)
	last := -1
	for range n {
		at := in.at
		shard, seq := in.uint16(), in.uint()
		if in.err != nil {
			return
		}
		if int(shard) <= last {
			in.fail(at, "shard %d is not in the order of shards", shard)
			return
		}
		last = int(shard)
		each(shard, seq)
	}
}
