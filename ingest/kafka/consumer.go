package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/record"
)

// Into is the destination of a consumer. Routing is required.
type Into struct {
	ingest.Into
	// Routing identifies the deployment's part in where events go: its rules and its number of shards. Another value is
	// another routing version (C6).
	Routing string
	// Logger receives what operators should know; default: discards it.
	Logger *slog.Logger
}

// Consumer takes the events of topics into an engine. Start it, and stop it before the engine is closed.
//
//	discover ──starts, stops──► partition (a goroutine each) ──► Engine
//	                              ▲ queue            │ assign, unassign, retry
//	             broker ──► poller, one goroutine ◄──┘ commands
//
// Invariants:
//   - The poller alone uses client to fetch: partitions ask it by commands, which run between two polls. Records
//     fetched before a command are therefore never handed out after it.
//   - partitions, problems and brokers are what Status shows; mu is held only to read or change them, never during a
//     call to brokers, the engine or a partition's queue.
//   - A failure is kept with the partition or topic that it concerns, and retried for ever (C5).
//
// The obvious design, a consumer group with committed offsets, does not take each event once: a rebalance hands a
// partition to another process while the first still delivers, and an offset is committed before or after, but never
// with, the event. Here the engine keeps the position (package comment), so that two processes may even read one
// partition at the same time.
type Consumer struct {
	config  Config
	into    Into
	engine  *actors.Engine
	logger  *slog.Logger
	topics  map[string]*consumed
	client  *kgo.Client   // reads records
	admin   *kadm.Client  // on the producer's client
	writer  *kgo.Client   // writes dead letters
	letters *letterWriter // uses writer

	stop  context.CancelFunc // ends the intake of records
	kill  context.CancelFunc // ends the wait for batches in progress
	tasks sync.WaitGroup

	mu         sync.Mutex // guards the following
	partitions map[place]*running
	problems   map[string]string // by topic
	brokers    string            // why the brokers can't be asked
	commands   []func()          // for the poller
	interrupt  context.CancelFunc
}

// consumed is a topic with the state that its partitions share.
type consumed struct {
	*Topic
	batches *batches
	version string
	seen    bool // the topic is known: partitions found from now on are new. Only the discovering goroutine uses it
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// running is a partition with its goroutine.
type running struct {
	*partition
	cancel    context.CancelFunc
	done      chan struct{}
	committed int64 // to the group; -1: nothing yet

	// Only the poller uses the following:
	assigned bool
	next     int64 // the offset after the last fetched record
	tries    int   // to read on, without a record
}

// New returns a consumer, or the problems of the configuration. It does not connect.
func New(config Config, into Into) (*Consumer, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	config.setDefaults()
	if config.QueueBytes == 0 {
		config.QueueBytes = int(min(defaultQueueBytes, into.Engine.InputBytes()/4))
	}
	if into.Logger == nil {
		into.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Consumer{
		config: config, into: into, engine: into.Engine, logger: into.Logger,
		topics:     make(map[string]*consumed),
		partitions: make(map[place]*running), problems: make(map[string]string),
	}
	schemas, err := config.schemas()
	if err != nil {
		return nil, err
	}
	for i := range config.Topics {
		t := &config.Topics[i]
		options := t.decodeOptions(schemas)
		if err := options.Check(); err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.Topic, err)
		}
		unpack := func() *record.Decoder { return record.NewDecoder(options) }
		c.topics[t.Topic] = &consumed{t, newBatches(into.Into, unpack), routingVersion(into.Routing, t, into.Options), false}
	}
	return c, nil
}

// Start begins to consume. It returns at once: the consumer waits for brokers that do not answer.
func (c *Consumer) Start() error {
	connection := c.config.Connection()
	common, err := connection.Options(c.logger)
	if err != nil {
		return err
	}
	if c.client, err = kgo.NewClient(append(common, c.config.consumeOptions()...)...); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	if c.writer, err = kgo.NewClient(append(common, produceOptions()...)...); err != nil {
		c.client.Close()
		return fmt.Errorf("kafka: %w", err)
	}
	c.admin = kadm.NewClient(c.writer)
	running, stop := context.WithCancel(context.Background())
	hard, kill := context.WithCancel(context.Background())
	c.stop, c.kill = stop, kill
	c.letters = newLetterWriter(hard, c.writer, c.config.DeadLetters.Topic)
	c.tasks.Go(func() { c.poll(running) })
	c.tasks.Go(func() { c.discover(running, hard) })
	c.tasks.Go(func() { c.every(running, floorsEvery, c.keepFloors) })
	c.tasks.Go(func() { c.every(running, commitEvery, c.commitOffsets) })
	return nil
}

// Stop ends the intake of records, waits until those in progress are handled or ctx ends, and saves the floors and
// offsets. A second call has no effect.
func (c *Consumer) Stop(ctx context.Context) error {
	if c.client == nil {
		return nil
	}
	c.stop()
	defer context.AfterFunc(ctx, c.kill)()
	c.mu.Lock()
	var all []*running
	for _, r := range c.partitions {
		all = append(all, r)
	}
	c.mu.Unlock()
	for _, r := range all {
		<-r.done
	}
	c.kill()
	c.tasks.Wait()
	err := c.keepFloors(ctx)
	if committed := c.commitOffsets(ctx); committed != nil {
		c.logger.Info("group offsets are behind: that changes nothing but what others see", "error", committed)
	}
	c.client.Close()
	c.writer.Close()
	c.client = nil
	if err != nil && c.engine.Err() == nil {
		return fmt.Errorf("kafka: note how far partitions are handled: %w", err)
	}
	return nil
}

