package row

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// ChannelPosition is how far a shard has taken an external channel.
type ChannelPosition struct {
	Channel ChannelID
	Number  int64 // of the last event taken, or NoNumber
}

// ChannelPositions is a shard's row of positions in external channels. It omits channels without a position.
type ChannelPositions struct {
	Applied   uint64            // the last log record that all of this includes
	Positions []ChannelPosition // by channel
}

// SpacePosition holds the shards' positions in external channels.
const SpacePosition Space = 0x09

var positionKind = &kind{
	space: SpacePosition, name: "position",
	key:   []field{shardField},
	about: "one row a shard: positions in channels",
	check: parses[ChannelPositions]("positions row"),
}

// appendPositionKey appends the key of a shard's row of positions in external channels.
func appendPositionKey(b []byte, shard graph.ShardID) []byte {
	return appendShard(b, SpacePosition, shard)
}

// ParsePositionKey reads the format of appendPositionKey. It fails with ErrKeyShape.
func ParsePositionKey(key []byte) (graph.ShardID, error) { return positionKind.parseShard(key) }

const (
	positionRowFields = 2
	positionFields    = 2 // values of a position in the list
)

// encode writes a list of channel and number, by channel. Numbers are stored one higher, as offsets are, so that all of
// them are unsigned: NoNumber is -1.
//
//	 1 B
//	+---------+---------+-----------------------------------+
//	| version | applied | channel, number + 1, channel, ... |
//	+---------+---------+-----------------------------------+
func (p *ChannelPositions) encode(out *writer) {
	out.start(positionVersion)
	out.array(positionRowFields)
	out.uint(p.Applied)
	out.array(positionFields * len(p.Positions))
	for _, at := range p.Positions {
		out.uint(uint64(at.Channel))
		out.uint(uint64(at.Number - NoNumber))
	}
}

func (p *ChannelPositions) decode(in *reader) {
	in.version(positionVersion)
	in.tuple(positionRowFields)
	p.Applied = in.uint()
	n := in.list(positionFields, positionFields)
	for range n {
		at := in.at
		next := ChannelPosition{ChannelID(in.uint16()), in.number()}
		if in.err == nil && (next.Channel == 0 || len(p.Positions) > 0 && next.Channel <= p.Positions[len(p.Positions)-1].Channel) {
			in.fail(at, "channel %d is not in the order of channels", next.Channel)
		}
		if in.err != nil {
			break
		}
		p.Positions = append(p.Positions, next)
	}
}

// ParsePositions reads the value of a shard's row of positions. It fails with ErrCorrupt.
func ParsePositions(value []byte) (ChannelPositions, error) {
	return parse[ChannelPositions]("positions row", value)
}

// PutPositions writes a shard's positions in external channels.
func (e *Encoder) PutPositions(b *storage.Batch, shard graph.ShardID, p *ChannelPositions) {
	e.key = appendPositionKey(e.key[:0], shard)
	p.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// ReadPositions reads a shard's positions in external channels. It fails with ErrNotFound if the row is absent.
func ReadPositions(s storage.Store, shard graph.ShardID) (ChannelPositions, error) {
	value, err := s.Get(nil, appendPositionKey(nil, shard))
	if err != nil {
		return ChannelPositions{}, err
	}
	p, err := ParsePositions(value)
	if err != nil {
		return p, fmt.Errorf("positions row of shard %d: %w", shard, err)
	}
	return p, nil
}
