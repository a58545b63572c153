package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/kindred-id/kindred/actors"
)

// keepFloors stores how far partitions are handled, so that a start begins there. An error of one does not keep the
// others from theirs.
func (c *Consumer) keepFloors(ctx context.Context) error {
	var errs []error
	for _, r := range c.running.all() {
		handled := r.progress.handledTo() // before the channel, which is there once this is an offset
		errs = append(errs, r.floor.keep(ctx, r.channel.Load(), handled))
	}
	return errors.Join(errs...)
}

// A floor is how far a partition is handled, as stored with its channel: every record below it is settled (C1, C2).
//
//   - It never goes back: keep ignores what is not above it. An operator moves it back while no consumer runs, and in a cluster by
//     another channel in the place of this one.
//   - It may lag. A start then reads records again whose events the shards have taken, and the shards' positions drop
//     these; so keeping it costs a write now and then, and not one a batch.
type floor struct {
	mu     sync.Mutex // guards the following
	stored int64
}

// keep stores how far the partition is handled; handled is an offset, -1 before the partition has found where to begin.
// mu is held during the write, so that of two calls the lower offset is not written last.
func (f *floor) keep(ctx context.Context, ch *actors.ExternalChannel, handled int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if handled < 0 || handled <= f.stored {
		return nil
	}
	if err := ch.SetFloor(ctx, handled); err != nil {
		if errors.Is(err, actors.ErrDropped) {
			return nil // the partition begins elsewhere soon
		}
		return err
	}
	f.stored = handled
	return nil
}

// commitOffsets commits how far partitions are handled to the consumer group, for monitoring: a start never reads it.
// It logs an offset that someone else has set, and overwrites it.
func (c *Consumer) commitOffsets(ctx context.Context) error {
	if c.config.Group == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	handled := make(kadm.Offsets)
	var topics []string
	for _, r := range c.running.all() {
		if at := r.progress.handledTo(); at >= 0 {
			if _, ok := handled[r.name.topic]; !ok {
				topics = append(topics, r.name.topic)
			}
			handled.AddOffset(r.name.topic, r.name.partition, at, -1)
		}
	}
	if len(handled) == 0 {
		return nil
	}
	found, err := c.admin.FetchOffsetsForTopics(ctx, c.config.Group, topics...)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("read the offsets of group %s: %w", c.config.Group, err)
	}
	c.compareOffsets(found)
	if err := c.admin.CommitAllOffsets(ctx, c.config.Group, handled); err != nil {
		return fmt.Errorf("commit offsets of group %s, which nobody else may be a member of: %w", c.config.Group, err)
	}
	for _, r := range c.running.all() {
		if o, ok := handled.Lookup(r.name.topic, r.name.partition); ok {
			r.committed = o.At
		}
	}
	return nil
}

// compareOffsets logs where the group's offset differs from the one committed last: somebody expects that to move the
// consumer. A partition that has committed nothing yet has nothing to compare.
func (c *Consumer) compareOffsets(found kadm.OffsetResponses) {
	for _, r := range c.running.all() {
		o, ok := found.Lookup(r.name.topic, r.name.partition)
		if !ok || o.Err != nil || o.At < 0 || r.committed < 0 || o.At == r.committed {
			continue
		}
		c.logger.Warn("somebody moved the offset of the consumer group: that changes nothing (to go elsewhere, stop the server and run: kindred kafka seek)",
			"topic", r.name.topic, "partition", r.name.partition, "group", c.config.Group, "was", r.committed, "is", o.At)
	}
}
