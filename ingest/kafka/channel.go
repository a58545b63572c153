package kafka

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
)

// routingCode is the version of this program's part in the routing of events: the decoders here and in ingest, and
// the normalisers. Increment it with every change to them that may send an event to another shard.
const routingCode = 2

// channelName is the name of a partition's channel, "<topic>/<partition>/<topic id>.<routing version>", and after a seek in a cluster
// ".<number of seeks>". Topic names contain no slash, ids and versions no dot.
type channelName struct {
	topic     string
	partition int32
	topicID   string // base64; "-" if the brokers give no id
	version   string
	seeks     uint64 // that were made in a cluster
}

func (n channelName) String() string {
	name := fmt.Sprintf("%s/%d/%s.%s", n.topic, n.partition, n.topicID, n.version)
	if n.seeks > 0 {
		name += "." + strconv.FormatUint(n.seeks, 10)
	}
	return name
}

// parseChannelName parses the name of a channel. ok is false for a channel that does not belong to a partition.
func parseChannelName(name string) (n channelName, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return n, false
	}
	partition, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		return n, false
	}
	id, version, ok := strings.Cut(parts[2], ".")
	n = channelName{topic: parts[0], partition: int32(partition), topicID: id, version: version}
	if version, seeks, sought := strings.Cut(version, "."); sought && ok {
		n.version = version
		n.seeks, err = strconv.ParseUint(seeks, 10, 64)
		ok = err == nil
	}
	return n, ok
}

// sought is the name of the channel of a partition as the last seek has left it.
func (n channelName) sought(engine *actors.Engine) channelName {
	for _, ch := range engine.ExternalChannels().All() {
		if other, ok := parseChannelName(ch.Name()); ok && other.seeks > n.seeks {
			if last := other.seeks; other.first() == n.first() {
				n.seeks = last
			}
		}
	}
	return n
}

// first is the name of the channel before all seeks.
func (n channelName) first() channelName {
	n.seeks = 0
	return n
}

// routingVersion is a hash of everything that decides to which shard an event of a topic goes (C6): the deployment's
// part and the topic's. A shard's position in a channel means "all before it that were mine"; once events go to other
// shards, that would drop an event which another shard had taken, or take it twice. So a new version is a new channel.
func routingVersion(deployment string, t *Topic, options segment.Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n%s\n%d\n", routingCode, deployment, t.Format, options.MaxEventBytes)
	for _, p := range options.Paths {
		fmt.Fprintf(h, "%q %q\n", p.Path, p.Namespace)
	}
	if t.Mapping != nil {
		fmt.Fprintf(h, "%s", t.Mapping)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// open finds a partition's channel and the offset to begin at. first decides the offset for a partition without any
// history.
//
// It opens the channel, gives it a floor, and drops its predecessors, in this order. After a crash in between, the next
// start finds the predecessors again, or a floor that no longer needs them.
func open(ctx context.Context, engine *actors.Engine, name channelName, log func(msg string, args ...any), first func(context.Context) (int64, error)) (*actors.ExternalChannel, int64, error) {
	name = name.sought(engine)
	ch, err := engine.ExternalChannels().Open(ctx, name.String())
	if err != nil {
		return nil, 0, err
	}
	older := earlier(engine, name)
	offset, ok, err := ch.Floor(ctx)
	if err == nil && !ok {
		offset, err = begin(ctx, name, older, log, first)
		if err == nil {
			offset, err = ch.Begin(ctx, offset)
		}
	}
	if err != nil {
		return nil, 0, err
	}
	for _, old := range older {
		if err := old.Drop(ctx); err != nil {
			return nil, 0, err
		}
	}
	return ch, offset, nil
}

// wasConsumed reports whether a topic of this name was ever consumed. Of a topic that several processes share, that is whether its
// first partition was: see beginAll.
func wasConsumed(ctx context.Context, engine *actors.Engine, topic string, shared bool) (bool, error) {
	for _, ch := range engine.ExternalChannels().All() {
		if n, ok := parseChannelName(ch.Name()); !ok || n.topic != topic || shared && n.partition > 0 {
			continue
		}
		if _, floor, err := ch.Floor(ctx); err != nil || floor {
			return true, err
		}
	}
	return false, nil
}

// earlier finds the previous channels of a partition: under another routing version, or of another topic with the
// same name.
func earlier(engine *actors.Engine, name channelName) (older []*actors.ExternalChannel) {
	for _, ch := range engine.ExternalChannels().All() {
		n, ok := parseChannelName(ch.Name())
		if ok && n.topic == name.topic && n.partition == name.partition && n != name {
			older = append(older, ch)
		}
	}
	return older
}

// begin decides the offset at which a new channel begins.
func begin(ctx context.Context, name channelName, older []*actors.ExternalChannel, log func(msg string, args ...any), first func(context.Context) (int64, error)) (int64, error) {
	for _, old := range older {
		n, _ := parseChannelName(old.Name())
		floor, ok, err := old.Floor(ctx)
		if err != nil {
			return 0, err
		}
		switch {
		case n.topicID == name.topicID && ok:
			log("events are routed in another way than before: a new channel goes on where the old one stood", "offset", floor)
			return floor, nil
		case n.topicID != name.topicID:
			log("the topic was deleted and made anew: it is read from its beginning", "stood_at", floor)
		}
	}
	return first(ctx)
}

// decodeOptions are the options of a topic's record decoder.
func (t *Topic) decodeOptions(schemas *record.Schemas) record.Options {
	return record.Options{Format: t.Format, Mapping: t.Mapping, MaxBytes: t.MaxRecordBytes, Schemas: schemas}
}
