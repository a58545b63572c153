// Package kafka publishes the change feed to Apache Kafka: every entry to a topic of changes and, if configured, the
// current document of every identity to a compacted topic of profiles.
//
// Records are CloudEvents in the binary content mode of their Kafka binding
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md): attributes in
// headers, data as the value. Keys are public ids of identities, so all entries of an identity are in one partition,
// in order.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config describes where to publish. Connection and Topic are required.
type Config struct {
	// Connection describes how to reach the brokers.
	Connection broker.Connection
	// Logger receives the errors of the client library. Default: discards them.
	Logger *slog.Logger
	// Topic receives the entries. It must exist.
	Topic string
	// Profiles, if not empty, receives the current documents of identities. It must exist, and should be compacted.
	Profiles string
	// Documents returns the documents of identities by their ids, nil for an id that is no longer an identity's. moving
	// holds the indexes of the ids whose evidence is between two shards at this moment. Required with Profiles.
	Documents func(ctx context.Context, ids []graph.NodeKey) (documents [][]byte, moving []int, err error)
	// Scores, if not nil, returns the scores for entries with news of an identity's orders.
	Scores egress.Scores
	// TransactionalID, if not empty, is that of all processes that publish to these topics, one at a time.
	TransactionalID string
	// Source is the CloudEvents source.
	Source string
	more   []kgo.Opt // of the client, for tests
}

// Bounds of producing.
const (
	linger          = 5 * time.Millisecond
	deliveryTimeout = time.Minute // of one record; then the whole batch is sent again
	batchBytes      = 900 << 10   // below the default limit of brokers, 1 MiB
	transitPoll     = 5 * time.Millisecond
	transitMost     = 10 * time.Second
)

// Sink produces entries to Kafka: idempotently, to all in-sync replicas. With a transactional id, each Send is a transaction, and the
// brokers refuse those of a sink before the last one that was taken. It implements egress.Sink and egress.Exclusive.
type Sink struct {
	config Config
	client *kgo.Client
}

// New returns a sink. It connects when it first sends something.
func New(c Config) (*Sink, error) {
	if err := CheckTopics(c.Topic, c.Profiles); err != nil {
		return nil, err
	}
	if c.Profiles != "" && c.Documents == nil {
		return nil, errors.New("publish to Kafka: profiles need a source")
	}
	var turns []kgo.Opt
	if c.TransactionalID != "" {
		turns = []kgo.Opt{kgo.TransactionalID(c.TransactionalID), kgo.TransactionTimeout(2 * deliveryTimeout)}
	}
	client, err := c.Connection.Client(c.Logger, append(append([]kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()), // idempotence is the library's default, and needs this
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(batchBytes),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
		kgo.RecordDeliveryTimeout(deliveryTimeout),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // by key, as Kafka's own clients do
	}, turns...), c.more...)...)
	if err != nil {
		return nil, fmt.Errorf("publish to Kafka: %w", err)
	}
	return &Sink{c, client}, nil
}

// CheckTopics reports names of topics that a Sink can't publish to.
func CheckTopics(changes, profiles string) error {
	switch changes {
	case "":
		return errors.New("publish to Kafka: name the topic of changes")
	case profiles:
		return fmt.Errorf("publish to Kafka: changes and profiles can't share the topic %q: the compaction of one would delete the other", changes)
	}
	return nil
}

// Send implements egress.Sink. It also writes a merge under the keys of its losers, with the same ce_id: a consumer
// of only their partitions would otherwise miss it.
func (s *Sink) Send(ctx context.Context, events []feed.Event) error {
	scores, err := s.config.Scores.Of(ctx, events)
	if err != nil {
		return err
	}
	records := make([]*kgo.Record, 0, len(events))
	for i := range events {
		e := &events[i]
		headers, value := s.headers(e), egress.AppendData(nil, e, scores[i])
		records = append(records, record(s.config.Topic, e.ID, value, headers))
		if e.Kind == graph.FeedMerged {
			for _, loser := range e.Others {
				records = append(records, record(s.config.Topic, loser, value, headers))
			}
		}
	}
	if s.config.Profiles != "" {
		if records, err = s.profiles(ctx, records, events); err != nil {
			return err
		}
	}
	return s.explain(s.produce(ctx, records))
}