// every calls do periodically until ctx ends, and logs its errors.
func (c *Consumer) every(ctx context.Context, period time.Duration, do func(context.Context) error) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	problem := ""
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := do(ctx)
		switch {
		case err == nil:
			problem = ""
		case ctx.Err() == nil && err.Error() != problem:
			problem = err.Error()
			c.logger.Warn("kafka: housekeeping failed, and is tried again", "error", err)
		}
	}
}

// pollRecords is the maximum number of records of a poll.
const pollRecords = 10_000

// poll passes fetched records to the partitions, and runs commands between two polls: so nothing that was fetched
// before a command is handed out after it.
func (c *Consumer) poll(ctx context.Context) {
	for {
		polling, interrupt := context.WithCancel(ctx)
		c.mu.Lock()
		commands := c.commands
		c.commands, c.interrupt = nil, interrupt
		c.mu.Unlock()
		if len(commands) > 0 {
			for _, do := range commands {
				do()
			}
			interrupt()
			continue
		}
		fetches := c.client.PollRecords(polling, pollRecords)
		interrupt()
		fetches.EachPartition(func(t kgo.FetchTopicPartition) { c.dispatch(ctx, &t) })
		if ctx.Err() != nil {
			c.mu.Lock()
			commands, c.commands, c.interrupt = c.commands, nil, nil
			c.mu.Unlock()
			for _, do := range commands {
				do()
			}
			return
		}
	}
}

// command makes the poller call do between two polls, and waits until it has. After the poller has ended, do is not
// called.
func (c *Consumer) command(ctx context.Context, do func()) error {
	done := make(chan struct{})
	c.mu.Lock()
	c.commands = append(c.commands, func() { do(); close(done) })
	if c.interrupt != nil {
		c.interrupt()
	}
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dispatch passes a partition the records that were fetched for it.
func (c *Consumer) dispatch(ctx context.Context, t *kgo.FetchTopicPartition) {
	c.mu.Lock()
	p := c.partitions[place{t.Topic, t.Partition}]
	c.mu.Unlock()
	if p == nil || !p.assigned {
		return
	}
	if n := len(t.Records); n > 0 {
		p.next, p.tries = t.Records[n-1].Offset+1, 0
		p.progress.ends(p.next)
		p.queue.push(ctx, t.Records)
	}
	p.progress.ends(max(t.LastStableOffset, 0))
	if t.Err != nil { // fetch no more until the partition has decided how to continue
		p.assigned = false
		c.client.RemoveConsumePartitions(map[string][]int32{t.Topic: {t.Partition}})
		p.failed <- t.Err // has room: the partition took the previous error before it was assigned again
	}
}

// assign lets the poller fetch a partition from the given offset.
func (c *Consumer) assign(ctx context.Context, p *partition, offset int64) error {
	return c.command(ctx, func() {
		c.mu.Lock()
		r := c.partitions[place{p.name.topic, p.name.partition}]
		c.mu.Unlock()
		if r != nil && r.partition == p && ctx.Err() == nil {
			r.assigned, r.next = true, offset
			c.fetch(r)
		}
	})
}

// fetch requests a partition's records from the next one on. REQUIRES: called by the poller
func (c *Consumer) fetch(r *running) {
	c.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.name.topic: {r.name.partition: kgo.NoResetOffset().At(r.next)}})
}

// unassign ends fetching a partition.
func (c *Consumer) unassign(p *partition) {
	do := func() {
		c.mu.Lock()
		r := c.partitions[place{p.name.topic, p.name.partition}]
		c.mu.Unlock()
		if r != nil && r.partition == p && r.assigned {
			r.assigned = false
			c.client.RemoveConsumePartitions(map[string][]int32{p.name.topic: {p.name.partition}})
		}
	}
	c.mu.Lock()
	c.commands = append(c.commands, do)
	if c.interrupt != nil {
		c.interrupt()
	}
	c.mu.Unlock()
}

// retry requests a partition's records once more, after a pause.
func (c *Consumer) retry(ctx context.Context, p *partition) {
	r := c.byPlace(place{p.name.topic, p.name.partition})
	c.tasks.Go(func() {
		tries := 0
		if c.command(ctx, func() { tries = r.tries; r.tries++ }) != nil || retry.Pause(ctx, tries) != nil {
			return
		}
		_ = c.command(ctx, func() {
			if ctx.Err() == nil {
				r.assigned = true
				c.fetch(r)
				p.proceed()
			}
		})
	})
}

// queueBytes is a partition's share of the bytes that all partitions may have waiting (C4).
func (c *Consumer) queueBytes() int {
	const least, most = 256 << 10, 4 << 20
	c.mu.Lock()
	defer c.mu.Unlock()
	return min(max(c.config.QueueBytes/max(len(c.partitions), 1), least), most)
}

// batchRecords bounds the records of a partition's batch, so that the decoded batches of all partitions stay within
// the engine's share for input.
func (c *Consumer) batchRecords() int {
	const least, decoded = 64, 1 << 10
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(min(max(c.engine.InputBytes()/int64(max(len(c.partitions), 1)*window*decoded), least), batchRecords))
}
