package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DeadLetter is a dead letter as operators see it.
type DeadLetter struct {
	Partition int32     `json:"partition"` // of the letter itself
	Offset    int64     `json:"offset"`    // likewise
	Time      time.Time `json:"time"`      // when the letter was written
	Code      string    `json:"code"`
	Field     string    `json:"field,omitempty"`
	Reason    string    `json:"reason"`
	Hint      string    `json:"hint,omitempty"`
	Origin    string    `json:"origin"` // topic/partition/offset/index
	Holds     string    `json:"holds"`  // event, record, or missing: see Value
	Value     []byte    `json:"value,omitempty"`

	record *kgo.Record
}

func readLetter(r *kgo.Record) DeadLetter {
	text := func(key string) string { return string(header(r, key)) }
	return DeadLetter{
		Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp.UTC(),
		Code: text(headerCode), Field: text(headerField), Reason: text(headerReason), Hint: text(headerHint),
		Origin: strings.Join([]string{text(headerTopic), text(headerPartition), text(headerOffset), text(headerIndex)}, "/"),
		Holds:  text(headerValue), Value: r.Value, record: r,
	}
}

// letterTopic is the topic of dead letters.
func (c *Config) letterTopic() string {
	if c.DeadLetters.Topic != "" {
		return c.DeadLetters.Topic
	}
	return DefaultDeadLetters
}

// ReadDeadLetters calls each for every dead letter that exists now, from the given offsets or from the first letter.
// It stops at the first error of each, and returns the offsets after the letters it read.
func (c *Config) ReadDeadLetters(ctx context.Context, from kadm.Offsets, each func(DeadLetter) error) (kadm.Offsets, error) {
	topic := c.letterTopic()
	admin, err := c.admin()
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	begin, end, err := bounds(ctx, admin, topic)
	if err != nil {
		return nil, err
	}
	after := make(kadm.Offsets)
	starts := make(map[int32]kgo.Offset)
	left := make(map[int32]int64) // end offsets of the partitions that are not finished, as of now: letters go on arriving
	for partition, first := range begin {
		at := first
		if o, ok := from.Lookup(topic, partition); ok {
			at = max(at, o.At)
		}
		after.AddOffset(topic, partition, at, -1)
		if at < end[partition] {
			starts[partition], left[partition] = kgo.NewOffset().At(at), end[partition]
		}
	}
	if len(left) == 0 {
		return after, nil
	}
	client, err := c.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for len(left) > 0 {
		polling, cancel := context.WithTimeout(ctx, askTimeout)
		fetches := client.PollFetches(polling)
		cancel()
		if err := fetches.Err(); err != nil {
			return after, fmt.Errorf("read topic %s: %w", topic, err)
		}
		for _, r := range fetches.Records() {
			last, wanted := left[r.Partition]
			if !wanted || r.Offset >= last {
				delete(left, r.Partition)
				continue
			}
			if !r.Attrs.IsControl() {
				if err := each(readLetter(r)); err != nil {
					return after, err
				}
			}
			after.AddOffset(topic, r.Partition, r.Offset+1, -1)
			if r.Offset+1 >= last {
				delete(left, r.Partition)
			}
		}
	}
	return after, nil
}

// bounds returns the first and the end offsets of a topic's partitions.
func bounds(ctx context.Context, admin *kadm.Client, topic string) (begin, end map[int32]int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	read := func(list func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
		listed, err := list(ctx, topic)
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", topic, err)
		}
		at := make(map[int32]int64)
		listed.Each(func(o kadm.ListedOffset) { at[o.Partition] = o.Offset })
		return at, nil
	}
	if begin, err = read(admin.ListStartOffsets); err != nil {
		return nil, nil, err
	}
	end, err = read(admin.ListEndOffsets)
	return begin, end, err
}

