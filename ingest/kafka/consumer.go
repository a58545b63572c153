package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/record"
)

// Into is the destination of a consumer. Routing is required.
type Into struct {
	ingest.Into
	// Routing identifies the deployment's part in where events go: its rules and its number of shards. Another value is
	// another routing version (C6).
	Routing string
	// Mine reports whether this process is to consume a partition, where several share the topics. It may change its mind at any
	// time. Two that consume a partition at once do no harm, and one that nobody consumes for a while waits. Default: all are.
	Mine func(topic string, partition int32) bool
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
//   - running, problems and brokers are what Status shows; their mutexes are held only to read or change them, never
//     during a call to brokers, the engine or a partition's queue.
//   - A failure is kept with the partition or topic that it concerns, and retried for ever (C5).
//
// The obvious design, a consumer group with committed offsets, does not take each event once: a rebalance hands a
// partition to another process while the first still delivers, and an offset is committed before or after, but never
// with, the event. Here the engine keeps the position (package comment), so that two processes may even read one
// partition at the same time.
type Consumer struct {
	config  Config
	into    Into
	logger  *slog.Logger
	topics  map[string]*consumed
	running runningSet
	poller  *poller
	admin   *kadm.Client  // on the producer's client
	writer  *kgo.Client   // writes dead letters
	letters *letterWriter // uses writer

	stop  context.CancelFunc // ends the intake of records
	kill  context.CancelFunc // ends the wait for batches in progress
	tasks sync.WaitGroup

	mu       sync.Mutex        // guards the following
	problems map[string]string // by topic
	brokers  string            // why the brokers can't be asked
}

// consumed is a topic with the state that its partitions share.
type consumed struct {
	*Topic
	batches *batches
	version string

	// Only the discovering goroutine uses the following:
	seen       bool    // the topic is known: partitions found from now on are new
	partitions []int32 // as found last
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
		config: config, into: into, logger: into.Logger, topics: make(map[string]*consumed), problems: make(map[string]string),
		running: runningSet{byPlace: make(map[place]*running)},
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
		c.topics[t.Topic] = &consumed{Topic: t, batches: newBatches(into.Into, unpack), version: routingVersion(into.Routing, t, into.Options)}
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
	client, err := kgo.NewClient(append(common, c.config.consumeOptions(&memory{})...)...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	if c.writer, err = kgo.NewClient(append(common, produceOptions()...)...); err != nil {
		client.Close()
		return fmt.Errorf("kafka: %w", err)
	}
	c.poller = &poller{client: client, running: &c.running, tasks: &c.tasks}
	c.admin = kadm.NewClient(c.writer)
	running, stop := context.WithCancel(context.Background())
	hard, kill := context.WithCancel(context.Background())
	c.stop, c.kill = stop, kill
	c.letters = newLetterWriter(hard, c.writer, c.config.DeadLetters.Topic)
	c.tasks.Go(func() { c.poller.run(running) })
	c.tasks.Go(func() { c.discover(running, hard) })
	c.tasks.Go(func() { c.every(running, c.floorsEvery(), c.keepFloors) })
	c.tasks.Go(func() { c.every(running, commitEvery, c.commitOffsets) })
	return nil
}

// Stop ends the intake of records, waits until those in progress are handled or ctx ends, and saves the floors and
// offsets. A second call has no effect.
func (c *Consumer) Stop(ctx context.Context) error {
	if c.poller == nil {
		return nil
	}
	c.stop()
	defer context.AfterFunc(ctx, c.kill)()
	for _, r := range c.running.all() {
		<-r.done
	}
	c.kill()
	c.tasks.Wait()
	err := c.keepFloors(ctx)
	if committed := c.commitOffsets(ctx); committed != nil {
		c.logger.Info("group offsets are behind: that changes nothing but what others see", "error", committed)
	}
	c.poller.client.Close()
	c.writer.Close()
	c.poller = nil
	switch {
	case err == nil || c.into.Engine.Err() != nil:
	case c.into.Mine != nil:
		c.logger.Info("floors of partitions are behind: their next consumer reads records again that were taken", "error", err)
	default:
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

// queueBytes is a partition's share of the bytes that all partitions may have waiting (C4).
func (c *Consumer) queueBytes() int {
	const least, most = 256 << 10, 4 << 20
	return min(max(c.config.QueueBytes/max(c.running.count(), 1), least), most)
}

// window is how many batches of a partition may be in progress. Where shards are in several processes, deliveries overtake each other
// on their way there, and what comes too early is out of turn; so there is one at a time.
func (c *Consumer) window() int {
	if c.into.Mine != nil {
		return 1
	}
	return window
}

// batchRecords bounds the records of a partition's batch, so that the decoded batches of all partitions stay within
// the engine's share for input.
func (c *Consumer) batchRecords() int {
	const least, decoded = 64, 1 << 10
	return int(min(max(c.into.Engine.InputBytes()/int64(max(c.running.count(), 1)*window*decoded), least), batchRecords))
}
