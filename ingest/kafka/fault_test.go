package kafka

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sr"
)

// Failing brokers cause neither loss nor duplicates.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		name string
		keys []kmsg.Key
		err  *kerr.Error
	}{
		{"fetch, not the leader", []kmsg.Key{kmsg.Fetch}, kerr.NotLeaderForPartition},
		{"fetch, unknown", []kmsg.Key{kmsg.Fetch}, kerr.UnknownServerError},
		{"fetch, not allowed", []kmsg.Key{kmsg.Fetch}, kerr.TopicAuthorizationFailed},
		{"fetch, corrupt", []kmsg.Key{kmsg.Fetch}, kerr.CorruptMessage},
		{"metadata", []kmsg.Key{kmsg.Metadata}, kerr.UnknownTopicOrPartition},
		{"metadata, not allowed", []kmsg.Key{kmsg.Metadata}, kerr.TopicAuthorizationFailed},
		{"list offsets", []kmsg.Key{kmsg.ListOffsets}, kerr.LeaderNotAvailable},
		{"commit offsets", []kmsg.Key{kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.FindCoordinator}, kerr.CoordinatorNotAvailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, 3, func(w *world) {
				w.produce(0, 300)
				fault := func() *kfake.FaultHandle {
					return w.fake.Fault(kfake.Fault{Keys: test.keys, Topic: topicOf(test.keys), Err: test.err, Count: 20})
				}
				first := fault()
				c := w.consumer()
				w.until("faults are met", c, func(Status) bool { return first.Hits() >= 20 })
				w.caughtUp(c)
				w.produce(300, 300)
				second := fault()
				w.until("faults are met", c, func(Status) bool { return second.Hits() >= 5 })
				w.until("faults are over", c, func(s Status) bool { return second.Hits() >= 20 || w.handled(s) })
				second.Remove()
				w.caughtUp(c)
				w.produce(600, 300)
				w.caughtUp(c)
				w.took(900)
				w.stop(c)
			})
		})
	}
}

// topicOf returns the topic of a faulty request; "" for requests that name no topic.
func topicOf(keys []kmsg.Key) string {
	if len(keys) > 1 {
		return ""
	}
	return topic
}

// Leaders move and connections break while events flow.
func TestLeadersMove(t *testing.T) {
	inWorld(t, 6, func(w *world) {
		var breaks atomic.Int64 // fetches whose connection shall break
		w.fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.fake.KeepControl()
			if breaks.Add(-1) >= 0 {
				return nil, errors.New("connection lost"), true
			}
			return nil, nil, false
		})
		c := w.consumer()
		for round := range 30 {
			w.produce(round*100, 100)
			w.fake.ShufflePartitionLeaders()
			if round%3 == 0 {
				breaks.Store(3)
			}
		}
		w.caughtUp(c)
		w.took(3000)
		w.stop(c)
	})
}

// The brokers do not answer for an hour, from the start.
func TestBrokersDown(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 100)
		var down atomic.Bool
		down.Store(true)
		w.fake.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
			w.fake.KeepControl()
			if down.Load() {
				return nil, errors.New("down"), true
			}
			return nil, nil, false
		})
		c := w.consumer()
		w.until("brokers are down", c, func(s Status) bool { return s.Brokers != "" })
		time.Sleep(time.Hour)
		down.Store(false)
		w.caughtUp(c)
		down.Store(true)
		s := w.until("brokers are down", c, func(s Status) bool { return s.Brokers != "" })
		if s.Partitions[0].Handled != 50 {
			t.Errorf("%+v", s)
		}
		down.Store(false)
		w.produce(100, 100)
		w.caughtUp(c)
		w.until("brokers are up", c, func(s Status) bool { return s.Brokers == "" })
		w.took(200)
		w.stop(c)
	})
}

// Added partitions are consumed from their beginning, even if the topic began at its end.
func TestPartitionsAdded(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 10) // before the consumer: to be ignored
		c := w.consumer(func(c *Config) { c.Start = Start{Latest: true} })
		w.until("consumed", c, func(s Status) bool { return len(s.Partitions) == 2 && s.Partitions[1].State == Consuming })
		w.produce(10, 20)
		if _, err := w.admin.UpdatePartitions(w.t.Context(), 5, topic); err != nil {
			w.t.Fatal(err)
		}
		w.client.Close() // the next client knows of the new partitions
		w.client = w.connect()
		w.produce(30, 50)
		s := w.caughtUp(c)
		if len(s.Partitions) != 5 {
			t.Errorf("%d partitions", len(s.Partitions))
		}
		w.took(70)
		w.stop(c)
	})
}

