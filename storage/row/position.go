package row

import (
	"github.com/kindred-id/kindred/graph"
)

// ChannelPosition is how far a shard has taken an external channel.
type ChannelPosition struct {
	Channel ChannelID
	Number  int64 // of the last event taken, or NoNumber
}

// ChannelPositions is a shard's row of positions in external channels. Channels without one are left out.
type ChannelPositions struct {
	Applied   uint64            // the log record that all of this is as of
	Positions []ChannelPosition // by channel
}

// SpacePosition has the shards' positions in external channels.
const SpacePosition Space = 0x09

var positionKind = &kind{
	space: SpacePosition, name: "position",
	key:   []field{shardField},
	about: "one row a shard: places in channels",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.ChannelPositions(value)
		return err
	},
}

// AppendPositionKey appends the key of a shard's row of positions in external channels.
func AppendPositionKey(b []byte, shard graph.ShardID) []byte {
	return appendShard(b, SpacePosition, shard)
}

// ParsePositionKey reads what AppendPositionKey wrote. It fails with ErrKeyShape.
func ParsePositionKey(key []byte) (graph.ShardID, error) { return positionKind.parseShard(key) }

const (
	positionRowFields = 2
	positionFields    = 2 // values of a position in the list
)

// ChannelPositions appends a shard's row of positions in external channels.
func (e *Encoder) ChannelPositions(dst []byte, p *ChannelPositions) []byte {
	o := e.begin(dst, positionVersion)
	o.array(positionRowFields)
	o.uint(p.Applied)
	o.array(positionFields * len(p.Positions))
	for _, at := range p.Positions {
		o.uint(uint64(at.Channel))
		o.uint(uint64(at.Number - NoNumber))
	}
	return e.finish()
}

// ChannelPositions reads a shard's row of positions in external channels.
func (d *Decoder) ChannelPositions(src []byte) (ChannelPositions, error) {
	in := d.begin("positions row", src, positionVersion)
	var p ChannelPositions
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
	if err := d.finish(); err != nil {
		return ChannelPositions{}, err
	}
	return p, nil
}
