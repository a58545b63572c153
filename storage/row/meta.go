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

// ShardMeta is a shard's meta row.
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
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.ShardMeta(value)
		return err
	},
}

// appendMetaKey appends the key of a shard's meta row.
func appendMetaKey(b []byte, shard graph.ShardID) []byte { return appendShard(b, SpaceMeta, shard) }

// ParseMetaKey reads the format of appendMetaKey. It fails with ErrKeyShape.
func ParseMetaKey(key []byte) (graph.ShardID, error) { return metaKind.parseShard(key) }

const (
	metaFields    = 4
	channelFields = 2 // of a position, and of a number of sent messages
)

// ShardMeta appends a shard's meta row.
func (e *Encoder) ShardMeta(dst []byte, m *ShardMeta) []byte {
	o := e.begin(dst, metaVersion)
	o.array(metaFields)
	o.uint(m.Applied)
	o.array(channelFields * len(m.Positions))
	for _, p := range m.Positions {
		o.uint(uint64(p.Source))
		o.uint(p.Seq)
	}
	o.array(channelFields * len(m.Sent))
	for _, a := range m.Sent {
		o.uint(uint64(a.To))
		o.uint(a.Seq)
	}
	o.uint(m.Low)
	return e.finish()
}

// ShardMeta reads a shard's meta row.
func (d *Decoder) ShardMeta(src []byte) (ShardMeta, error) {
	in := d.begin("meta row", src, metaVersion)
	var m ShardMeta
	in.tuple(metaFields)
	m.Applied = in.uint()
	in.channels(func(shard uint16, seq uint64) { m.Positions = append(m.Positions, Position{shard, seq}) })
	in.channels(func(shard uint16, seq uint64) { m.Sent = append(m.Sent, Ack{shard, seq}) })
	m.Low = in.uint()
	if err := d.finish(); err != nil {
		return ShardMeta{}, err
	}
	return m, nil
}

// PutMeta writes a shard's meta row.
func (e *Encoder) PutMeta(b *storage.Batch, shard graph.ShardID, m *ShardMeta) {
	e.key, e.value = appendMetaKey(e.key[:0], shard), e.ShardMeta(e.value[:0], m)
	e.set(b)
}

// GetMeta reads a shard's meta row. It fails with ErrNotFound if the row is absent.
func (d *Decoder) GetMeta(s storage.Store, shard graph.ShardID) (ShardMeta, error) {
	value, err := s.Get(nil, appendMetaKey(nil, shard))
	if err != nil {
		return ShardMeta{}, err
	}
	m, err := d.ShardMeta(value)
	if err != nil {
		return m, fmt.Errorf("meta row of shard %d: %w", shard, err)
	}
	return m, nil
}

// channels reads pairs of a shard and a number, in ascending order of distinct shards.
func (in *input) channels(each func(shard uint16, seq uint64)) {
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
