package row

import "math"

// ChannelID names an external channel in keys, rows and log records. 0 is none.
type ChannelID uint16

// NoNumber stands where a number in an external channel, or an offset, is not known: numbers and offsets begin at 0.
const NoNumber = -1

// Channel is the row of an external channel.
type Channel struct {
	Name  string
	Floor int64 // an offset: every record below it was taken; NoNumber as long as nobody said so
}

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

const (
	channelRowFields  = 2
	positionRowFields = 2
	positionFields    = 2 // values of a position in the list
)

// Channel appends the row of an external channel.
func (e *Encoder) Channel(dst []byte, c *Channel) []byte {
	o := e.begin(dst, channelVersion)
	o.array(channelRowFields)
	o.text(c.Name)
	o.uint(uint64(c.Floor - NoNumber))
	return e.finish()
}

// Channel reads the row of an external channel.
func (d *Decoder) Channel(src []byte) (Channel, error) {
	in := d.begin("channel row", src, channelVersion)
	in.tuple(channelRowFields)
	c := Channel{Name: d.text(), Floor: in.number()}
	if err := d.finish(); err != nil {
		return Channel{}, err
	}
	return c, nil
}

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

// number reads a number in a channel, or an offset, NoNumber included.
func (in *input) number() int64 {
	return int64(in.upTo(math.MaxInt64)) + NoNumber
}
