package kafka

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/internal/backoff"
)

// Periods of a consumer, and its timeout for brokers.
const (
	discoverEvery = 10 * time.Second
	shareEvery    = time.Second // to ask whose a partition is, where several processes share them
	floorsEvery   = 2 * time.Second
	commitEvery   = 5 * time.Second
	askTimeout    = 10 * time.Second

	// sharedFloorsEvery is floorsEvery where a floor is a record of a journal for all processes.
	sharedFloorsEvery = 10 * time.Second
)

// retry is the pause before brokers, the engine or a registry are asked again.
var retry = backoff.Doubling{First: 100 * time.Millisecond, Most: 15 * time.Second}

// noTopicID stands for the id of a topic if the brokers give no id.
const noTopicID = "-"

// discover looks for topics and partitions until ctx ends, and stops those that are gone.
func (c *Consumer) discover(ctx, hard context.Context) {
	failures := 0
	for ctx.Err() == nil {
		err := c.look(ctx, hard)
		wait := c.config.discoverEvery
		if err != nil {
			wait = min(wait, retry.Random(failures))
			failures++
		} else {
			failures = 0
		}
		c.report(err)
		c.rest(ctx, wait)
	}
}

// rest waits, at most until the shares of processes have changed. It returns early when ctx ends.
func (c *Consumer) rest(ctx context.Context, wait time.Duration) {
	for wait > 0 && ctx.Err() == nil && !c.shareChanged() {
		step := wait
		if c.into.Mine != nil {
			step = min(wait, shareEvery)
		}
		_ = backoff.Sleep(ctx, step) // the loop asks the context
		wait -= step
	}
}

// mine reports whether this process is to consume a partition.
func (c *Consumer) mine(at place) bool {
	return c.into.Mine == nil || c.into.Mine(at.topic, at.partition)
}

// shareChanged reports whether a partition runs that is another process's now, or does not run and is this one's, or has to begin
// elsewhere.
func (c *Consumer) shareChanged() bool {
	if c.into.Mine == nil {
		return false
	}
	for name, t := range c.topics {
		for _, n := range t.partitions {
			at := place{name, n}
			r := c.running.find(at)
			if c.mine(at) != (r != nil) || r != nil && r.replaced() {
				return true
			}
		}
	}
	return false
}

// floorsEvery is how often floors are kept.
func (c *Consumer) floorsEvery() time.Duration {
	if c.into.Mine != nil {
		return sharedFloorsEvery
	}
	return floorsEvery
}

// report records whether the brokers can be asked.
func (c *Consumer) report(err error) {
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	c.mu.Lock()
	before := c.brokers
	c.brokers = problem
	c.mu.Unlock()
	switch problem {
	case before:
	case "":
		c.logger.Info("kafka: the brokers answer again")
	default:
		c.logger.Warn("kafka: the brokers can't be asked, and are tried again", "error", problem)
	}
}

// look asks once for the topics and partitions.
func (c *Consumer) look(ctx, hard context.Context) error {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var names []string
	for name := range c.topics {
		names = append(names, name)
	}
	meta, err := c.admin.Metadata(asking, names...)
	if err != nil {
		return fmt.Errorf("ask for topics: %w", err)
	}
	if err := c.letters.prepare(asking, c.admin, *c.config.DeadLetters.Create); err != nil {
		return err
	}
	for _, name := range names {
		if t := c.topics[name]; !t.seen {
			if t.seen, err = wasConsumed(ctx, c.into.Engine, name, c.into.Mine != nil); err != nil {
				return err
			}
		}
		if err := c.lookAt(ctx, hard, meta.Topics[name], c.topics[name]); err != nil {
			return err
		}
	}
	return c.findEnds(asking, names)
}

// lookAt starts the partitions of a topic that do not run, and stops those that are another process's, or of a topic that is gone.
func (c *Consumer) lookAt(ctx, hard context.Context, found kadm.TopicDetail, t *consumed) error {
	if found.Err != nil {
		c.note(t.Topic.Topic, topicProblem(found.Err))
		if errors.Is(found.Err, kerr.UnknownTopicOrPartition) || errors.Is(found.Err, kerr.UnknownTopicID) {
			t.partitions = nil
			c.remove(ctx, t.Topic.Topic, "")
		}
		return nil
	}
	c.note(t.Topic.Topic, "")
	id := topicID(found.ID)
	c.remove(ctx, t.Topic.Topic, id)
	// Decide once for all partitions that exist now: after one of them has begun, the topic is known.
	start := t.Start
	if t.seen {
		start = Start{}
	}
	t.partitions = slices.Sorted(maps.Keys(found.Partitions))
	if c.into.Mine != nil && !t.seen {
		if err := c.beginAll(ctx, t, id, start); err != nil {
			return err
		}
	}
	c.end(ctx, c.replacedOf(t))
	var others []*running
	for _, n := range t.partitions {
		at := place{t.Topic.Topic, n}
		switch r := c.running.find(at); {
		case r == nil && c.mine(at):
			c.add(ctx, hard, t, channelName{topic: at.topic, partition: n, topicID: id, version: t.version}, start)
		case r != nil && !c.mine(at):
			others = append(others, r)
		}
	}
	t.seen = true
	c.end(ctx, others)
	for _, r := range others {
		c.logger.Info("partition is another node's", "topic", r.name.topic, "partition", r.name.partition, "offset", r.progress.handledTo())
	}
	return nil
}

// replacedOf returns the partitions of a topic that are to begin elsewhere.
func (c *Consumer) replacedOf(t *consumed) (all []*running) {
	for _, n := range t.partitions {
		if r := c.running.find(place{t.Topic.Topic, n}); r != nil && r.replaced() {
			c.logger.Info("partition goes on where an operator has moved it to", "topic", r.name.topic, "partition", r.name.partition)
			all = append(all, r)
		}
	}
	return all
}

