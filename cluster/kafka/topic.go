package kafka

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TopicID names a topic among all that had its name.
type TopicID [16]byte

func (id TopicID) String() string { return hex.EncodeToString(id[:]) }

// Layout is what a journal's topic has to be like.
type Layout struct {
	Topic      string
	Partitions int // one a shard, and one for what belongs to no shard
	Replicas   int // 3, or 1 for trials: then nothing survives the loss of a broker's disk
}

// MaxRecord is the longest value that Append takes.
const MaxRecord = 1<<20 + 64<<10

// maxBatch is the longest batch on the wire, as brokers count it (max.message.bytes).
const maxBatch = 2 << 20

// inSync is the number of replicas that must have a record before it is acknowledged.
func (l Layout) inSync() int { return min(2, l.Replicas) }

func (l Layout) check() error {
	switch {
	case l.Topic == "":
		return errors.New("journal: no topic; name one")
	case l.Partitions < 2:
		return fmt.Errorf("journal: %d partitions; want one a shard, and one more", l.Partitions)
	case l.Replicas < 1:
		return fmt.Errorf("journal: %d replicas; want 3, or 1 for trials", l.Replicas)
	}
	return nil
}

// Create makes the topic of a journal, and returns its id. A topic that exists is an error: it may hold another journal.
func Create(ctx context.Context, c broker.Connection, l Layout) (TopicID, error) {
	if err := l.check(); err != nil {
		return TopicID{}, err
	}
	client, err := c.Client(nil)
	if err != nil {
		return TopicID{}, err
	}
	defer client.Close()
	settings := map[string]*string{
		"cleanup.policy":                 kadm.StringPtr("delete"),
		"retention.ms":                   kadm.StringPtr("-1"),
		"retention.bytes":                kadm.StringPtr("-1"),
		"min.insync.replicas":            kadm.StringPtr(strconv.Itoa(l.inSync())),
		"unclean.leader.election.enable": kadm.StringPtr("false"),
		"max.message.bytes":              kadm.StringPtr(strconv.Itoa(maxBatch)),
		// Brokers refuse records whose time is an hour ahead of theirs, unless the time is the broker's.
		"message.timestamp.type": kadm.StringPtr("LogAppendTime"),
	}
	made, err := kadm.NewClient(client).CreateTopic(ctx, int32(l.Partitions), int16(l.Replicas), settings, l.Topic)
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return TopicID{}, fmt.Errorf("journal: topic %s exists already, and may hold another journal; choose another name, or delete it", l.Topic)
	case errors.Is(err, kerr.InvalidReplicationFactor):
		return TopicID{}, fmt.Errorf("journal: topic %s: fewer than %d brokers are up; start them, or make a journal for trials with 1 replica: %w", l.Topic, l.Replicas, err)
	case err != nil:
		return TopicID{}, fmt.Errorf("journal: make topic %s: %w", l.Topic, err)
	}
	awaitBrokers(ctx, client, l)
	return TopicID(made.ID), nil
}

// brokersMost is how long Create waits for brokers to learn of the topic that one of them made.
const brokersMost = 15 * time.Second

// awaitBrokers waits until each broker knows the topic and its leaders, so that the next client finds the topic at any of them.
// It gives up after brokersMost: the topic is made, and a broker that does not answer will learn of it.
func awaitBrokers(ctx context.Context, client *kgo.Client, l Layout) {
	ctx, stop := context.WithTimeout(ctx, brokersMost)
	defer stop()
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(l.Topic)
	req.Topics = append(req.Topics, topic)
	for _, b := range client.DiscoveredBrokers() {
		for attempt := 0; ; attempt++ {
			res, err := req.RequestWith(ctx, b)
			if err == nil && led(res) == l.Partitions || brokersPause.Pause(ctx, attempt) != nil {
				break
			}
		}
	}
}

var brokersPause = backoff.Doubling{First: 10 * time.Millisecond, Most: time.Second}

// led counts the partitions of an answer that have a leader.
func led(res *kmsg.MetadataResponse) int {
	n := 0
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode == 0 && p.Leader >= 0 {
				n++
			}
		}
	}
	return n
}

// rule is what one setting of a journal's topic must be.
type rule struct {
	setting string
	want    string // in words
	why     string
	holds   func(value string) bool
}

