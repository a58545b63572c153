package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Options select the broker that a test needs.
type Options struct {
	// Nodes is the number of nodes that the test owns and may kill, 1 or 3. 0 accepts any broker, preferably that of
	// KINDRED_KAFKA.
	Nodes int
}

// Broker is a Kafka for a test.
type Broker struct {
	t         testing.TB
	addresses []string
	cluster   *Cluster       // nodes of its own, or nil
	fake      *kfake.Cluster // in memory, or nil
}

// startPatience bounds the start of a cluster, on a busy machine.
const startPatience = 2 * time.Minute

// Start starts a broker, which stops when the test ends.
func Start(t testing.TB, o Options) *Broker {
	t.Helper()
	if o.Nodes != 0 && o.Nodes != 1 && o.Nodes != 3 {
		t.Fatalf("kafkatest: %d nodes: want 1 or 3, or 0 for any broker", o.Nodes)
	}
	b := &Broker{t: t}
	if list := os.Getenv("KINDRED_KAFKA"); list != "" && o.Nodes == 0 {
		b.addresses = strings.Split(list, ",")
		return b
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	cluster, err := NewCluster(ctx, t.TempDir(), max(o.Nodes, 1), false)
	switch {
	case errors.Is(err, ErrNoKafka) && os.Getenv("CI") != "true":
		t.Logf("\n\n  NOT AGAINST A REAL KAFKA: %v.\n  This run uses an in-memory stand-in, which proves less.\n", err)
		b.startFake(max(o.Nodes, 1))
	case err != nil:
		t.Fatalf("kafkatest: %v", err)
	default:
		t.Logf("Kafka with %d node(s) answers after %.1f s", max(o.Nodes, 1), time.Since(begun).Seconds())
		b.cluster, b.addresses = cluster, cluster.Brokers()
	}
	t.Cleanup(b.Stop)
	return b
}

func (b *Broker) startFake(nodes int) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(nodes))
	if err != nil {
		b.t.Fatalf("kafkatest: in-memory broker: %v", err)
	}
	b.fake, b.addresses = fake, fake.ListenAddrs()
}

// Brokers returns the addresses to connect to.
func (b *Broker) Brokers() []string { return b.addresses }

// Real reports whether the broker is Apache Kafka, not the in-memory stand-in.
func (b *Broker) Real() bool { return b.fake == nil }

// Kill ends a node, counted from 1, with SIGKILL. A test that kills must ask for nodes of its own. With the stand-in, Kill
// only moves the node's partitions to other nodes, if any.
func (b *Broker) Kill(node int) {
	b.t.Helper()
	switch {
	case b.cluster != nil:
		if err := b.cluster.Kill(node); err != nil {
			b.t.Fatalf("kafkatest: %v", err)
		}
	case b.fake != nil:
		b.fake.ShufflePartitionLeaders()
	default:
		b.t.Fatal("kafkatest: the broker of KINDRED_KAFKA is not ours to kill: ask for Nodes: 1 or 3")
	}
}

// Signal sends a signal to a node, such as one that stops it for a while. With the stand-in, it has no effect.
func (b *Broker) Signal(node int, s os.Signal) {
	b.t.Helper()
	switch {
	case b.cluster != nil:
		if err := b.cluster.Signal(node, s); err != nil {
			b.t.Fatalf("kafkatest: %v", err)
		}
	case b.fake == nil:
		b.t.Fatal("kafkatest: the broker of KINDRED_KAFKA is not ours to stop: ask for Nodes: 1 or 3")
	}
}

// Restart starts a node that was killed, and waits until the cluster answers.
func (b *Broker) Restart(node int) {
	b.t.Helper()
	if b.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	if err := b.cluster.Restart(ctx, node); err != nil {
		b.t.Fatalf("kafkatest: %v", err)
	}
}

// Stop ends the broker. It is safe twice.
func (b *Broker) Stop() {
	if b.cluster != nil {
		if err := b.cluster.Stop(); err != nil {
			b.t.Errorf("kafkatest: %v", err)
		}
	}
	if b.fake != nil {
		b.fake.Close()
	}
}

// Client connects to the broker for the length of the test.
func (b *Broker) Client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.addresses...)}, opts...)...)
	if err != nil {
		b.t.Fatalf("kafkatest: %v", err)
	}
	b.t.Cleanup(client.Close)
	return client
}

// topics tells apart the topics of one process.
var topics atomic.Int64

// Topic creates a topic with a unique name and the broker's default number of replicas.
func (b *Broker) Topic(partitions int) string {
	b.t.Helper()
	name := fmt.Sprintf("test-%d-%d-%d", os.Getpid(), time.Now().UnixNano(), topics.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addresses...))
	if err != nil {
		b.t.Fatalf("kafkatest: %v", err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(ctx, int32(partitions), -1, nil, name); err != nil {
		b.t.Fatalf("kafkatest: make topic %s: %v", name, err)
	}
	if b.cluster == nil && b.fake == nil {
		b.t.Cleanup(func() { b.deleteTopic(name) })
	}
	return name
}

// deleteTopic cleans up a broker that other tests share.
func (b *Broker) deleteTopic(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addresses...))
	if err != nil {
		b.t.Errorf("kafkatest: %v", err)
		return
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).DeleteTopic(ctx, name); err != nil {
		b.t.Errorf("kafkatest: delete topic %s: %v", name, err)
	}
}
