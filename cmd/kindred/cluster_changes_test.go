package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// changesTopic is a topic with one partition, to which the nodes of a cluster publish the change feed.
type changesTopic struct {
	name    string
	brokers []string
}

func newChangesTopic(t *testing.T, c *clusterTest) *changesTopic {
	t.Helper()
	topic := &changesTopic{c.name + "-changes", strings.Split(c.brokers, ",")}
	if _, err := kadm.NewClient(c.kafka.Client()).CreateTopic(t.Context(), 1, 3, nil, topic.name); err != nil {
		t.Fatal(err)
	}
	return topic
}

// publisher is the node whose turn it is to publish the change feed.
func (c *clusterTest) publisher(t *testing.T) (found *clusterMember) {
	t.Helper()
	eventually(t, "a node publishes the change feed", func() error {
		found = nil
		for _, m := range c.members {
			if metricSum(t, m.listen, "kindred_publish_turn{", "") == 1 {
				found = m
			}
		}
		if found == nil {
			return errors.New("no node says that it is its turn")
		}
		return nil
	})
	return found
}

// published requires that the topic has the whole feed, which makes the export, and that each node knows it.
func (c *clusterTest) published(t *testing.T, topic *changesTopic, want []byte, last map[string]int) {
	t.Helper()
	eventually(t, "the topic has the export", func() error {
		if got := topic.rebuilt(t); !bytes.Equal(got, want) {
			return fmt.Errorf("%d lines, want %d lines and the same", bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
		}
		return nil
	})
	topic.complete(t, last)
	eventually(t, "every node knows how far the topic is", func() error {
		for _, m := range c.members {
			var listed struct {
				Receivers []struct {
					Name   string
					Behind uint64
				}
			}
			if err := json.Unmarshal(kindred(t, c.bin, "receivers", "list", "--output", "json", "--url", "http://"+m.listen), &listed); err != nil {
				return err
			}
			if len(listed.Receivers) != 1 || listed.Receivers[0].Name != "kafka" || listed.Receivers[0].Behind != 0 {
				return fmt.Errorf("%s lists %v", m.name, listed.Receivers)
			}
		}
		return nil
	})
}

// entries are the records that count, from the beginning of the topic to its end.
func (c *changesTopic) entries(t *testing.T) (entries [][]byte) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.ConsumeTopics(c.name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), c.name)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(c.name, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for next := int64(0); next < end.Offset; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("read %s from %d to %d: %v", c.name, next, end.Offset, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				entries = append(entries, cloudEvent(t, r))
			}
		})
	}
	return entries
}

// cloudEvent is a record as GET /v1/changes has it.
func cloudEvent(t *testing.T, r *kgo.Record) []byte {
	t.Helper()
	attributes := map[string]any{"data": json.RawMessage(r.Value)}
	for _, h := range r.Headers {
		if name, ok := strings.CutPrefix(h.Key, "ce_"); ok {
			attributes[name] = string(h.Value)
		}
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// rebuilt is the export that follows from the topic.
func (c *changesTopic) rebuilt(t *testing.T) []byte {
	t.Helper()
	return rebuiltFrom(t, c.entries(t))
}

// complete requires that the topic has each shard's entries up to the last one. Some come again after others took over, and none is
// passed over: what comes again goes on without a gap.
func (c *changesTopic) complete(t *testing.T, last map[string]int) {
	t.Helper()
	at, again := map[string]int{}, 0
	for _, entry := range c.entries(t) {
		var head struct{ ID string }
		if err := json.Unmarshal(entry, &head); err != nil {
			t.Fatal(err)
		}
		shard, text, _ := strings.Cut(head.ID, "-")
		number := 0
		if _, err := fmt.Sscan(text, &number); err != nil {
			t.Fatal(err)
		}
		if number > at[shard]+1 {
			t.Fatalf("entry %s comes after entry %d of its shard", head.ID, at[shard])
		}
		if number < at[shard] {
			again++
		}
		at[shard] = number
	}
	if fmt.Sprint(at) != fmt.Sprint(last) {
		t.Errorf("the topic ends at %v, and the feed at %v", at, last)
	}
	t.Logf("%d times, entries came again", again)
}
