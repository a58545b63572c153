package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A record that can't be taken becomes a dead letter with its bytes, its reason and its origin; the valid events of
// the record are taken.
func TestDeadLetters(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		good := event(1)
		trace := kgo.RecordHeader{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}
		for _, value := range []string{
			`{"type":"track"`, // 0: no JSON
			`{"batch":[` + good + `,{"type":"dance","userId":"7"},{"type":"page"}]}`,                      // 1: one of an unknown type, one of nobody
			`{"batch":[{"type":"track","event":"x"},{"type":5}],"context":{"traits":{"email":"a@x.de"}}}`, // 2: the context is needed
			strings.Repeat("x", 2000), // 3: too large
			"",                        // 4: none
			`[` + event(2) + `]`,      // 5
		} {
			w.write(&kgo.Record{Key: []byte("k"), Value: []byte(value), Headers: []kgo.RecordHeader{trace}})
		}
		w.flush()
		c := w.consumer(func(c *Config) { c.Topics[0].MaxRecordBytes = 1000 })
		s := w.caughtUp(c)
		counts := s.Partitions[0].Counts
		if counts.Rejected != 4 || counts.WithoutIdentifier != 1 || counts.Empty != 1 || counts.DeadLetters != 4 || counts.Records != 6 {
			t.Errorf("%+v", counts)
		}
		w.took(3)
		var got []string
		for _, l := range w.letters() {
			h := func(key string) string { return string(header(l, key)) }
			got = append(got, fmt.Sprintf("%s %s/%s/%s/%s %s %d", h(headerCode), h(headerTopic), h(headerPartition), h(headerOffset), h(headerIndex), h(headerValue), len(l.Value)))
			if string(l.Key) != "k" || h("traceparent") != string(trace.Value) || h(headerReason) == "" || h(headerHint) == "" || h(headerTime) == "" {
				t.Errorf("%s: headers %+v", got[len(got)-1], l.Headers)
			}
		}
		want := []string{
			"invalid_json events/0/0/0 record 15", "unknown_type events/0/1/1 event 29",
			"bad_type events/0/2/1 record 91", "event_too_large events/0/3/0 record 2000",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		w.stop(c)
	})
}

// A record is not handled until the brokers have acknowledged its dead letter (C2), even if the process ends.
func TestDeadLettersNotWritten(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		var refuse atomic.Bool
		refuse.Store(true)
		w.fake.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
			w.fake.KeepControl()
			produce := request.(*kmsg.ProduceRequest)
			if !refuse.Load() || produce.TransactionID == nil && !letterRequest(w, produce) {
				return nil, nil, false
			}
			return nil, errors.New("connection lost"), true
		})
		for i := range 3 * batchRecords {
			value := event(i)
			if i == 20 {
				value = "{"
			}
			w.write(&kgo.Record{Value: []byte(value)})
		}
		w.flush()
		c := w.consumer()
		s := w.until("waits", c, func(s Status) bool { return len(s.Partitions) == 1 && s.Partitions[0].State == Waiting })
		if s.Partitions[0].Handled > 20 || !strings.Contains(s.Partitions[0].Error, DefaultDeadLetters) {
			t.Errorf("%+v", s.Partitions[0])
		}
		w.stop(c)
		positions, err := Positions(w.t.Context(), w.engine)
		if err != nil || positions[0].Offset > 20 {
			t.Errorf("the floor is %+v, %v", positions, err)
		}
		refuse.Store(false)
		c = w.consumer()
		w.caughtUp(c)
		w.took(3*batchRecords - 1)
		if letters := w.letters(); len(letters) != 1 || string(header(letters[0], headerOffset)) != "20" {
			t.Errorf("%d letters", len(letters))
		}
		w.stop(c)
	})
}

// letterRequest reports whether a request writes to the topic of dead letters.
func letterRequest(w *world, r *kmsg.ProduceRequest) bool {
	id := w.fake.TopicInfo(DefaultDeadLetters)
	for _, t := range r.Topics {
		if t.Topic == DefaultDeadLetters || id != nil && t.TopicID == id.TopicID {
			return true
		}
	}
	return false
}