// replaced reports whether the channel of the partition was dropped while it runs: an operator has moved the position.
func (p *partition) replaced() bool {
	ch := p.channel.Load()
	return p.consumer.into.Mine != nil && ch != nil && ch.Dropped()
}

// beginAll gives each partition of a topic that was never consumed its first floor, those of other processes included: to them the
// topic is known from then on, and they would begin at its beginning. The first partition is the last to begin: until then the topic
// is not known, and a process that looks in the middle begins all as well. Of several that begin a partition, one decides where.
func (c *Consumer) beginAll(ctx context.Context, t *consumed, id string, start Start) error {
	for _, n := range slices.Backward(t.partitions) {
		p := newPartition(c, t.Topic, channelName{topic: t.Topic.Topic, partition: n, topicID: id, version: t.version}, t.batches, start)
		if _, _, err := open(ctx, c.into.Engine, p.name, p.log, p.first); err != nil {
			return fmt.Errorf("topic %s, partition %d: %w", t.Topic.Topic, n, err)
		}
	}
	return nil
}

func topicID(id kadm.TopicID) string {
	if id == (kadm.TopicID{}) {
		return noTopicID
	}
	return base64.RawURLEncoding.EncodeToString(id[:])
}

func topicProblem(err error) string {
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return "is not there: create it, or correct its name"
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return "may not be described by this user: grant it DESCRIBE and READ"
	}
	return err.Error()
}

// note keeps the problem of a topic, and logs it if it is new.
func (c *Consumer) note(topic, problem string) {
	c.mu.Lock()
	before := c.problems[topic]
	if problem == "" {
		delete(c.problems, topic)
	} else {
		c.problems[topic] = problem
	}
	c.mu.Unlock()
	switch problem {
	case before:
	case "":
		c.logger.Info("kafka: the topic is there", "topic", topic)
	default:
		c.logger.Warn("kafka: the topic can't be consumed, and is looked for again", "topic", topic, "problem", problem)
	}
}

// add starts a partition. Its own context ends with ctx, or with the topic (remove); hard ends only when the wait for
// batches in progress does, and is the same for all.
func (c *Consumer) add(ctx, hard context.Context, t *consumed, name channelName, start Start) {
	own, cancel := context.WithCancel(ctx)
	r := &running{partition: newPartition(c, t.Topic, name, t.batches, start), cancel: cancel, done: make(chan struct{}), committed: -1}
	c.running.add(r)
	c.tasks.Go(func() {
		defer close(r.done)
		r.run(own, hard)
	})
}

// end stops partitions. It waits until they have ended, their floors are kept and the poller fetches them no more, before their
// places are free: two partitions of one place would take each other's records from the poller, and the client would not begin
// where the next one asks it to.
func (c *Consumer) end(ctx context.Context, all []*running) {
	if len(all) == 0 {
		return
	}
	for _, r := range all {
		r.cancel()
	}
	for _, r := range all {
		<-r.done
	}
	if err := c.keepFloors(ctx); err != nil {
		c.logger.Warn("kafka: the floors of partitions that are stopped", "error", err)
	}
	_ = c.poller.command(ctx, func() { c.poller.forget(all) })
	c.running.remove(all)
}

// remove stops the partitions of a topic that is gone: those with this name and another id.
func (c *Consumer) remove(ctx context.Context, topic, but string) {
	var gone []*running
	for _, r := range c.running.all() {
		if r.name.topic == topic && (but == "" || r.name.topicID != but) {
			gone = append(gone, r)
		}
	}
	if len(gone) == 0 {
		return
	}
	c.logger.Warn("kafka: the topic is gone: its partitions stop", "topic", topic, "partitions", len(gone))
	c.end(ctx, gone)
	// Without this the client would take the next topic of this name for the old one.
	_ = c.poller.command(ctx, func() { c.poller.client.PurgeTopicsFromClient(topic) })
}

// first decides the offset at which a partition without history begins: as configured, or, in a known topic, at its
// beginning, because the partition is new.
func (p *partition) first(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	admin := p.consumer.admin
	var listed kadm.ListedOffsets
	var err error
	switch {
	case p.begin.Latest:
		listed, err = admin.ListEndOffsets(ctx, p.name.topic)
	case p.begin.Time != 0:
		listed, err = admin.ListOffsetsAfterMilli(ctx, p.begin.Time, p.name.topic)
	default:
		listed, err = admin.ListStartOffsets(ctx, p.name.topic)
	}
	if err != nil {
		return 0, fmt.Errorf("find the offset to begin at: %w", err)
	}
	offset, ok := listed.Lookup(p.name.topic, p.name.partition)
	switch {
	case !ok:
		return 0, errors.New("find the offset to begin at: the brokers do not know the partition yet")
	case offset.Err != nil:
		return 0, fmt.Errorf("find the offset to begin at: %w", offset.Err)
	case offset.Offset < 0 || offset.Offset > actors.MaxOffset:
		return 0, fmt.Errorf("the partition begins at offset %d: want 0 to %d", offset.Offset, int64(actors.MaxOffset))
	}
	return offset.Offset, nil
}

// findEnds asks for the end offsets of partitions, for those that receive no records.
func (c *Consumer) findEnds(ctx context.Context, topics []string) error {
	ends, err := c.admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return fmt.Errorf("ask for the ends of partitions: %w", err)
	}
	ends.Each(func(o kadm.ListedOffset) {
		if p := c.running.find(place{o.Topic, o.Partition}); p != nil && o.Err == nil {
			p.progress.ends(o.Offset)
		}
	})
	return nil
}
