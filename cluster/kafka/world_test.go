package kafka

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/kindred-id/kindred/internal/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Kafka in memory.
type world struct {
	t      *testing.T
	fake   *kfake.Cluster
	config Config
	admin  *kadm.Client
}

// inWorld runs a test with an empty journal of so many partitions, in a bubble of virtual time.
func inWorld(t *testing.T, partitions int, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) { inRealTime(t, partitions, test) })
}

// inRealTime is for tests that move leaders: the library then asks again at once until it looks at the metadata, and in a
// bubble no time passes before that.
func inRealTime(t *testing.T, partitions int, test func(t *testing.T, w *world)) {
	network := &kfake.VirtualNetwork{}
	fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.ListenFn(network.Listen))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	w := &world{t: t, fake: fake, config: Config{
		Connection: broker.Connection{Brokers: fake.ListenAddrs(), Dial: network.DialContext},
		Layout:     Layout{Topic: "shop.journal", Partitions: partitions, Replicas: 3},
	}}
	w.config.ID, err = Create(t.Context(), w.config.Connection, w.config.Layout)
	if err != nil {
		t.Fatal(err)
	}
	client, err := w.config.Connection.Client(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	w.admin = kadm.NewClient(client)
	test(t, w)
}

func (w *world) open() *Log {
	w.t.Helper()
	return open(w.t, w.config)
}

func open(t testing.TB, c Config) *Log {
	t.Helper()
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// answer is what became of an append.
type answer struct {
	offset int64
	err    error
}

// start appends and returns where the answer comes.
func start(l *Log, partition int32, value string) <-chan answer {
	c := make(chan answer, 2) // a second answer would be seen
	l.Append(partition, []byte(value), func(offset int64, err error) { c <- answer{offset, err} })
	return c
}

func must(t testing.TB, l *Log, partition int32, value string) int64 {
	t.Helper()
	a := <-start(l, partition, value)
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.offset
}

// read returns what a partition holds from an offset up to, and with, another one.
func read(ctx context.Context, l *Log, partition int32, from, to int64) ([]Record, error) {
	r, err := l.Follow(partition, from)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []Record
	for len(all) == 0 || all[len(all)-1].Offset < to {
		b, err := r.Next(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, b.Records...)
	}
	return all, nil
}

func text(records []Record) string {
	var s []byte
	for _, r := range records {
		s = fmt.Appendf(s, "%d=%s ", r.Offset, r.Value)
	}
	return string(s)
}

// marker leaves an offset without a record: the end of a transaction.
func (w *world) marker(partition int32, value string) {
	w.t.Helper()
	client, err := w.config.Connection.Client(nil, kgo.TransactionalID("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	err = errors.Join(client.BeginTransaction(),
		client.ProduceSync(w.t.Context(), &kgo.Record{Topic: w.config.Layout.Topic, Partition: partition, Value: []byte(value)}).FirstErr(),
		client.EndTransaction(w.t.Context(), kgo.TryCommit))
	if err != nil {
		w.t.Fatal(err)
	}
}