// Retry selects the dead letters to write again, and the topic to write them to.
type Retry struct {
	To   string // topic; default: the topic of origin
	Code string // only letters with this code
	All  bool   // from the first letter on, not only those after the last retry
	Dry  bool   // only count
}

// Retried counts the letters of a retry.
type Retried struct {
	Written int `json:"written"`
	Skipped int `json:"skipped"` // had another code
	Missing int `json:"missing"` // were too large to hold their record
}

// retryBatch is the number of letters after which a retry saves its progress.
const retryBatch = 1000

// RetryDeadLetters writes dead letters to their topics of origin, or another, so that they are consumed once more. It
// keeps its progress as a committed offset of a group named Group + "-retry".
//
//	letters ──► waiting, up to retryBatch ──► written, acknowledged ──► offsets committed
//
// A run that breaks off between the last two steps writes up to retryBatch letters again. They carry the id of their
// origin (headerOrigin), so an event without an id of its own is the same event each time, and counts once.
func (c *Config) RetryDeadLetters(ctx context.Context, how Retry) (done Retried, err error) {
	with := *c
	with.setDefaults()
	admin, err := c.admin()
	if err != nil {
		return done, err
	}
	defer admin.Close()
	group := orDefault(with.Group, DefaultGroup) + "-retry"
	from, err := retriedTo(ctx, admin, group, how.All)
	if err != nil {
		return done, err
	}
	writer, err := c.client(kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchMaxBytes(16<<20))
	if err != nil {
		return done, err
	}
	defer writer.Close()
	var waiting []*kgo.Record
	at := make(kadm.Offsets)
	flush := func() error {
		if how.Dry || len(at) == 0 {
			return nil
		}
		if err := writer.ProduceSync(ctx, waiting...).FirstErr(); err != nil {
			return fmt.Errorf("write again: %w", err)
		}
		waiting = waiting[:0]
		return patiently(ctx, func() error { return admin.CommitAllOffsets(ctx, group, at) })
	}
	after, err := c.ReadDeadLetters(ctx, from, func(l DeadLetter) error {
		switch {
		case how.Code != "" && l.Code != how.Code:
			done.Skipped++
		case l.Holds == "missing":
			done.Missing++
		default:
			done.Written++
			if !how.Dry {
				waiting = append(waiting, again(l.record, how.To))
			}
		}
		at.AddOffset(l.record.Topic, l.Partition, l.Offset+1, -1)
		if len(waiting) < retryBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return done, err
	}
	at = after
	return done, flush()
}

// retriedTo returns the progress of the last retry.
func retriedTo(ctx context.Context, admin *kadm.Client, group string, all bool) (kadm.Offsets, error) {
	if all {
		return nil, nil
	}
	var found kadm.OffsetResponses
	err := patiently(ctx, func() (err error) {
		found, err = admin.FetchOffsets(ctx, group)
		return err
	})
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the offsets of group %s: %w", group, err)
	}
	return found.Offsets(), nil
}

// patience is how many times a command asks again when brokers can't answer yet: those of a new cluster need a moment
// before they know any group.
const patience = 10

// patiently repeats ask while its error is a passing one.
func patiently(ctx context.Context, ask func() error) error {
	for attempt := 0; ; attempt++ {
		err := ask()
		if err == nil || !kerr.IsRetriable(err) || attempt == patience {
			return err
		}
		if err := retry.Pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// again returns the original record of a letter: its key, its value and its own headers, and the one of ours that names
// the origin. Without that, a second rejection would take the letter's new place for the origin.
func again(letter *kgo.Record, to string) *kgo.Record {
	r := &kgo.Record{Topic: to, Key: letter.Key, Value: letter.Value}
	if to == "" {
		r.Topic = string(header(letter, headerTopic))
	}
	for _, h := range letter.Headers {
		if !strings.HasPrefix(h.Key, headerPrefix) || h.Key == headerOrigin {
			r.Headers = append(r.Headers, h)
		}
	}
	return r
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