// A letter that exceeds its topic's limit at least states where the record is.
func TestDeadLetterTooLarge(t *testing.T) {
	w := &letterWriter{ctx: t.Context(), topic: "letters"}
	var sent []*kgo.Record
	w.send = func(_ context.Context, r *kgo.Record, done func(*kgo.Record, error)) {
		sent = append(sent, r)
		if len(r.Value) > 0 {
			done(r, kerr.MessageTooLarge)
			return
		}
		done(r, nil)
	}
	acknowledged := make(chan struct{})
	letter := &kgo.Record{Value: []byte("x"), Headers: []kgo.RecordHeader{{Key: headerOffset, Value: []byte("7")}, {Key: headerValue, Value: []byte("record")}}}
	if err := w.write(t.Context(), letter, func(err error) { t.Error(err) }, func() { close(acknowledged) }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-acknowledged:
	case <-time.After(time.Minute):
		t.Fatal("never acknowledged")
	}
	if len(sent) != 2 || string(header(sent[1], headerOffset)) != "7" || string(header(sent[1], headerValue)) != "missing" {
		t.Errorf("%d sent", len(sent))
	}
}

// An event without an id gets one from its position, so that the engine recognises it when it is consumed again from
// the start, or as a retried dead letter.
func TestOrigins(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		for i := range 50 {
			w.write(&kgo.Record{Partition: int32(i % 2), Value: []byte(`[{"type":"track","event":"same","userId":"7"},{"type":"track","event":"same","userId":"7"}]`)})
		}
		w.flush()
		c := w.consumer()
		w.caughtUp(c)
		w.took(100)
		w.stop(c)
		positions, err := Positions(w.t.Context(), w.engine)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, p := range positions {
			if _, err := p.seek(w.t.Context(), &w.config, Target{}, false); err != nil {
				w.t.Fatal(err)
			}
		}
		c = w.consumer()
		s := w.caughtUp(c)
		if n := s.Partitions[0].Counts.Duplicates + s.Partitions[1].Counts.Duplicates; n != 100 {
			t.Errorf("%d of 100 events were known", n)
		}
		w.stop(c)
	})
	r := &kgo.Record{Partition: 3, Offset: 9}
	again := func(origin []byte) *kgo.Record {
		return &kgo.Record{Partition: 1, Offset: 1, Headers: []kgo.RecordHeader{{Key: headerOrigin, Value: origin}}}
	}
	one := appendOrigin(nil, "id", r, 2)
	if string(one) != "kafka:id/3/9/2" || string(appendOrigin(nil, "id", again(one), 0)) != string(one) {
		t.Errorf("%s", one)
	}
	whole := appendOriginPrefix(nil, "id", r)
	if string(appendOrigin(nil, "id", again(whole), 2)) != string(one) {
		t.Errorf("%s", whole)
	}
}

// The source comes from the header, or else from the topic.
func TestSources(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.config.Topics[0].Source = "shop"
		w.into.Options.SourcesApart = []string{"app"} // so that its ids are not those of shop
		for _, source := range []string{"", "app", "app"} {
			r := &kgo.Record{Value: []byte(`{"type":"track","event":"x","userId":"7","messageId":"m1"}`)}
			if source != "" {
				r.Headers = append(r.Headers, kgo.RecordHeader{Key: "source", Value: []byte(source)})
			}
			w.write(r)
		}
		w.flush()
		c := w.consumer()
		s := w.caughtUp(c)
		if n := s.Partitions[0].Counts; n.Accepted != 2 || n.Duplicates != 1 { // an id is one of its source
			t.Errorf("%+v", n)
		}
		w.stop(c)
	})
	for name, want := range map[string]string{"app": "app", strings.Repeat("x", 65): "sha256:", "a b": "sha256:"} {
		if got := string(sourceName([]byte(name))); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// Passing failures are retried; lasting ones are not.
func TestPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			err  error
			fail int // how often
			want int // attempts
		}{{kerr.CoordinatorNotAvailable, 3, 4}, {kerr.CoordinatorNotAvailable, 1000, patience + 1}, {kerr.GroupAuthorizationFailed, 1000, 1}, {nil, 0, 1}} {
			asked := 0
			err := patiently(t.Context(), func() error {
				if asked++; asked <= test.fail {
					return test.err
				}
				return nil
			})
			if asked != test.want || (err == nil) != (asked > test.fail) {
				t.Errorf("%v: asked %d times, %v", test.err, asked, err)
			}
		}
	})
}
