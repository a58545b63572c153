package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/kindred-id/kindred/actors"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Positions are how far an engine's partitions are handled, by what the engine itself knows.
func Positions(ctx context.Context, engine *actors.Engine) ([]Position, error) {
	var all []Position
	for _, ch := range engine.Channels() {
		n, ok := parseChannelName(ch.Name())
		if !ok {
			continue
		}
		floor, ok, err := ch.Floor(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			floor = actors.NoNumber
		}
		all = append(all, Position{n.topic, n.partition, floor, ch})
	}
	return all, nil
}

// Position is how far a partition is handled.
type Position struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Offset is where a start begins to read: everything below is handled. -1: nothing was consumed yet.
	Offset int64 `json:"offset"`

	channel *actors.Channel
}

// Target is where to seek to.
type Target struct {
	Earliest, Latest bool
	Offset           int64
}

// ParseTarget reads earliest, latest, or an offset.
func ParseTarget(text string) (Target, error) {
	switch text {
	case "earliest":
		return Target{Earliest: true}, nil
	case "latest":
		return Target{Latest: true}, nil
	}
	offset, err := strconv.ParseInt(text, 10, 64)
	if err != nil || offset < 0 || offset > actors.MaxOffset {
		return Target{}, fmt.Errorf("%q: want earliest, latest or an offset", text)
	}
	return Target{Offset: offset}, nil
}

// Seek lets a partition go on at a place, whatever was handled before: forward, what is between is passed
// over; back, it is taken again, and only the memory of duplicates tells what is known. config is needed
// for earliest and latest, which the brokers know.
//
// REQUIRES: nothing consumes the partition
func (p Position) Seek(ctx context.Context, config *Config, to Target) (int64, error) {
	offset := to.Offset
	if to.Earliest || to.Latest {
		var err error
		if offset, err = config.offsetOf(ctx, p.Topic, p.Partition, to.Latest); err != nil {
			return 0, err
		}
	}
	if err := p.channel.Seek(ctx, offset); err != nil {
		return 0, err
	}
	return offset, nil
}

// offsetOf asks the brokers where a partition begins, or ends.
func (c *Config) offsetOf(ctx context.Context, topic string, partition int32, latest bool) (int64, error) {
	admin, err := c.Admin()
	if err != nil {
		return 0, err
	}
	defer admin.Close()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	list := admin.ListStartOffsets
	if latest {
		list = admin.ListEndOffsets
	}
	listed, err := list(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("ask the brokers where partition %d of %s begins and ends: %w", partition, topic, err)
	}
	found, ok := listed.Lookup(topic, partition)
	if !ok {
		return 0, fmt.Errorf("topic %s has no partition %d", topic, partition)
	}
	return found.Offset, nil
}

// Connection is how to connect to the brokers, with TLS and SASL as the configuration says, for clients that are
// made elsewhere. The logger may be nil. It fails where SASL's settings contradict, or a file can't be read.
func (c *Config) Connection(logger *slog.Logger) ([]kgo.Opt, error) {
	with := *c
	with.setDefaults()
	if err := with.SASL.check(); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = discard
	}
	return with.clientOptions(logger)
}

// Client connects to the brokers, with options beside those of the configuration.
func (c *Config) Client(opts ...kgo.Opt) (*kgo.Client, error) {
	common, err := c.Connection(nil)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(common, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return client, nil
}

// Reader connects to the brokers with the settings by which a consumer reads, for those who measure beside one.
func (c *Config) Reader(opts ...kgo.Opt) (*kgo.Client, error) {
	return c.Client(append(c.consumeOptions(), opts...)...)
}

// Admin connects to the brokers, to ask and to administer.
func (c *Config) Admin() (*kadm.Client, error) {
	client, err := c.Client()
	if err != nil {
		return nil, err
	}
	return kadm.NewClient(client), nil
}
