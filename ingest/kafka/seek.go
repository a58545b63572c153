package kafka

import (
	"context"
	"fmt"
	"strconv"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Positions returns how far an engine's partitions are handled, from the engine's own records.
func Positions(ctx context.Context, engine *actors.Engine) ([]Position, error) {
	var all []Position
	for _, ch := range engine.ExternalChannels().All() {
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

	channel *actors.ExternalChannel
}

// Target is where to seek to.
type Target struct {
	Earliest, Latest bool
	Offset           int64
}

// NeedsBrokers reports whether only the brokers know the target's offset.
func (t Target) NeedsBrokers() bool { return t.Earliest || t.Latest }

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

// A Move says which positions to move, and where to.
type Move struct {
	Topic     string
	Partition int32 // -1: all partitions of the topic
	To        Target
	Dry       bool // find the positions, and move none
	// Live moves positions in partitions that are being consumed, by this process or another one of a cluster: the channel of each is
	// replaced by another one. Their consumers begin there a moment later, and take what they have under way before.
	Live bool
}

// Apply moves those of the positions that it is about, one after the other, and returns them as they are then. If one
// fails, those before it have moved, and the same move may be applied again. It needs config for earliest and latest,
// which it asks the brokers for.
//
// REQUIRES: no partition of the topic is being consumed, unless Live
func (m *Move) Apply(ctx context.Context, config *Config, all []Position) ([]Position, error) {
	moved := []Position{}
	for _, p := range all {
		if p.Topic != m.Topic || m.Partition >= 0 && p.Partition != m.Partition {
			continue
		}
		if !m.Dry {
			var err error
			if p.Offset, err = p.seek(ctx, config, m.To, m.Live); err != nil {
				return moved, err
			}
		}
		moved = append(moved, p)
	}
	return moved, nil
}

// seek makes a partition continue at a target, regardless of its progress. Forward, it skips the records in between;
// backward, it takes them again, and only the memory of duplicates recognises them.
func (p Position) seek(ctx context.Context, config *Config, to Target, live bool) (int64, error) {
	offset := to.Offset
	if to.NeedsBrokers() {
		var err error
		if offset, err = config.offsetOf(ctx, p.Topic, p.Partition, to.Latest); err != nil {
			return 0, err
		}
	}
	if !live {
		return offset, p.channel.Seek(ctx, offset)
	}
	name, _ := parseChannelName(p.channel.Name())
	name.seeks++
	return offset, p.channel.Replace(ctx, name.String(), offset)
}

// offsetOf asks the brokers for a partition's first or end offset.
func (c *Config) offsetOf(ctx context.Context, topic string, partition int32, latest bool) (int64, error) {
	admin, err := c.admin()
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

// Connection returns the connection settings of this configuration.
func (c *Config) Connection() broker.Connection {
	return broker.Connection{Brokers: c.Brokers, ClientID: c.ClientID, TLS: c.TLS, SASL: c.SASL, Dial: c.dialer}
}

// client returns a client for a command, which reports errors itself: those of the library are not logged.
func (c *Config) client(opts ...kgo.Opt) (*kgo.Client, error) {
	connection := c.Connection()
	return connection.Client(nil, opts...)
}

// Drain reads the given number of records of a topic from its start, with a consumer's settings, and drops them:
// measurements compare it with a consumer.
func (c *Config) Drain(ctx context.Context, topic string, partitions, records int) error {
	from := make(map[int32]kgo.Offset)
	for p := range partitions {
		from[int32(p)] = kgo.NewOffset().AtStart() //nolint:gosec // partitions are few
	}
	client, err := c.client(append(c.consumeOptions(&memory{}), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))...)
	if err != nil {
		return err
	}
	defer client.Close()
	for n := 0; n < records; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read topic %s: %w", topic, err)
		}
		n += fetches.NumRecords()
		fetches.EachRecord((*kgo.Record).Recycle)
	}
	return nil
}

// admin returns a client for queries and administration.
func (c *Config) admin() (*kadm.Client, error) {
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	return kadm.NewClient(client), nil
}
