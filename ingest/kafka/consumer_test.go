package kafka

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Every event is taken once, over a restart.
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

// Whoever moves the offsets of the group moves nothing here, and is told so.
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
