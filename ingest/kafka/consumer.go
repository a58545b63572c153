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

// Into says what a consumer takes events into. Routing is required.
type Into struct {
	ingest.Into
	// Routing names the deployment's part in where events go: its rules and its number of shards. Another name is another
	// routing version (C6).
	Routing string
	// Logger takes what operators should know; default nothing.
	Logger *slog.Logger
}

// Consumer takes the events of topics into an engine. Start it, and stop it before the engine is closed.
type Consumer struct {
	config  Config
	into    Into
	engine  *actors.Engine
	logger  *slog.Logger
	topics  map[string]*consumed
	client  *kgo.Client   // reads records
	admin   *kadm.Client  // on the producer's client
	writer  *kgo.Client   // writes dead letters
	letters *letterWriter // on the same

	stop  context.CancelFunc // stop taking records
	kill  context.CancelFunc // stop waiting for what is under way
	tasks sync.WaitGroup

	mu         sync.Mutex // guards the following
	partitions map[place]*running
	problems   map[string]string // by topic
	brokers    string            // why they can't be asked
	commands   []func()          // for the poller
	interrupt  context.CancelFunc
}

// consumed is a topic with what its partitions share.
type consumed struct {
	*Topic
	batches *batches
	version string
	seen    bool // it is known: its partitions that come now are new. Of the goroutine that discovers
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// running is a partition with the goroutine that runs it.
type running struct {
	*partition
	cancel    context.CancelFunc
	done      chan struct{}
	committed int64 // to the group; -1: nothing yet

	// The poller's alone:
	assigned bool
	next     int64 // the offset behind the last record fetched
	tries    int   // to read on, without a record
}

// New makes a consumer. It tells what is wrong with the configuration, and does not connect.
func New(config Config, into Into) (*Consumer, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	config.setDefaults()
	if config.QueueBytes == 0 {
		config.QueueBytes = int(min(DefaultQueueBytes, into.Engine.InputBytes()/4))
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

// Start begins to consume. It returns at once: brokers that do not answer are waited for.
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

// Stop takes no more records, waits until those under way are handled or ctx ends, and notes how far it
// came. It is safe twice.
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

// every calls do again and again until ctx ends, and says what goes wrong.
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

// pollRecords is how many records a poll hands out at most.
const pollRecords = 10_000

// poll hands what is fetched to the partitions, and runs the commands of others between two polls: so
// nothing that was fetched before a command is handed out after it.
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

// command lets the poller do something between two polls, and waits until it has. After the poller has
// ended, nothing is done.
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

// dispatch hands a partition what was fetched of it.
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
	if t.Err != nil { // no more, until the partition has decided what to do
		p.assigned = false
		c.client.RemoveConsumePartitions(map[string][]int32{t.Topic: {t.Partition}})
		p.failed <- t.Err // there is room: the one before was taken before the partition was assigned again
	}
}

// assign lets the poller fetch a partition from an offset on.
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

// fetch asks for a partition's records from the next one on. REQUIRES: it is the poller that calls
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

// retry asks for a partition's records once more, after a pause.
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

// queueBytes is what a partition may have waiting, so that all of them stay within their share (C4).
func (c *Consumer) queueBytes() int {
	const least, most = 256 << 10, 4 << 20
	c.mu.Lock()
	defer c.mu.Unlock()
	return min(max(c.config.QueueBytes/max(len(c.partitions), 1), least), most)
}

// batchRecords is how many records a batch of a partition may have, so that those of all partitions, decoded, stay within the
// engine's share for input.
func (c *Consumer) batchRecords() int {
	const least, decoded = 64, 1 << 10
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(min(max(c.engine.InputBytes()/int64(max(len(c.partitions), 1)*window*decoded), least), batchRecords))
}
