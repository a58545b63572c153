package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/internal/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config describes a journal's topic, and how to reach it.
type Config struct {
	Connection broker.Connection
	Layout     Layout
	// ID is the topic that earlier records of this deployment are in. The zero value accepts any.
	ID     TopicID
	Logger *slog.Logger // of the client library's errors; default: discards them
}

// Log is a journal's topic, open for appending, reading and trimming. It is for any number of goroutines.
//
// It has two clients. The one that appends is thrown away after any error that its library reports: what was under way
// has an unknown outcome (W1), and the numbers by which brokers drop repeated records are then no longer sound. The one
// that reads and administers lives as long as the Log.
type Log struct {
	config Config
	id     TopicID
	reader *kgo.Client
	admin  *kadm.Client
	follow *follower

	mu       sync.Mutex // guards the following
	producer *kgo.Client
	waiting  []int // appends without an answer from the library, by partition
	closed   bool

	closing sync.WaitGroup // of producers that were thrown away
	stats   stats
}

// Stats counts what a Log did.
type Stats struct {
	Appends   uint64 // answered with an offset
	Bytes     uint64 // of their values
	Unknown   uint64 // appends whose outcome is unknown
	Discarded uint64 // clients thrown away after an error
}

type stats struct{ appends, bytes, unknown, discarded atomic.Uint64 }

// Both clients look for the new leader of a partition soon, and often: the library's own pause between two looks is half
// of appendDeadline.
const (
	leaderAge    = 100 * time.Millisecond
	backoffFirst = 50 * time.Millisecond
	backoffMost  = time.Second
)

func sharedOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.MetadataMinAge(leaderAge),
		kgo.RetryBackoffFn(func(tries int) time.Duration {
			return min(backoffMost, backoffFirst<<min(tries, 10))
		}),
	}
}

// Open checks the topic and connects. It writes nothing.
func Open(ctx context.Context, c Config) (*Log, error) {
	reader, err := c.Connection.Client(c.Logger, followOptions()...)
	if err != nil {
		return nil, err
	}
	l := &Log{config: c, reader: reader, admin: kadm.NewClient(reader), waiting: make([]int, max(c.Layout.Partitions, 0))}
	if l.id, err = c.Layout.inspect(ctx, l.admin, c.ID); err != nil {
		reader.Close()
		return nil, err
	}
	l.follow = newFollower(c.Layout.Topic, reader, l.Ranges)
	return l, nil
}

// ID returns the id of the topic.
func (l *Log) ID() TopicID { return l.id }

// Stats returns what the Log did so far.
func (l *Log) Stats() Stats {
	return Stats{l.stats.appends.Load(), l.stats.bytes.Load(), l.stats.unknown.Load(), l.stats.discarded.Load()}
}

// Verify reports whether the topic is still the one that Open found, with every setting as it must be.
func (l *Log) Verify(ctx context.Context) error {
	_, err := l.config.Layout.inspect(ctx, l.admin, l.id)
	return err
}

// Range is what a partition holds: offsets from Start up to, and without, End.
type Range struct{ Start, End int64 }

// Ranges returns what all partitions hold.
func (l *Log) Ranges(ctx context.Context) ([]Range, error) {
	starts, err := l.admin.ListStartOffsets(ctx, l.config.Layout.Topic)
	if err != nil {
		return nil, fmt.Errorf("journal: ask where topic %s begins: %w", l.config.Layout.Topic, err)
	}
	ends, err := l.admin.ListEndOffsets(ctx, l.config.Layout.Topic)
	if err != nil {
		return nil, fmt.Errorf("journal: ask where topic %s ends: %w", l.config.Layout.Topic, err)
	}
	if err := errors.Join(starts.Error(), ends.Error()); err != nil {
		return nil, fmt.Errorf("journal: ask what topic %s holds: %w", l.config.Layout.Topic, err)
	}
	ranges := make([]Range, l.config.Layout.Partitions)
	for p := range ranges {
		start, ok := starts.Lookup(l.config.Layout.Topic, int32(p))
		end, also := ends.Lookup(l.config.Layout.Topic, int32(p))
		if !ok || !also {
			return nil, fmt.Errorf("journal: topic %s: no answer for partition %d; check that all brokers are up", l.config.Layout.Topic, p)
		}
		ranges[p] = Range{start.Offset, end.Offset}
	}
	return ranges, nil
}

// Since returns, of all partitions, the offset of the first record that the brokers have taken at a time or later; where the
// partition ends if there is none.
func (l *Log) Since(ctx context.Context, at time.Time) ([]int64, error) {
	topic := l.config.Layout.Topic
	listed, err := l.admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("journal: ask what topic %s has since %v: %w", topic, at, err)
	}
	offsets := make([]int64, l.config.Layout.Partitions)
	for p := range offsets {
		found, ok := listed.Lookup(topic, int32(p))
		if !ok {
			return nil, fmt.Errorf("journal: topic %s: no answer for partition %d; check that all brokers are up", topic, p)
		}
		offsets[p] = found.Offset
	}
	return offsets, nil
}

// Close disconnects. Appends under way get ErrUnknown, readers ErrClosed. It is safe twice.
func (l *Log) Close() {
	l.mu.Lock()
	producer := l.producer
	l.producer, l.closed = nil, true
	l.mu.Unlock()
	if producer != nil {
		producer.Close()
	}
	l.closing.Wait()
	l.follow.close()
	l.reader.Close()
}
