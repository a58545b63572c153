package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
)

// W1 and W2 on Apache Kafka, while each of three brokers is killed in turn: what has an offset is there, at that offset,
// once; what is unknown is there once or not at all; nothing else is there, and the order is that of the appends.
func TestBrokersAreKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	const partitions = 4
	const enough = 10 // records of each partition after each loss, however slow brokers are
	b := kafkatest.Start(t, kafkatest.Options{Nodes: 3})
	c := Config{Connection: broker.Connection{Brokers: b.Brokers()}, Layout: Layout{Topic: "shop.journal", Partitions: partitions, Replicas: 3}}
	var err error
	if c.ID, err = Create(t.Context(), c.Connection, c.Layout); err != nil {
		t.Fatal(err)
	}
	l := open(t, c)
	defer l.Close()
	if b.Real() {
		refusedByKafka(t, b, c)
	}

	ctx, stop := context.WithCancel(t.Context())
	var written [partitions]map[string]int64 // where each value went; -1 where that is unknown
	var acknowledged [partitions]atomic.Int64
	var writers sync.WaitGroup
	for p := range int32(partitions) {
		written[p] = map[string]int64{}
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				value := fmt.Sprint(i)
				a := <-start(l, p, value)
				switch {
				case a.err == nil:
					written[p][value] = a.offset
					acknowledged[p].Add(1)
				case errors.Is(a.err, ErrUnknown):
					written[p][value] = -1
				default:
					t.Errorf("partition %d: %v", p, a.err)
				}
			}
		})
	}
	for node := range 3 {
		b.Kill(node + 1)
		time.Sleep(3 * time.Second) // appends go on, or fail, without it
		b.Restart(node + 1)
		for p := range acknowledged {
			want := acknowledged[p].Load() + enough
			eventually(t, func() error {
				if n := acknowledged[p].Load(); n < want {
					return fmt.Errorf("partition %d after broker %d came back: %d records are acknowledged, want %d", p, node+1, n, want)
				}
				return nil
			})
		}
	}
	stop()
	writers.Wait()

	for p := range int32(partitions) {
		last := must(t, l, p, "end")
		records, err := read(t.Context(), l, p, 0, last)
		if err != nil {
			t.Fatal(err)
		}
		unknown, number := 0, -1
		for _, r := range records[:len(records)-1] {
			value := string(r.Value)
			at, ok := written[p][value]
			if !ok || at >= 0 && at != r.Offset {
				t.Fatalf("partition %d, offset %d: %s, which was written to %d, or was there before", p, r.Offset, value, at)
			}
			delete(written[p], value)
			var i int
			if _, err := fmt.Sscan(value, &i); err != nil || i <= number {
				t.Fatalf("partition %d, offset %d: %s after %d", p, r.Offset, value, number)
			}
			number = i
			if at < 0 {
				unknown++
			}
		}
		for value, at := range written[p] {
			if at >= 0 {
				t.Errorf("partition %d: %s had offset %d, and is not there", p, value, at)
			}
		}
		t.Logf("partition %d: %d records; of those with an unknown outcome %d are there, %d are not", p, len(records), unknown, len(written[p]))
	}
	t.Logf("%+v", l.Stats())
	if err := l.Trim(t.Context(), 0, 5); err != nil {
		t.Fatal(err)
	}
	if err := l.Trim(t.Context(), 0, 3); err != nil {
		t.Errorf("trimmed before: %v", err)
	}
	var trimmed *TrimmedError
	if _, err := read(t.Context(), l, 0, 4, 4); !errors.As(err, &trimmed) || trimmed.Start != 5 {
		t.Errorf("before the start: %v", err)
	}
	var short *ShortError
	if _, err := read(t.Context(), l, 1, 1<<40, 1<<40); !errors.As(err, &short) {
		t.Errorf("after the end: %v", err)
	}
}

// refusedByKafka changes settings of the topic as an operator might, on Kafka itself.
func refusedByKafka(t *testing.T, b *kafkatest.Broker, c Config) {
	admin := kadm.NewClient(b.Client())
	for _, test := range []struct{ setting, bad, good string }{
		{"cleanup.policy", "compact", "delete"},
		{"retention.ms", "604800000", "-1"},
		{"min.insync.replicas", "1", "2"},
		{"unclean.leader.election.enable", "true", "false"},
		{"max.message.bytes", "1048588", "2097152"},
	} {
		for _, value := range []string{test.bad, test.good} {
			if _, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: test.setting, Value: &value}}, c.Layout.Topic); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() error {
				l, err := Open(t.Context(), c)
				if err == nil {
					l.Close()
				}
				if refused := err != nil && strings.Contains(err.Error(), test.setting); refused != (value == test.bad) {
					return fmt.Errorf("%s=%s: %w", test.setting, value, errors.Join(err, errors.New("not as it should be")))
				}
				return nil
			})
		}
	}
}

// eventually tries again until brokers have told one another.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	for tries := 0; ; tries++ {
		err := try()
		if err == nil {
			return
		}
		if tries == 900 {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