// A topic that is deleted and created again is another topic, even with the same name and offsets.
func TestTopicMadeAnew(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 100)
		c := w.consumer(func(c *Config) { c.Start = Start{Latest: true} })
		w.until("consumed", c, func(s Status) bool { return len(s.Partitions) == 2 && s.Partitions[1].State == Consuming })
		w.produce(100, 50)
		w.caughtUp(c)
		if err := w.fake.DeleteTopic(topic); err != nil {
			w.t.Fatal(err)
		}
		w.until("gone", c, func(s Status) bool { return len(s.Topics) == 1 && len(s.Partitions) == 0 })
		w.client.PurgeTopicsFromClient(topic)
		if err := w.fake.CreateTopic(topic, 2, nil); err != nil {
			w.t.Fatal(err)
		}
		w.produce(150, 300)
		w.caughtUp(c)
		w.took(350)
		w.stop(c)
		if channels := w.engine.ExternalChannels().All(); len(channels) != 2 {
			t.Errorf("%d channels are left", len(channels))
		}
	})
}

// A record that was deleted before it was read halts its partition alone; nothing is skipped silently.
func TestRecordsGone(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 100)
		c := w.consumer()
		w.caughtUp(c)
		w.stop(c)
		w.produce(100, 100)
		if err := w.fake.DeleteRecords(topic, 0, 70); err != nil {
			w.t.Fatal(err)
		}
		c = w.consumer()
		s := w.until("halted", c, func(s Status) bool { return len(s.Partitions) == 2 && s.Partitions[0].State == Halted })
		if !strings.Contains(s.Partitions[0].Error, "from 70 up to 100") || !strings.Contains(s.Partitions[0].Error, "kindred kafka seek --data DIR --topic events --partition 0 --to earliest|OFFSET") {
			t.Errorf("no remedy: %s", s.Partitions[0].Error)
		}
		w.until("the other goes on", c, func(s Status) bool { return s.Partitions[1].Handled == 100 })
		w.produce(200, 100)
		w.until("the other goes on", c, func(s Status) bool { return s.Partitions[1].Handled == 150 })
		w.took(200)
		w.until("the lag grows", c, func(s Status) bool {
			p := s.Partitions[0]
			return p.State == Halted && p.Handled == 50 && p.Lag == 100
		})
		w.stop(c)
		positions, err := Positions(w.t.Context(), w.engine)
		if err != nil || len(positions) != 2 || positions[0].Offset != 50 {
			t.Fatalf("%+v, %v", positions, err)
		}
		move := Move{Topic: positions[0].Topic, Partition: positions[0].Partition, To: Target{Earliest: true}}
		if moved, err := move.Apply(w.t.Context(), &w.config, positions); err != nil || len(moved) != 1 || moved[0].Offset != 70 {
			t.Fatalf("%+v, %v", moved, err)
		}
		c = w.consumer()
		w.caughtUp(c)
		w.took(280)
		w.stop(c)
	})
}

// Positions beyond the end of the log reveal that the brokers have lost records that were taken.
func TestLogEndsBefore(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 100)
		c := w.consumer()
		w.caughtUp(c)
		w.stop(c)
		positions, err := Positions(w.t.Context(), w.engine)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := positions[0].seek(w.t.Context(), &w.config, Target{Offset: 500}, false); err != nil {
			w.t.Fatal(err)
		}
		c = w.consumer()
		w.until("halted", c, func(s Status) bool { return len(s.Partitions) == 1 && s.Partitions[0].State == Halted })
		w.stop(c)
	})
}

