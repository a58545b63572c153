package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kindred-id/kindred/ingest/segment"
)

// deadLetter returns the letter for a rejected event: its bytes as they were in the record, or the whole record if
// raw is nil, with the reason and the origin as headers.
func deadLetter(t *Topic, identity string, r *kgo.Record, index int, raw []byte, why *segment.Rejection) *kgo.Record {
	what, origin := "event", appendOrigin(nil, identity, r, index)
	if raw == nil {
		raw, what, origin = r.Value, "record", appendOriginPrefix(nil, identity, r)
	}
	number := func(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
	letter := &kgo.Record{Key: r.Key, Value: raw}
	for _, h := range r.Headers {
		if !strings.HasPrefix(h.Key, headerPrefix) { // drop those of an earlier attempt
			letter.Headers = append(letter.Headers, h)
		}
	}
	for _, h := range []kgo.RecordHeader{
		{Key: headerCode, Value: []byte(why.Code)},
		{Key: headerField, Value: []byte(why.Field)},
		{Key: headerReason, Value: []byte(why.Message)},
		{Key: headerHint, Value: []byte(why.Hint)},
		{Key: headerTopic, Value: []byte(r.Topic)},
		{Key: headerPartition, Value: number(int64(r.Partition))},
		{Key: headerOffset, Value: number(r.Offset)},
		{Key: headerIndex, Value: number(int64(index))},
		{Key: headerTime, Value: number(r.Timestamp.UnixMilli())},
		{Key: headerFormat, Value: []byte(t.Format)},
		{Key: headerValue, Value: []byte(what)},
		{Key: headerOrigin, Value: origin},
	} {
		if len(h.Value) > 0 {
			letter.Headers = append(letter.Headers, h)
		}
	}
	return letter
}

// letterWriter writes dead letters, and retries each until the brokers acknowledge it. Partitions wait for that before
// they pass the record (C2): a letter that is given up would lose the event without a trace.
//
// A letter above the limit of the topic can't succeed however often it is tried. It is written without its value then,
// and says where the record is. ctx outlives the intake of records: at the end, letters under way are still written.
type letterWriter struct {
	ctx   context.Context // ends the writing
	topic string
	send  func(ctx context.Context, r *kgo.Record, done func(*kgo.Record, error))
	ready atomic.Bool // the topic exists
}

func newLetterWriter(ctx context.Context, client *kgo.Client, topic string) *letterWriter {
	return &letterWriter{ctx: ctx, topic: topic, send: client.Produce}
}

// write writes a letter. It waits for room among those in progress. It calls acknowledged once the brokers have the
// letter, and trouble at each failure before, from any goroutine.
func (w *letterWriter) write(ctx context.Context, letter *kgo.Record, trouble func(error), acknowledged func()) error {
	letter.Topic = w.topic
	w.try(letter, 0, trouble, acknowledged)
	return ctx.Err()
}

// try writes a letter once, and after a failure again later, on a goroutine of its own timer: the client calls back on
// a goroutine that must not wait.
func (w *letterWriter) try(letter *kgo.Record, attempt int, trouble func(error), acknowledged func()) {
	w.send(w.ctx, letter, func(_ *kgo.Record, err error) {
		if err == nil {
			acknowledged()
			return
		}
		if w.ctx.Err() != nil {
			return
		}
		again := letter
		if errors.Is(err, kerr.MessageTooLarge) && len(letter.Value) > 0 {
			again = withoutValue(letter)
		} else {
			trouble(fmt.Errorf("write dead letters to topic %s: %w", w.topic, err))
		}
		time.AfterFunc(retry.Random(attempt), func() {
			if w.ctx.Err() == nil {
				w.try(again, attempt+1, trouble, acknowledged)
			}
		})
	})
}

// withoutValue returns a letter without the record's value, for a topic with a lower limit: it states where the record
// is.
func withoutValue(letter *kgo.Record) *kgo.Record {
	small := &kgo.Record{Topic: letter.Topic}
	for _, h := range letter.Headers {
		if h.Key == headerValue {
			h.Value = []byte("missing")
		}
		small.Headers = append(small.Headers, h)
	}
	return small
}

// deadLetterDays is the retention of a topic of dead letters that we create.
const deadLetterDays = 30

// prepare finds the topic of dead letters, and creates it if allowed. Nothing is consumed before it succeeds.
func (w *letterWriter) prepare(ctx context.Context, admin *kadm.Client, create bool) error {
	if w.ready.Load() {
		return nil
	}
	found, err := admin.ListTopics(ctx, w.topic)
	if err != nil {
		return fmt.Errorf("ask for the topic of dead letters: %w", err)
	}
	err = found[w.topic].Err
	if errors.Is(err, kerr.UnknownTopicOrPartition) && create {
		retention := strconv.FormatInt((deadLetterDays * 24 * time.Hour).Milliseconds(), 10)
		var made kadm.CreateTopicResponse
		made, err = admin.CreateTopic(ctx, 1, -1, map[string]*string{"retention.ms": &retention}, w.topic)
		if err == nil {
			err = made.Err
		}
		if errors.Is(err, kerr.TopicAlreadyExists) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("topic %s for dead letters: %w (create it, or let this user do so, or name another: --kafka-dead-letters)", w.topic, err)
	}
	w.ready.Store(true)
	return nil
}
