package kafka

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Every event is taken once, across a restart.
func TestConsume(t *testing.T) {
	inWorld(t, 12, func(w *world) {
		w.produce(0, 1000)
		c := w.consumer()
		w.caughtUp(c)
		w.took(1000)
		w.stop(c)
		w.close()
		w.produce(1000, 500)
		w.open()
		c = w.consumer()
		s := w.caughtUp(c)
		w.took(1500)
		for _, p := range s.Partitions {
			if p.State != Consuming || p.Lag != 0 || p.LagTime != 0 {
				t.Errorf("%+v", p)
			}
			if p.Counts.OutOfTurn > 0 {
				t.Errorf("partition %d did not begin where the shards stood", p.Partition)
			}
			if p.Counts.Records > 50 {
				t.Errorf("%d records were read again after a stop in order", p.Counts.Records)
			}
		}
		w.stop(c)
	})
}

// Two consumers of one partition at once do no harm to each other.
func TestTwoConsumers(t *testing.T) {
	inWorld(t, 3, func(w *world) {
		w.produce(0, 2000)
		a, b := w.consumer(), w.consumer(func(c *Config) { c.Group = "-" })
		w.produce(2000, 2000)
		w.caughtUp(a)
		w.caughtUp(b)
		w.took(4000)
		w.stop(a)
		w.stop(b)
	})
}

// Shards leave and come back while partitions are read: every event is taken once, and partitions wait for what is away.
func TestShardsAway(t *testing.T) {
	inWorld(t, 3, func(w *world) {
		shards := w.engine.Shards()
		w.engine.Lose(0)
		w.produce(0, 1000)
		c := w.consumer()
		w.until("waiting", c, func(s Status) bool { return len(s.Partitions) == 3 && s.Partitions[0].State == Waiting })
		if err := w.engine.Take(0); err != nil {
			t.Fatal(err)
		}
		w.produce(1000, 1000)
		for i := range 40 {
			id := graph.ShardID(i % shards)
			w.engine.Lose(id)
			time.Sleep(time.Millisecond)
			if err := w.engine.Take(id); err != nil {
				t.Fatal(err)
			}
		}
		w.caughtUp(c)
		w.took(2000)
		w.stop(c)
	})
}

// A consumer that finds events taken by another consumer, which then stopped, takes the rest.
func TestOvertaken(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		var held atomic.Bool
		held.Store(true)
		w.fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.fake.KeepControl()
			if held.Load() {
				return nil, errors.New("connection lost"), true
			}
			return nil, nil, false
		})
		c := w.consumer()
		w.until("consuming", c, func(s Status) bool { return len(s.Partitions) == 1 && s.Partitions[0].State == Consuming })
		w.produce(0, 100)
		// The other consumer, which delivers the first ten and ends.
		ch := w.engine.ExternalChannels().All()[0]
		chain, err := ingest.NewChain(w.t.Context(), ch)
		if err != nil {
			w.t.Fatal(err)
		}
		other := ingest.NewIntake(w.into.Into)
		other.Follow(chain)
		for i := range 10 {
			v := other.Take([]byte(event(i)), ingest.Arrival{Received: w.engine.Now(), Number: actors.RecordNumber(int64(i), 0)})
			if v.Status != ingest.Pending {
				w.t.Fatal(v.Rejection)
			}
		}
		if err := other.Deliver(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		held.Store(false)
		s := w.caughtUp(c)
		w.took(100)
		if n := s.Partitions[0].Counts; n.OutOfTurn == 0 || n.Elsewhere != 10 || n.Accepted != 90 {
			t.Errorf("%+v", n)
		}
		w.stop(c)
	})
}

// A change of the group's offsets by someone else moves nothing here, and is logged.
func TestGroupOffsets(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 100)
		c := w.consumer()
		w.caughtUp(c)
		committed := func(at int64) func(Status) bool {
			return func(Status) bool {
				found, err := w.admin.FetchOffsets(w.t.Context(), DefaultGroup)
				if errors.Is(err, kerr.GroupIDNotFound) {
					return false
				}
				if err != nil {
					w.t.Fatal(err)
				}
				o, ok := found.Lookup(topic, 0)
				return ok && o.At == at
			}
		}
		w.until("committed", c, committed(100))
		for _, at := range []int64{0, 1000} {
			offsets := make(kadm.Offsets)
			offsets.AddOffset(topic, 0, at, -1)
			if err := w.admin.CommitAllOffsets(w.t.Context(), DefaultGroup, offsets); err != nil {
				w.t.Fatal(err)
			}
			w.until("set right", c, committed(100))
		}
		if !w.logged("somebody moved the offset") {
			t.Errorf("nothing is said of it:\n%s", w.log)
		}
		w.stop(c)
		w.took(100)
	})
}

// A topic without history begins at the configured start.
func TestStart(t *testing.T) {
	for _, test := range []struct {
		start string
		took  int
	}{{"earliest", 30}, {"latest", 10}, {"1999-12-31T23:59:00Z", 30}, {"2000-01-01T00:00:30Z", 20}, {"2000-01-01T01:00:00Z", 10}} {
		t.Run(test.start, func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				w.produce(0, 10)
				time.Sleep(time.Minute)
				w.produce(10, 10)
				time.Sleep(time.Minute)
				c := w.consumer(func(c *Config) {
					var err error
					if c.Start, err = ParseStart(test.start); err != nil {
						w.t.Fatal(err)
					}
				})
				w.until("consuming", c, func(s Status) bool {
					return len(s.Partitions) == 2 && s.Partitions[0].State == Consuming && s.Partitions[1].State == Consuming
				})
				w.produce(20, 10)
				w.caughtUp(c)
				w.took(test.took)
				w.stop(c)
			})
		})
	}
	if _, err := ParseStart("soon"); err == nil {
		t.Error("soon is no place to start")
	}
}