// An unavailable registry stops the topics that need it, and no others (C5), until it answers.
func TestRegistryDown(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		if err := w.fake.CreateTopic("avro", 1, nil); err != nil {
			w.t.Fatal(err)
		}
		schemas := &registryDown{}
		schemas.down.Store(true)
		config := w.config
		config.SchemaRegistry.URLs = []string{"http://registry.invalid"}
		config.Topics = []Topic{{Topic: topic}, {Topic: "avro", Format: record.Avro}}
		c, err := New(config, w.into)
		if err != nil {
			w.t.Fatal(err)
		}
		options := record.Options{Format: record.Avro, Schemas: record.NewSchemas(schemas)}
		c.topics["avro"].batches = newBatches(w.into.Into, func() *record.Decoder { return record.NewDecoder(options) })
		if err := c.Start(); err != nil {
			w.t.Fatal(err)
		}
		w.running = append(w.running, c)
		// Enough to fill every queue: waiting records must not hold up the others.
		for range 5000 {
			w.write(&kgo.Record{Topic: "avro", Value: append([]byte{0, 0, 0, 0, 1}, append([]byte{4}, "u1"...)...)})
		}
		w.flush()
		w.produce(0, 1000)
		w.caughtUp(c)
		w.until("the other waits", c, func(s Status) bool { return s.Partitions[0].State == Waiting })
		time.Sleep(time.Hour)
		w.produce(1000, 1000)
		w.caughtUp(c)
		w.took(2000)
		schemas.down.Store(false)
		s := w.until("the other goes on", c, func(s Status) bool { return s.Partitions[0].Handled == 5000 })
		if s.Partitions[0].State != Consuming || s.Partitions[0].Counts.Rejected != 5000 {
			t.Errorf("%+v", s.Partitions[0]) // it is no event: but it was read
		}
		w.stop(c)
	})
}

type registryDown struct{ down atomic.Bool }

func (r *registryDown) SchemaByID(context.Context, int) (sr.Schema, error) {
	if r.down.Load() {
		return sr.Schema{}, &sr.ResponseError{StatusCode: http.StatusServiceUnavailable, Message: "down"}
	}
	return sr.Schema{Schema: `{"type":"record","name":"A","fields":[{"name":"userId","type":"string"}]}`}, nil
}

func (r *registryDown) SchemaByVersion(context.Context, string, int) (sr.SubjectSchema, error) {
	return sr.SubjectSchema{}, errors.New("not asked for")
}

// After a stop at any moment, the floor and the positions are such that the next consumer continues without loss.
func TestStopAnyTime(t *testing.T) {
	inWorld(t, 4, func(w *world) {
		w.produce(0, 2000)
		for round := range 20 {
			c := w.consumer()
			time.Sleep(time.Duration(round) * 7 * time.Millisecond)
			synctest.Wait()
			w.stop(c)
			if round%5 == 4 {
				w.close()
				w.open()
			}
		}
		c := w.consumer()
		w.caughtUp(c)
		w.took(2000)
		w.stop(c)
	})
}

// The offsets of a transaction are handled, and the records of an aborted one are not taken.
func TestTransactions(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		client := w.connect(kgo.TransactionalID("tx"))
		defer client.Close()
		for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
			if err := client.BeginTransaction(); err != nil {
				w.t.Fatal(err)
			}
			for n := range 10 {
				client.Produce(w.t.Context(), &kgo.Record{Topic: topic, Value: []byte(event(i*10 + n))}, nil)
			}
			if err := client.Flush(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
			if err := client.EndTransaction(w.t.Context(), end); err != nil {
				w.t.Fatal(err)
			}
		}
		c := w.consumer()
		s := w.caughtUp(c)
		w.took(20)
		if s.Partitions[0].Handled != 44 {
			t.Errorf("handled up to %d of 44: the markers of transactions count", s.Partitions[0].Handled)
		}
		w.stop(c)
	})
}

// Another routing version continues where the previous one stood.
func TestRoutingChanges(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 100)
		c := w.consumer()
		w.caughtUp(c)
		w.stop(c)
		w.into.Routing = "another"
		w.produce(100, 100)
		c = w.consumer(func(c *Config) { c.Start = Start{Latest: true} })
		w.caughtUp(c)
		w.took(200)
		w.stop(c)
		if channels := w.engine.ExternalChannels().All(); len(channels) != 2 {
			t.Errorf("%d channels are left", len(channels))
		}
	})
}

// A partition that is assigned while others have nothing to read does not wait for the fetch of those.
func TestAssignedIsReadSoon(t *testing.T) {
	inWorld(t, 6, func(w *world) {
		c := w.consumer()
		w.caughtUp(c)
		at := c.running.find(place{topic, 0}).partition
		c.poller.unassign(at)
		time.Sleep(time.Minute) // only fetches without it are under way
		w.produce(0, 1)
		time.Sleep(7 * time.Millisecond)
		start := time.Now()
		if err := c.poller.assign(context.Background(), at, 0); err != nil {
			t.Fatal(err)
		}
		w.caughtUp(c)
		if waited := time.Since(start); waited > 300*time.Millisecond {
			t.Errorf("it was read %v after it was assigned", waited)
		}
		w.stop(c)
	})
}
