package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/node"
)

// TestClusterConsumes: three nodes share the partitions of a topic, while one is killed, one is stopped in good order, both come back, and
// partitions are added. Each partition is consumed by one node in the end. The export is that of one machine which consumed the same
// topic, byte for byte, and every event was taken once. Then a partition is
// moved back, and nothing counts twice.
func TestClusterConsumes(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	const partitions, more, events = 6, 8, 9000
	rng := rand.New(rand.NewPCG(freshSeed(t), 45))
	c := newClusterTest(t)
	topic := c.name + "-events"
	k := c.kafka.Client(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(2*time.Second))
	admin := kadm.NewClient(k)
	if _, err := admin.CreateTopic(t.Context(), partitions, 3, nil, topic); err != nil {
		t.Fatal(err)
	}
	c.flags = []string{"--kafka-brokers", c.brokers, "--kafka-topic", topic, "--kafka-group", topic, "--kafka-dead-letters", topic + "-letters"}
	c.initialise(t)
	for _, m := range c.members {
		c.start(t, m)
	}
	c.ready(t)

	records := clusterRecords(t, rng, events)
	produce := func(from, to int) *sync.WaitGroup {
		var done sync.WaitGroup
		done.Go(func() {
			for i := from; i < to; i++ {
				k.Produce(t.Context(), &kgo.Record{Value: records[i]}, func(_ *kgo.Record, err error) {
					if err != nil {
						t.Error(err)
					}
				})
				if i%50 == 0 {
					time.Sleep(20 * time.Millisecond)
				}
			}
			if err := k.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
		return &done
	}
	n2, n3 := c.members[1], c.members[2]
	produced := produce(0, events/3)
	time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
	n2.kill()
	produced.Wait()
	c.start(t, n2)
	produced = produce(events/3, 2*events/3)
	c.ready(t)
	n3.terminate(t)
	if _, err := admin.UpdatePartitions(t.Context(), more, topic); err != nil {
		t.Fatal(err)
	}
	produced.Wait()
	c.start(t, n3)
	produce(2*events/3, events).Wait()
	c.ready(t)
	c.consumed(t, admin, topic, more)
	c.tookEach(t, events)
	c.seeks(t, topic, events)
	c.consumed(t, admin, topic, more)

	config := node.Config{Kafka: &kafka.Config{Brokers: strings.Split(c.brokers, ","), Topics: []kafka.Topic{{Topic: topic}}}}
	config.Kafka.DeadLetters.Topic = topic + "-letters"
	c.compareWith(t, config, func(alone *client.Client) {
		eventually(t, "one machine has consumed the topic", func() error {
			stats, err := alone.Admin.Stats(t.Context())
			if err == nil && stats.Events != events {
				err = fmt.Errorf("%d of %d events are taken", stats.Events, events)
			}
			return err
		})
	}, func(string) {}, c.members...)
}

// tookEach requires that all nodes together took so many events, and none twice.
func (c *clusterTest) tookEach(t *testing.T, events uint64) {
	t.Helper()
	at, err := client.New("http://"+c.members[0].listen, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "each event was taken once", func() error { // a shard that moves is not counted meanwhile
		stats, err := at.Admin.Stats(t.Context())
		if err == nil && (stats.Events != events || stats.Duplicates != 0 || stats.Quarantined != 0) {
			err = fmt.Errorf("%d events, %d duplicates and %d set aside; want %d, 0 and 0", stats.Events, stats.Duplicates, stats.Quarantined, events)
		}
		return err
	})
}

// seeks moves a partition back to its beginning, at one node, while others consume: all of it comes again, and nothing counts twice.
func (c *clusterTest) seeks(t *testing.T, topic string, events int64) {
	t.Helper()
	var all []kafka.Position
	positions := func(address string) (sum int64) {
		if err := json.Unmarshal(kindred(t, c.bin, "kafka", "positions", "--output", "json", "--url", "http://"+address), &all); err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			sum += p.Offset
		}
		return sum
	}
	for _, m := range c.members {
		eventually(t, "every node knows all positions", func() error {
			if sum := positions(m.listen); sum != events {
				return fmt.Errorf("%s knows of %d records", m.name, sum)
			}
			return nil
		})
	}
	kindred(t, c.bin, "kafka", "seek", "--topic", topic, "--partition", "0", "--to", "earliest", "--url", "http://"+c.members[0].listen)
	at, err := client.New("http://"+c.members[1].listen, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the partition comes again", func() error {
		stats, err := at.Admin.Stats(t.Context())
		if err == nil && (stats.Events != uint64(events) || stats.Duplicates != uint64(all[0].Offset)) {
			err = fmt.Errorf("%d events and %d duplicates, want %d and %d", stats.Events, stats.Duplicates, events, all[0].Offset)
		}
		return err
	})
}

// consumed waits until each partition of a topic is consumed by one node, up to its end.
func (c *clusterTest) consumed(t *testing.T, admin *kadm.Client, topic string, partitions int) {
	t.Helper()
	ends, err := admin.ListEndOffsets(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "each partition is consumed by one node, up to its end", func() error {
		shares := make([]float64, len(c.members))
		for n := range int32(partitions) {
			end, ok := ends.Lookup(topic, n)
			if ok && end.Offset == 0 { // the producer has not heard of it: a node that consumes it looks like one that does not
				continue
			}
			consumers := 0
			for i, m := range c.members {
				label := fmt.Sprintf(`partition="%d",topic=%q`, n, topic)
				switch at := metricSum(t, m.listen, "kindred_kafka_handled_offset{", label); {
				case at == float64(end.Offset):
					consumers++
					shares[i]++
				case at != 0:
					return fmt.Errorf("partition %d at %s: %v of %d", n, m.name, at, end.Offset)
				}
			}
			if consumers != 1 {
				return fmt.Errorf("partition %d has %d consumers", n, consumers)
			}
		}
		t.Logf("partitions of each node: %v", shares)
		return nil
	})
}

// clusterRecords are the events of clusterBatches, one by one.
func clusterRecords(t *testing.T, rng *rand.Rand, events int) (records [][]byte) {
	t.Helper()
	for _, body := range clusterBatches(rng, events) {
		var b struct{ Batch []json.RawMessage }
		if err := json.Unmarshal(body, &b); err != nil {
			t.Fatal(err)
		}
		for _, event := range b.Batch {
			records = append(records, event)
		}
	}
	return records
}
