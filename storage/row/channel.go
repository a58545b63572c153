package row

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/kindred-id/kindred/storage"
)

// ChannelID names an external channel in keys, rows and log records. 0 means no channel.
type ChannelID uint16

// NoNumber stands for an unknown number in an external channel, or an unknown offset: numbers and offsets begin at 0.
const NoNumber = -1

// Channel is the row of an external channel. It stays when the channel is dropped, without a name: ids are not used again.
type Channel struct {
	Name  string
	Floor int64 // an offset: every record below it was taken; NoNumber until it is known
}

// Dropped reports whether the channel was dropped.
func (c *Channel) Dropped() bool { return c.Name == "" }

// spaceChannel holds the external channels. They belong to no shard.
const spaceChannel Space = 0x08

var channelKind = &kind{
	space: spaceChannel, name: "channel",
	key:     []field{{"id", 2}},
	about:   "one row an external channel, for ever",
	catalog: true,
	checkKey: func(key []byte) error {
		if key[1] == 0 && key[2] == 0 {
			return errors.New("ids begin at 1")
		}
		return nil
	},
	check: parses[Channel]("channel row"),
}

// appendChannelKey appends the key of the row of an external channel.
func appendChannelKey(b []byte, id ChannelID) []byte {
	return binary.BigEndian.AppendUint16(append(b, byte(spaceChannel)), uint16(id))
}

// parseChannelKey reads the format of appendChannelKey. It fails with ErrKeyShape.
func parseChannelKey(key []byte) (ChannelID, error) {
	b, err := channelKind.fields(key)
	if err != nil {
		return 0, err
	}
	return ChannelID(binary.BigEndian.Uint16(b)), nil
}

// IsChannel reports whether a key is of the row of an external channel.
func IsChannel(key []byte) bool {
	_, err := parseChannelKey(key)
	return err == nil
}

const channelRowFields = 2

func (c *Channel) encode(out *writer) {
	out.start(channelVersion)
	out.array(channelRowFields)
	out.text(c.Name)
	out.uint(uint64(c.Floor - NoNumber))
}

func (c *Channel) decode(in *reader) {
	in.version(channelVersion)
	in.tuple(channelRowFields)
	*c = Channel{Name: in.text(), Floor: in.number()}
}

// Put writes the row of an external channel.
func (c *Channel) Put(b *storage.Batch, id ChannelID) {
	b.Set(appendChannelKey(nil, id), appendValue(nil, c))
}

// ReadChannel reads the row of an external channel. It fails with ErrNotFound if the id was never given out.
func ReadChannel(s storage.Reader, id ChannelID) (Channel, error) {
	value, err := s.Get(nil, appendChannelKey(nil, id))
	if err != nil {
		return Channel{}, err
	}
	c, err := parse[Channel]("channel row", value)
	if err != nil {
		err = fmt.Errorf("row of external channel %d: %w", id, err)
	}
	return c, err
}

// ScanChannels calls fn with the external channels, by id.
func ScanChannels(s storage.Reader, fn func(id ChannelID, c Channel) error) error {
	return s.Iterate(AppendSpaceLower(nil, spaceChannel), AppendSpaceUpper(nil, spaceChannel), func(key, value []byte) error {
		id, err := parseChannelKey(key)
		if err != nil {
			return err
		}
		c, err := parse[Channel]("channel row", value)
		if err != nil {
			return fmt.Errorf("row of external channel %d: %w", id, err)
		}
		return fn(id, c)
	})
}

// number reads a number in a channel, or an offset, NoNumber included.
func (in *reader) number() int64 {
	return int64(in.upTo(math.MaxInt64)) + NoNumber
}
