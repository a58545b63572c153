package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/egress/replica"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func cluster(t *testing.T, topics ...string) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(3, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func openEngine(t *testing.T, store storage.Store, rules *graph.Rules) *actors.Engine {
	t.Helper()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	e, err := actors.Open(context.Background(), actors.Config{
		Store: store, Deployment: row.Deployment{Shards: 4}, Rules: rules, Memory: memory, Feed: feed.Settings{On: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// documentsOf is a Config.Documents with only ids and numbers of events. In every call with several ids it reports
// the first identity as moving.
func documentsOf(e *actors.Engine) func(context.Context, []graph.NodeKey) ([][]byte, []int, error) {
	return func(ctx context.Context, ids []graph.NodeKey) (documents [][]byte, moving []int, err error) {
		documents = make([][]byte, len(ids))
		for i, id := range ids {
			p, err := e.Profile(ctx, id)
			switch {
			case err != nil && !errors.Is(err, actors.ErrUnknown):
				return nil, nil, err
			case err != nil || i == 0 && len(ids) > 1:
				moving = append(moving, i)
			case p.ID == id && p.Events > 0:
				documents[i] = fmt.Appendf(nil, `{"id":%q,"events":%d}`, id, p.Events)
			}
		}
		return documents, moving, nil
	}
}

// consume reads topics to their ends.
func consume(t *testing.T, c *kfake.Cluster, topic string) (records []*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		fetches := client.PollFetches(ctx)
		cancel()
		n := len(records)
		fetches.EachRecord(func(r *kgo.Record) { records = append(records, r) })
		if len(records) == n {
			return records
		}
	}
}

// entry reads a record in the binary content mode.
func entry(t *testing.T, r *kgo.Record) feed.Event {
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
	e, err := egress.Parse(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return e
}

// applyOwn applies a record to the identity of its key, as a consumer of a single partition does.
func applyOwn(replica *replica.Replica, key string, e *graph.FeedEntry) {
	if e.ID.String() == key {
		if e.Kind != graph.FeedMerged {
			replica.Apply(e)
		}
		return
	}
	for _, loser := range e.Others {
		if e.Kind == graph.FeedMerged && loser.String() == key {
			replica.Apply(&graph.FeedEntry{Kind: graph.FeedErased, ID: loser})
		}
	}
}

// scores are the scores of every identity in TestPublish.
const scores = `{"clv":1.25}`

// TestPublish publishes while events flow, the broker fails now and then, and the publisher is stopped midway. Both
// topics end with the engine's state.
func TestPublish(t *testing.T) {
	c := cluster(t, "changes", "profiles")
	rng := rand.New(rand.NewPCG(1, 2))
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if rng.IntN(4) > 0 {
			return nil, nil, false
		}
		if rng.IntN(2) == 0 {
			return nil, errors.New("the connection is cut"), true
		}
		produce := req.(*kmsg.ProduceRequest)
		res := produce.ResponseKind().(*kmsg.ProduceResponse)
		for i := range produce.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = produce.Topics[i].Topic, produce.Topics[i].TopicID
			for j := range produce.Topics[i].Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = produce.Topics[i].Partitions[j].Partition, kerr.NotEnoughReplicas.Code
				topic.Partitions = append(topic.Partitions, p)
			}
			res.Topics = append(res.Topics, topic)
		}
		return res, nil, true
	})
	ctx := context.Background()
	store := storage.NewMemStore()
	var engine *actors.Engine
	events := 0
	for seed := range uint64(6) {
		world := oracle.RandomWorld(rand.New(rand.NewPCG(seed, 9)))
		engine = openEngine(t, store, graph.DefaultRules())
		sink, err := New(Config{
			Connection: broker.Connection{Brokers: c.ListenAddrs()}, more: []kgo.Opt{kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond }), kgo.MetadataMinAge(10 * time.Millisecond)},
			Topic: "changes", Profiles: "profiles",
			Documents: documentsOf(engine), Source: "/kindred/test",
			Scores: func(_ context.Context, ids []graph.NodeKey) ([][]byte, error) {
				return slices.Repeat([][]byte{[]byte(scores)}, len(ids)), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		p := &egress.Publisher{Engine: engine, Sink: sink, Name: "kafka", Logger: slog.New(slog.DiscardHandler)}
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- p.Run(running) }()
		for i := range world.Events {
			e := &world.Events[i]
			e.ID, e.Seen = fmt.Appendf(nil, "%d-%s", seed, e.ID), e.Seen^seed
			d := &actors.Delivery{}
			d.Add(e)
			answered := make(chan error, 1)
			if err := engine.Submit(ctx, d, func(err error) { answered <- err }); err != nil {
				t.Fatal(err)
			}
			if err := <-answered; err != nil {
				t.Fatal(err)
			}
			events++
		}
		if seed == 5 { // the last run publishes to the end
			if err := engine.Settle(ctx); err != nil {
				t.Fatal(err)
			}
			end, err := engine.Feed().Reader(t.Context(), feed.Now)
			if err != nil {
				t.Fatal(err)
			}
			for {
				receiver, err := engine.Feed().Receiver("kafka")
				if err != nil {
					t.Fatal(err)
				}
				reader, err := receiver.Reader()
				if err != nil {
					t.Fatal(err)
				}
				if reader.Cursor() == end.Cursor() {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if status := p.Status(ctx); status.Sent == 0 || status.Err != nil || status.Behind != 0 {
				t.Errorf("status %+v", status)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		if seed < 5 {
			if err := engine.Close(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	var want []graph.Profile
	documents := map[string]string{}
	if err := engine.Each(ctx, func(c *graph.Component) error {
		for _, p := range c.Profiles(engine.Rules(), false) {
			want = append(want, replica.Exported(&p))
			documents[p.ID.String()] = fmt.Sprintf(`{"id":%q,"events":%d}`, p.ID, p.Events)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(want, func(a, b graph.Profile) int { return a.ID.Compare(b.ID) })

	var replica replica.Replica
	partitions := map[string]int32{}
	ofOrders := 0
	for _, r := range consume(t, c, "changes") {
		e := entry(t, r)
		if strings.Contains(string(r.Value), `"scores":`+scores) != egress.TellsOrders(&e) {
			t.Errorf("scores belong to entries that tell of orders: %s", r.Value)
		} else if egress.TellsOrders(&e) {
			ofOrders++
		}
		key := string(r.Key)
		if at, known := partitions[key]; known && at != r.Partition {
			t.Fatalf("records of %s are in partitions %d and %d", key, at, r.Partition)
		}
		partitions[key] = r.Partition
		applyOwn(&replica, key, &e.FeedEntry)
	}
	if ofOrders == 0 {
		t.Error("no entry tells of orders")
	}
	if d := oracle.Diff(oracle.Dump(want), oracle.Dump(replica.Profiles())); d != "" {
		t.Errorf("a reader of the topic of changes does not know what the engine has:\n%s", d)
	}
	got := map[string]string{}
	for _, r := range consume(t, c, "profiles") {
		if r.Value == nil {
			delete(got, string(r.Key))
		} else {
			got[string(r.Key)] = string(r.Value)
		}
	}
	for id := range documents {
		if got[id] != documents[id] {
			t.Errorf("the topic of profiles has %q, want %q", got[id], documents[id])
		}
		delete(got, id)
	}
	if len(got) > 0 {
		t.Errorf("the topic of profiles has what there is not: %v", got)
	}
}

// An error of a broker comes with the remedy, and no entry is skipped.
func TestRefusals(t *testing.T) {
	c := cluster(t, "other")
	sink, err := New(Config{Connection: broker.Connection{Brokers: c.ListenAddrs()}, more: []kgo.Opt{kgo.UnknownTopicRetries(0)}, Topic: "changes"})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	err = sink.Send(context.Background(), []feed.Event{{FeedEntry: graph.FeedEntry{Kind: graph.FeedErased, ID: oracle.Key("user_id", "1")}}})
	if !errors.Is(err, kerr.UnknownTopicOrPartition) || !strings.Contains(err.Error(), "create the topics") {
		t.Errorf("without the topic: %v", err)
	}
	for _, bad := range []Config{{}, {Topic: "a", Profiles: "b"}, {Topic: "a", Profiles: "a", Documents: documentsOf(nil)}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// Entries that waited for longer than a delivery may take, as after a night without brokers, are delivered.
func TestSinkDeliversOldEntries(t *testing.T) {
	c := cluster(t, "changes")
	s, err := New(Config{Connection: broker.Connection{Brokers: c.ListenAddrs()}, Topic: "changes", Source: "/kindred/test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	at := time.Now().Add(-2 * deliveryTimeout).UnixMilli()
	err = s.Send(t.Context(), []feed.Event{{FeedEntry: graph.FeedEntry{Kind: graph.FeedErased, ID: oracle.Key("user_id", "1")}, Number: 1, At: at}})
	if err != nil {
		t.Fatal(err)
	}
	if e := entry(t, consume(t, c, "changes")[0]); e.At != at {
		t.Errorf("the entry is of %d, want %d", e.At, at)
	}
}
