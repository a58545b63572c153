package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	// ErrUnknown is returned when an append may have happened, or may still happen.
	ErrUnknown = errors.New("journal: the outcome of an append is unknown; read the journal to learn it")
	// ErrRefused is returned when an append was not tried.
	ErrRefused = errors.New("journal: an append was not tried")
	// ErrClosed is returned after Close, and by a reader that another one replaced.
	ErrClosed = errors.New("journal: closed")
)

const (
	// appendDeadline is after how long an append's outcome is unknown. It is ours: the library's own would renumber what
	// is under way.
	appendDeadline = 10 * time.Second
	// waitingMost is the number of appends to a partition that the library may hold. A shard has one commit under way,
	// in parts; those that an earlier owner on this node gave up on count as well.
	waitingMost = 64
	// bufferedMost is the size of all appends that the library may hold.
	bufferedMost = 64 << 20
)

// producerOptions: acknowledged by all in-sync replicas, numbered so that brokers drop repetitions (the default of the
// library), sent at once, repeated for ever, and stopped by a sign that the brokers lost something.
func producerOptions() []kgo.Opt {
	return append(sharedOptions(),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(maxBatch),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
		kgo.MaxBufferedBytes(bufferedMost),
		kgo.StopProducerOnDataLossDetected(),
	)
}

// pending is an append without an answer to its caller.
type pending struct {
	answered atomic.Bool
	done     func(offset int64, err error)
}

// answer tells the caller, if nobody did before, and reports whether it did.
func (p *pending) answer(offset int64, err error) bool {
	first := p.answered.CompareAndSwap(false, true)
	if first {
		p.done(offset, err)
	}
	return first
}

// Append appends a record to a partition. done is called once, from any goroutine, perhaps before Append returns, and
// must not block: with the record's offset, or with an error (W1). The Log owns value until then, and where the outcome is
// unknown for good. Appends to one partition keep their order.
func (l *Log) Append(partition int32, value []byte, done func(offset int64, err error)) {
	producer, err := l.begin(partition, len(value))
	if err != nil {
		done(-1, err)
		return
	}
	p := &pending{done: done}
	timer := time.AfterFunc(appendDeadline, func() {
		if p.answer(-1, fmt.Errorf("%w: no answer for %v", ErrUnknown, appendDeadline)) {
			l.stats.unknown.Add(1)
		}
	})
	record := &kgo.Record{Topic: l.config.Layout.Topic, Partition: partition, Value: value}
	producer.TryProduce(context.Background(), record, func(r *kgo.Record, err error) {
		timer.Stop()
		l.end(partition)
		switch {
		case errors.Is(err, kgo.ErrMaxBuffered): // the library says so before it keeps the record
			p.answer(-1, fmt.Errorf("%w: %d bytes wait already; check that the brokers answer", ErrRefused, bufferedMost))
		case err != nil:
			l.discard(producer)
			if p.answer(-1, fmt.Errorf("%w: %w", ErrUnknown, err)) {
				l.stats.unknown.Add(1)
			}
		case r.Offset < 0: // a repetition that the broker dropped, and it no longer knows where the first is
			if p.answer(-1, fmt.Errorf("%w: the broker names no offset", ErrUnknown)) {
				l.stats.unknown.Add(1)
			}
		default:
			if p.answer(r.Offset, nil) {
				l.stats.appends.Add(1)
				l.stats.bytes.Add(uint64(len(value)))
			}
		}
	})
}

// begin admits an append, and returns the client for it.
func (l *Log) begin(partition int32, size int) (*kgo.Client, error) {
	if size > MaxRecord {
		return nil, fmt.Errorf("%w: it has %d bytes, and %d are the most; cut it into parts", ErrRefused, size, MaxRecord)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, fmt.Errorf("%w: %w", ErrRefused, ErrClosed)
	case partition < 0 || int(partition) >= len(l.waiting):
		return nil, fmt.Errorf("%w: partition %d of %d", ErrRefused, partition, len(l.waiting))
	case l.waiting[partition] >= waitingMost:
		return nil, fmt.Errorf("%w: %d wait already for partition %d; check that its brokers answer", ErrRefused, waitingMost, partition)
	}
	if l.producer == nil {
		producer, err := l.config.Connection.Client(l.config.Logger, producerOptions()...)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRefused, err)
		}
		l.producer = producer
	}
	l.waiting[partition]++
	return l.producer, nil
}

func (l *Log) end(partition int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[partition]--
}

// discard throws a client away: the next append makes another. Closing it answers what it holds, so it happens on a
// goroutine of its own: discard is called by the library.
func (l *Log) discard(producer *kgo.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.producer != producer {
		return
	}
	l.producer = nil
	l.stats.discarded.Add(1)
	l.closing.Go(producer.Close)
}
