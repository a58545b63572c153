package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an engine in memory and a Kafka in memory, in a bubble of virtual time: what waits for hours
// takes none.
type world struct {
	refusedMu sync.Mutex // guards the following
	refused   []*kgo.Record

	t       *testing.T
	network *kfake.VirtualNetwork
	fake    *kfake.Cluster
	store   *storage.MemStore
	engine  *actors.Engine
	into    Into
	client  *kgo.Client
	admin   *kadm.Client
	log     *logBuffer
	config  Config
	running []*Consumer
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const topic = "events"

// inWorld runs a test in a world with a topic of so many partitions.
func inWorld(t *testing.T, partitions int32, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, network: &kfake.VirtualNetwork{}, store: storage.NewMemStore(), log: &logBuffer{}}
		fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.ListenFn(w.network.Listen), kfake.SeedTopics(partitions, topic))
		if err != nil {
			t.Fatal(err)
		}
		w.fake = fake
		defer fake.Close()
		w.config = Config{Brokers: fake.ListenAddrs(), Topics: []Topic{{Topic: topic}}, dialer: w.network.DialContext}
		w.client = w.connect()
		defer func() { w.client.Close() }()
		w.admin = kadm.NewClient(w.client)
		w.open()
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			for _, c := range w.running { // of a test that has failed
				_ = c.Stop(ctx)
			}
			w.close()
		}()
		test(w)
	})
}

func (w *world) connect(opts ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(w.fake.ListenAddrs()...), kgo.Dialer(w.network.DialContext), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

const shards = 4

// open starts the engine on the store.
func (w *world) open() {
	deployment, err := row.Initialise(w.store, row.Deployment{Shards: shards, Secret: row.Secret{1, 2, 3}})
	if err != nil {
		w.t.Fatal(err)
	}
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		w.t.Fatal(err)
	}
	w.engine, err = actors.Open(context.Background(), actors.Config{Store: w.store, Deployment: deployment, Rules: graph.DefaultRules(), Memory: memory})
	if err != nil {
		w.t.Fatal(err)
	}
	registry, err := identifier.New(deployment.Secret, identifier.Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.into = Into{Into: ingest.Into{Engine: w.engine, Registry: registry}, Routing: "test", Logger: slog.New(slog.NewTextHandler(w.log, nil))}
}

func (w *world) close() {
	if err := w.engine.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
}

// consumer starts a consumer. Stop it.
func (w *world) consumer(change ...func(*Config)) *Consumer {
	w.t.Helper()
	config := w.config
	config.Topics = append([]Topic(nil), w.config.Topics...)
	for _, c := range change {
		c(&config)
	}
	consumer, err := New(config, w.into)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := consumer.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.running = append(w.running, consumer)
	return consumer
}

func (w *world) stop(c *Consumer) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// event is the n-th event: of one of some people, and a message of its own.
func event(n int) string {
	return fmt.Sprintf(`{"type":"track","event":"seen","userId":"u%d","messageId":"m%d","timestamp":"2026-01-31T12:00:00Z"}`, n%37, n)
}

// produce writes events from, from+1, … round the partitions, one a record.
func (w *world) produce(from, n int) {
	w.t.Helper()
	partitions := len(w.fake.PartitionInfos(topic))
	for i := from; i < from+n; i++ {
		w.write(&kgo.Record{Partition: int32(i % partitions), Value: []byte(event(i))})
	}
	w.flush()
}

func (w *world) write(r *kgo.Record) {
	if r.Topic == "" {
		r.Topic = topic
	}
	w.client.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
		switch {
		case errors.Is(err, kerr.TopicAuthorizationFailed): // a fault that is meant for the consumer: nothing was written
			w.refusedMu.Lock()
			w.refused = append(w.refused, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers})
			w.refusedMu.Unlock()
		case err != nil:
			w.t.Errorf("produce: %v", err)
		}
	})
}

func (w *world) flush() {
	w.t.Helper()
	for range 10 {
		if err := w.client.Flush(context.Background()); err != nil {
			w.t.Fatal(err)
		}
		w.refusedMu.Lock()
		again := w.refused
		w.refused = nil
		w.refusedMu.Unlock()
		if len(again) == 0 {
			return
		}
		time.Sleep(10 * time.Second) // virtual: until the client asks for topics again
		for _, r := range again {
			w.write(r)
		}
	}
	w.t.Fatal("records can't be written: topics stay forbidden")
}

// until waits in virtual time until something is so.
func (w *world) until(what string, c *Consumer, so func(s Status) bool) Status {
	w.t.Helper()
	deadline := time.Now().Add(10 * time.Minute)
	for {
		synctest.Wait()
		s := c.Status()
		if so(s) {
			return s
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: still not so:\n%+v\nlog:\n%s", what, s, w.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// caughtUp waits until everything that is written is handled.
func (w *world) caughtUp(c *Consumer) Status {
	w.t.Helper()
	return w.until("caught up", c, w.handled)
}

func (w *world) handled(s Status) bool {
	infos := w.fake.PartitionInfos(topic)
	n := 0
	for _, p := range s.Partitions {
		if p.Topic == topic {
			if p.Handled < infos[p.Partition].HighWatermark {
				return false
			}
			n++
		}
	}
	return n == len(infos)
}

// took holds that the engine took so many events, and never one twice.
func (w *world) took(accepted int) {
	w.t.Helper()
	stats, err := w.engine.Stats(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	if stats.Accepted != uint64(accepted) || stats.Duplicates != 0 || stats.Quarantined != 0 {
		w.t.Errorf("accepted %d, duplicates %d, quarantined %d; want %d, 0, 0\nlog:\n%s", stats.Accepted, stats.Duplicates, stats.Quarantined, accepted, w.log)
	}
}

// letters are the dead letters.
func (w *world) letters() []*kgo.Record {
	w.t.Helper()
	ends, err := w.admin.ListEndOffsets(context.Background(), DefaultDeadLetters)
	if err != nil {
		w.t.Fatal(err)
	}
	end, _ := ends.Lookup(DefaultDeadLetters, 0)
	client := w.connect(kgo.ConsumeTopics(DefaultDeadLetters))
	defer client.Close()
	var letters []*kgo.Record
	for int64(len(letters)) < end.Offset {
		letters = append(letters, client.PollFetches(context.Background()).Records()...)
	}
	return letters
}

func (w *world) logged(text string) bool { return strings.Contains(w.log.String(), text) }
