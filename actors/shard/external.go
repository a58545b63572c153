package shard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// external holds a shard's positions in the channels that come from outside, a partition of a Kafka
// topic for one. Any number of consumers may deliver the same channel at once, repeatedly, and from
// older records than they need to: what goes to one shard is a chain, each event naming the number
// before it, and the shard takes the next link only (A8).
type external struct {
	open    *OpenChannels
	taken   []int64         // by channel: the number of the last event taken
	durable []int64         // the same, of what is committed: what others are told
	touched []row.ChannelID // in the step under way
}

// NoNumber is the position of a shard that has taken nothing of a channel, and the floor of a
// channel that has none.
const NoNumber = row.NoNumber

// MaxChannels is how many external channels may be open: every shard keeps a position in each. In memory it has room for the
// highest id that it has met, and ids are not used again, so the memory grows by 16 bytes with every channel.
const MaxChannels = 4096

// OpenChannels are the external channels that are open, for the shards of a process. A shard takes nothing of another one, so
// that a consumer that is late can't start it anew. To nil, all are open.
type OpenChannels struct {
	ids [1 << 16 / 64]atomic.Uint64 // a bit each
}

// Open adds a channel.
func (o *OpenChannels) Open(id row.ChannelID) { o.ids[id/64].Or(1 << (id % 64)) }

// Close removes a channel.
func (o *OpenChannels) Close(id row.ChannelID) { o.ids[id/64].And(^uint64(1 << (id % 64))) }

// Has reports whether a channel is open.
func (o *OpenChannels) Has(id row.ChannelID) bool {
	return o == nil || o.ids[id/64].Load()&(1<<(id%64)) != 0
}

func (x *external) begin() { x.touched = x.touched[:0] }

// position is the number of the last event taken.
func (x *external) position(id row.ChannelID) int64 {
	if int(id) < len(x.taken) {
		return x.taken[id]
	}
	return NoNumber
}

// committedPosition is the number of the last event taken whose commit is durable.
func (x *external) committedPosition(id row.ChannelID) int64 {
	if int(id) < len(x.durable) {
		return x.durable[id]
	}
	return NoNumber
}

// set moves a position. Consumers of few channels at a time feed a step, so the list of those
// touched is short.
func (x *external) set(id row.ChannelID, number int64) {
	for int(id) >= len(x.taken) {
		x.taken = append(x.taken, NoNumber)
	}
	x.taken[id] = number
	if !slices.Contains(x.touched, id) {
		x.touched = append(x.touched, id)
	}
}

// committed notes that the positions are durable.
func (x *external) committed() {
	if len(x.touched) == 0 {
		return
	}
	for _, id := range x.touched {
		for int(id) >= len(x.durable) {
			x.durable = append(x.durable, NoNumber)
		}
		x.durable[id] = x.taken[id]
	}
	x.touched = x.touched[:0]
}

// take moves the position in the channel of an input, and reports whether it did: an event is taken if it is the next one (A8).
// An input without an event is an operator's, who moves the position wherever it is. Nothing is taken of a channel that was closed.
func (x *external) take(in *Input) bool {
	if !x.open.Has(in.Channel) {
		return false
	}
	number, at := int64(in.Seq), x.position(in.Channel)
	if in.Event == nil {
		x.set(in.Channel, number)
		return true
	}
	if in.Prev != at || number <= at {
		return false
	}
	x.set(in.Channel, number)
	return true
}

// note adds to a record how far the step took external channels.
func (x *external) note(record *row.RecordWriter, c *codec) {
	for _, id := range x.touched {
		c.body = binary.AppendUvarint(c.body[:0], uint64(id))
		record.AddInput(sourceChannel, uint64(x.taken[id]-NoNumber), c.body)
	}
}

// decodePosition reads what note wrote.
func decodePosition(in *row.Input) (row.ChannelPosition, error) {
	id, n := binary.Uvarint(in.Body)
	if n != len(in.Body) || id == 0 || id > math.MaxUint16 || in.Seq > math.MaxInt64 {
		return row.ChannelPosition{}, fmt.Errorf("%w: position in an external channel", storage.ErrCorrupt)
	}
	return row.ChannelPosition{Channel: row.ChannelID(id), Number: int64(in.Seq) + NoNumber}, nil
}

// readExternal reads the positions as of the row that truncation left.
func readExternal(c *Config) (x external, err error) {
	x.open = c.Channels
	positions, err := row.ReadPositions(c.Store, c.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return x, nil
	}
	if err != nil {
		return x, err
	}
	for _, p := range positions.Positions {
		x.set(p.Channel, p.Number)
	}
	return x, nil
}

// row is what is kept of the positions when the log that holds them is cut; ok is false where there are none. Those in closed
// channels are forgotten.
func (x *external) row(applied uint64) (stored row.ChannelPositions, ok bool) {
	if len(x.taken) == 0 {
		return stored, false
	}
	stored.Applied = applied
	for id, number := range x.taken {
		if number != NoNumber && x.open.Has(row.ChannelID(id)) {
			stored.Positions = append(stored.Positions, row.ChannelPosition{Channel: row.ChannelID(id), Number: number})
		}
	}
	return stored, true
}
