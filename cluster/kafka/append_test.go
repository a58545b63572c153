package kafka

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (w *world) produceFault(err *kerr.Error, count int) *kfake.FaultHandle {
	return w.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: w.config.Layout.Topic, Err: err, Count: count})
}

// Appends to a partition have the offsets of their order.
func TestAppendKeepsOrder(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		l := w.open()
		defer l.Close()
		var answers []<-chan answer
		for i := range 20 {
			answers = append(answers, start(l, int32(i%2), fmt.Sprint(i)))
		}
		for i, c := range answers {
			if a := <-c; a.err != nil || a.offset != int64(i/2) {
				t.Errorf("append %d: offset %d, %v", i, a.offset, a.err)
			}
		}
		if got := l.Stats(); got.Appends != 20 || got.Bytes != 30 || got.Unknown != 0 || got.Discarded != 0 {
			t.Errorf("stats: %+v", got)
		}
	})
}

// An acknowledgement that is lost is asked for again, and the broker drops the repetition: one record, one offset.
func TestLostAcknowledgement(t *testing.T) {
	for _, lost := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.NotLeaderForPartition, kerr.NotEnoughReplicas} {
		t.Run(lost.Message, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				l := w.open()
				defer l.Close()
				must(t, l, 0, "a")
				fault := w.produceFault(lost, 3)
				b := must(t, l, 0, "b")
				c := must(t, l, 0, "c")
				if b != 1 || c != 2 || fault.Hits() != 3 {
					t.Errorf("offsets %d and %d after %d faults", b, c, fault.Hits())
				}
				if got, err := read(t.Context(), l, 0, 0, c); err != nil || text(got) != "0=a 1=b 2=c " {
					t.Errorf("%s%v", text(got), err)
				}
			})
		})
	}
}

// W1: after ten seconds the outcome is unknown, and the record may land later, before what is appended then.
func TestDeadline(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		l := w.open()
		defer l.Close()
		must(t, l, 0, "a")
		fault := w.produceFault(kerr.NotEnoughReplicas, -1)
		begun := time.Now()
		c := start(l, 0, "late")
		if a := <-c; !errors.Is(a.err, ErrUnknown) || time.Since(begun) != appendDeadline {
			t.Fatalf("after %v: %v", time.Since(begun), a.err)
		}
		next := start(l, 0, "next")
		fault.Remove()
		if a := <-next; a.err != nil || a.offset != 2 {
			t.Fatalf("offset %d, %v", a.offset, a.err)
		}
		if got, err := read(t.Context(), l, 0, 0, 2); err != nil || text(got) != "0=a 1=late 2=next " {
			t.Errorf("%s%v", text(got), err)
		}
		if len(c) != 0 {
			t.Error("answered twice")
		}
		if got := l.Stats(); got.Appends != 2 || got.Unknown != 1 {
			t.Errorf("stats: %+v", got)
		}
	})
}

// A sign of lost data ends every append under way with an unknown outcome, and the next ones go through a new client.
func TestDataLoss(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		l := w.open()
		defer l.Close()
		must(t, l, 0, "a")
		w.produceFault(kerr.OutOfOrderSequenceNumber, 1)
		if a := <-start(l, 0, "b"); !errors.Is(a.err, ErrUnknown) || !errors.Is(a.err, kerr.OutOfOrderSequenceNumber) {
			t.Fatalf("offset %d, %v", a.offset, a.err)
		}
		for p := range int32(2) {
			must(t, l, p, "c")
		}
		if got := l.Stats(); got.Discarded != 1 || got.Unknown != 1 {
			t.Errorf("stats: %+v", got)
		}
	})
}

// W4: what waits for brokers that do not answer is bounded, and what is above is refused, not unknown.
func TestAppendsAreBounded(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		l := w.open()
		fault := w.produceFault(kerr.NotEnoughReplicas, -1)
		var waiting []<-chan answer
		for range waitingMost {
			waiting = append(waiting, start(l, 0, "x"))
		}
		for _, refused := range []<-chan answer{start(l, 0, "y"), start(l, 7, "z"), start(l, 1, strings.Repeat("z", MaxRecord+1))} {
			if a := <-refused; !errors.Is(a.err, ErrRefused) || errors.Is(a.err, ErrUnknown) {
				t.Errorf("offset %d, %v", a.offset, a.err)
			}
		}
		var bytes []<-chan answer
		for range bufferedMost / MaxRecord {
			bytes = append(bytes, start(l, 1, strings.Repeat("x", MaxRecord)))
		}
		if a := <-start(l, 2, strings.Repeat("x", MaxRecord)); !errors.Is(a.err, ErrRefused) {
			t.Errorf("offset %d, %v", a.offset, a.err)
		}
		fault.Remove()
		for _, c := range append(waiting, bytes...) {
			if a := <-c; a.err != nil {
				t.Fatal(a.err)
			}
		}
		must(t, l, 2, strings.Repeat("x", MaxRecord))
		l.Close()
	})
}

// Close answers what is under way.
func TestCloseAnswers(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		l := w.open()
		w.produceFault(kerr.NotEnoughReplicas, -1)
		c := start(l, 0, "x")
		synctest.Wait()
		l.Close()
		l.Close()
		if a := <-c; !errors.Is(a.err, ErrUnknown) {
			t.Errorf("offset %d, %v", a.offset, a.err)
		}
		if a := <-start(l, 0, "y"); !errors.Is(a.err, ErrRefused) || !errors.Is(a.err, ErrClosed) {
			t.Errorf("offset %d, %v", a.offset, a.err)
		}
	})
}