func (l Layout) rules() []rule {
	is := func(want string) func(string) bool { return func(v string) bool { return v == want } }
	atLeast := func(least int) func(string) bool {
		return func(v string) bool { n, err := strconv.Atoi(v); return err == nil && n >= least }
	}
	return []rule{
		{"cleanup.policy", "delete", "compaction would drop records that the journal counts", is("delete")},
		{"retention.ms", "-1", "only Kindred knows which records are still needed", is("-1")},
		{"retention.bytes", "-1", "only Kindred knows which records are still needed", is("-1")},
		{"min.insync.replicas", fmt.Sprintf("at least %d", l.inSync()), "an acknowledged record would be lost with one broker", atLeast(l.inSync())},
		{"unclean.leader.election.enable", "false", "a broker that missed records could lead", is("false")},
		{"max.message.bytes", fmt.Sprintf("at least %d", maxBatch), "large commits would be refused", atLeast(maxBatch)},
	}
}

// inspect reports everything that makes an existing topic unfit to be the journal, and returns its id. Of id the zero
// value accepts any.
func (l Layout) inspect(ctx context.Context, admin *kadm.Client, id TopicID) (TopicID, error) {
	if err := l.check(); err != nil {
		return id, err
	}
	topics, err := admin.ListTopics(ctx, l.Topic)
	if err != nil {
		return id, fmt.Errorf("journal: ask about topic %s: %w", l.Topic, err)
	}
	topic, ok := topics[l.Topic]
	if !ok || errors.Is(topic.Err, kerr.UnknownTopicOrPartition) {
		return id, fmt.Errorf("journal: topic %s does not exist; make it with \"kindred cluster init\"", l.Topic)
	}
	if topic.Err != nil {
		return id, fmt.Errorf("journal: topic %s: %w", l.Topic, topic.Err)
	}
	found := TopicID(topic.ID)
	if id != (TopicID{}) && found != id {
		return found, &RecreatedError{Topic: l.Topic, Want: id, Found: found}
	}
	var problems []error
	if n := len(topic.Partitions); n != l.Partitions {
		problems = append(problems, fmt.Errorf("journal: topic %s has %d partitions, want %d; the number of shards of a deployment never changes, so name the topic that was made for it", l.Topic, n, l.Partitions))
	}
	for _, p := range topic.Partitions.Sorted() {
		if n := len(p.Replicas); n < l.Replicas {
			problems = append(problems, fmt.Errorf("journal: topic %s: partition %d has %d replicas, want %d; add some with kafka-reassign-partitions.sh", l.Topic, p.Partition, n, l.Replicas))
			break
		}
	}
	configs, err := admin.DescribeTopicConfigs(ctx, l.Topic)
	if err != nil {
		return found, fmt.Errorf("journal: ask for the settings of topic %s: %w", l.Topic, err)
	}
	config, err := configs.On(l.Topic, nil)
	if err == nil {
		err = config.Err
	}
	if err != nil {
		return found, fmt.Errorf("journal: ask for the settings of topic %s: %w", l.Topic, err)
	}
	values := make(map[string]string, len(config.Configs))
	for _, c := range config.Configs {
		values[c.Key] = c.MaybeValue()
	}
	for _, r := range l.rules() {
		if value, ok := values[r.setting]; !ok || !r.holds(value) {
			problems = append(problems, fmt.Errorf("journal: topic %s: %s is %q, want %s, since %s; set it with kafka-configs.sh", l.Topic, r.setting, value, r.want, r.why))
		}
	}
	return found, errors.Join(problems...)
}

// RecreatedError means that the topic is not the one that the journal was written to.
type RecreatedError struct {
	Topic       string
	Want, Found TopicID
}

func (e *RecreatedError) Error() string {
	return fmt.Sprintf("journal: topic %s has id %s, and this journal was in %s: it was deleted and made again; restore a backup into a new deployment", e.Topic, e.Found, e.Want)
}

// Partitions returns how many partitions a topic has; 0 if there is no such topic.
func Partitions(ctx context.Context, c broker.Connection, topic string) (int, error) {
	client, err := c.Client(nil)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("journal: ask about topic %s: %w; check --journal-brokers, and that the brokers are up", topic, err)
	}
	found, ok := topics[topic]
	switch {
	case !ok || errors.Is(found.Err, kerr.UnknownTopicOrPartition):
		return 0, nil
	case found.Err != nil:
		return 0, fmt.Errorf("journal: topic %s: %w", topic, found.Err)
	}
	return len(found.Partitions), nil
}