// produce returns nil once all in-sync replicas have the records.
func (s *Sink) produce(ctx context.Context, records []*kgo.Record) error {
	if s.config.TransactionalID == "" {
		return s.client.ProduceSync(ctx, records...).FirstErr()
	}
	if err := s.client.BeginTransaction(); err != nil {
		return err
	}
	if err := s.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err // the next Take, here or in another process, aborts the transaction
	}
	return s.client.EndTransaction(ctx, kgo.TryCommit)
}

// Take implements egress.Exclusive: the brokers abort what the sink before has under way, and refuse it from then on.
func (s *Sink) Take(ctx context.Context) error {
	_, _, err := s.client.ProducerID(ctx)
	return s.explain(err)
}

// record has the time at which it is produced: deliveryTimeout counts from that. The time of an entry is in its headers.
func record(topic string, key graph.NodeKey, value []byte, headers []kgo.RecordHeader) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte(key.String()), Value: value, Headers: headers}
}

func (s *Sink) headers(e *feed.Event) []kgo.RecordHeader {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return []kgo.RecordHeader{
		header("ce_specversion", egress.SpecVersion),
		header("ce_id", egress.ID(e)),
		header("ce_source", s.config.Source),
		header("ce_type", egress.Type(e.Kind)),
		header("ce_subject", e.ID.String()),
		header("ce_time", time.UnixMilli(e.At).UTC().Format("2006-01-02T15:04:05.000Z")),
		header("content-type", "application/json"),
	}
}

// profiles appends, for every identity in the entries, its current document, which is at least as new as the entries,
// or a tombstone if the identity no longer exists.
func (s *Sink) profiles(ctx context.Context, records []*kgo.Record, events []feed.Event) ([]*kgo.Record, error) {
	var ids []graph.NodeKey
	told := make(map[graph.NodeKey]bool)
	for i := range events {
		e := &events[i]
		if e.Kind == graph.FeedGeneric || e.Kind == graph.FeedEntered || e.Kind == graph.FeedExited {
			continue // an identifier, or nothing that a profile there has
		}
		for _, id := range append([]graph.NodeKey{e.ID}, e.Others...) {
			if !told[id] {
				told[id] = true
				ids = append(ids, id)
			}
		}
	}
	documents, err := s.documents(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		records = append(records, record(s.config.Profiles, id, documents[i], nil))
	}
	return records, nil
}

// documents reads identities, and retries those that move between shards.
func (s *Sink) documents(ctx context.Context, ids []graph.NodeKey) ([][]byte, error) {
	waiting, cancel := context.WithTimeout(ctx, transitMost)
	defer cancel()
	documents, places := make([][]byte, len(ids)), make([]int, len(ids))
	for i := range places {
		places[i] = i
	}
	for {
		found, moving, err := s.config.Documents(waiting, ids)
		if err != nil {
			return nil, err
		}
		for i, place := range places {
			documents[place] = found[i]
		}
		if len(moving) == 0 {
			return documents, nil
		}
		left := make([]graph.NodeKey, len(moving))
		for i, m := range moving {
			left[i], moving[i] = ids[m], places[m]
		}
		ids, places = left, moving
		select {
		case <-time.After(transitPoll):
		case <-waiting.Done():
			return nil, fmt.Errorf("read profiles to publish: of %d the evidence is on its way between shards: %w", len(ids), waiting.Err())
		}
	}
}

// explain adds the remedy to an error of the broker.
func (s *Sink) explain(err error) error {
	topics := s.config.Topic
	if s.config.Profiles != "" {
		topics += " and " + s.config.Profiles
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("produce to %s: %w (create the topics; Kindred makes none)", topics, err)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fmt.Errorf("produce to %s: %w (let its user write there)", topics, err)
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return fmt.Errorf("produce to %s: %w (let its user describe and write the transactional id %s)", topics, err, s.config.TransactionalID)
	case errors.Is(err, kerr.MessageTooLarge):
		return fmt.Errorf("produce to %s: %w (raise max.message.bytes of the topics)", topics, err)
	}
	return fmt.Errorf("produce to %s: %w", topics, err)
}

// Close implements egress.Sink. Call it after Send has returned.
func (s *Sink) Close() error {
	s.client.Close()
	return nil
}
