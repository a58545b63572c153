package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is a record of a partition.
type Record struct {
	Offset int64
	Value  []byte
}

// Batch is what a reader got at once.
type Batch struct {
	Records []Record // in order; offsets between them, and before the first, held no record (W2)
	End     int64    // where the partition ended when they were read
}

// TrimmedError means that a reader's next offset was trimmed away: a copy that needs it must be made again from a peer.
type TrimmedError struct {
	Partition   int32
	Next, Start int64
}

func (e *TrimmedError) Error() string {
	return fmt.Sprintf("journal: partition %d begins at offset %d, and %d was asked for; copy the shard from another node", e.Partition, e.Start, e.Next)
}

// ShortError means that a partition lost records that were acknowledged: it ends before a reader's next offset, or what
// is there was replaced.
type ShortError struct {
	Partition int32
	Next, End int64
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("journal: partition %d ends at offset %d, and records up to %d were read: the brokers lost records; stop the nodes, and start a new journal from their newest copies (\"kindred cluster reseed\")", e.Partition, e.End, e.Next)
}

const (
	readAhead     = 2 << 20 // bytes of a partition that wait for its reader; then no more is fetched
	fetchMost     = 8 << 20 // bytes of one fetch from one broker, compressed
	fetchEach     = 1 << 20 // of one partition; a larger batch comes alone
	fetchPatience = time.Second
	// retryAfter is the pause after an error of a partition that may pass by itself.
	retryAfter = 100 * time.Millisecond
)

// followOptions: read what is there, committed by a transaction or not, so that all readers agree whenever they read; and
// never move to another offset than the one asked for.
func followOptions() []kgo.Opt {
	return append(sharedOptions(),
		kgo.FetchIsolationLevel(kgo.ReadUncommitted()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(fetchMost),
		kgo.FetchMaxPartitionBytes(fetchEach),
		kgo.FetchMaxWait(fetchPatience),
	)
}

// Reader reads one partition, for one goroutine.
type Reader struct {
	follower  *follower
	partition int32
	number    uint64        // in the order of Follow
	news      chan struct{} // of one: something below changed

	mu     sync.Mutex // guards the following
	queue  []Record
	size   int   // of queue
	next   int64 // the first offset that was not queued
	end    int64
	err    error // why nothing more comes
	paused bool
}

// Follow reads a partition from an offset on. Only one reader reads a partition: the one before gets ErrClosed.
func (l *Log) Follow(partition int32, from int64) (*Reader, error) {
	if partition < 0 || int(partition) >= l.config.Layout.Partitions {
		return nil, fmt.Errorf("journal: partition %d of %d", partition, l.config.Layout.Partitions)
	}
	if from < 0 {
		return nil, fmt.Errorf("journal: partition %d: offset %d; offsets begin with 0", partition, from)
	}
	r := &Reader{follower: l.follow, partition: partition, number: l.follow.number.Add(1), news: make(chan struct{}, 1), next: from}
	return r, l.follow.add(r)
}

// Next waits for records. After TrimmedError or ShortError nothing comes any more: close the reader.
func (r *Reader) Next(ctx context.Context) (Batch, error) {
	for {
		r.mu.Lock()
		batch, err := Batch{r.queue, r.end}, r.err
		r.queue, r.size = nil, 0
		resume := r.paused
		r.paused = false
		r.mu.Unlock()
		if resume {
			r.follower.resume(r)
		}
		if len(batch.Records) > 0 {
			return batch, nil
		}
		if err != nil {
			if err = r.judge(ctx, err); err != nil {
				return Batch{}, err
			}
			continue
		}
		select {
		case <-r.news:
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
}

// judge finds out what an error of the partition means. It returns nil where reading goes on.
func (r *Reader) judge(ctx context.Context, err error) error {
	if errors.Is(err, ErrClosed) || errors.Is(err, kerr.UnknownTopicID) {
		return err
	}
	var loss *kgo.ErrDataLoss
	if errors.As(err, &loss) {
		return &ShortError{r.partition, loss.ConsumedTo, loss.ResetTo}
	}
	ranges, asked := r.follower.ranges(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if asked == nil {
		switch at := ranges[r.partition]; {
		case r.next < at.Start:
			return &TrimmedError{r.partition, r.next, at.Start}
		case r.next > at.End:
			return &ShortError{r.partition, r.next, at.End}
		}
	}
	select { // a leader that is not yet as far, a broker that is away: it passes
	case <-time.After(retryAfter):
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	if errors.Is(r.err, ErrClosed) { // meanwhile
		err = r.err
	} else {
		r.err, err = nil, nil
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	return r.follower.add(r)
}

// Close stops reading. It is safe twice.
func (r *Reader) Close() { r.follower.remove(r) }

// take queues records, and reports whether to fetch no more for now. Only the follower calls it.
func (r *Reader) take(p *kgo.FetchPartition) (full bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range p.Records {
		if record.Offset < r.next {
			continue // the beginning of a batch whose end was asked for
		}
		r.queue = append(r.queue, Record{record.Offset, record.Value})
		r.size += len(record.Value)
		r.next = record.Offset + 1
	}
	r.end = max(p.HighWatermark, r.next)
	r.signal()
	full = r.size > readAhead && !r.paused
	r.paused = r.paused || full
	return full
}

// fail ends reading. Only the first error counts.
func (r *Reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil || errors.Is(err, ErrClosed) {
		r.err = err
	}
	r.signal()
}

func (r *Reader) closed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Is(r.err, ErrClosed)
}

func (r *Reader) signal() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// follower fetches for all readers, with one client.
//
// One goroutine polls, and it alone adds partitions to the client and removes them: what a poll returned is handed out
// before a partition's reader changes, so no reader gets what was fetched for another one, from another offset.
type follower struct {
	topic  string
	client *kgo.Client
	ranges func(context.Context) ([]Range, error)
	done   chan struct{}
	number atomic.Uint64 // of the last reader

	mu      sync.Mutex // guards the following
	changes []change
	wake    context.CancelFunc // ends the poll under way
	closed  bool

	readers map[int32]*Reader // of the polling goroutine
}

type change struct {
	reader *Reader
	do     func(f *follower, r *Reader)
}

func newFollower(topic string, client *kgo.Client, ranges func(context.Context) ([]Range, error)) *follower {
	f := &follower{topic: topic, client: client, ranges: ranges, done: make(chan struct{}), wake: func() {}, readers: map[int32]*Reader{}}
	go f.run()
	return f
}

func (f *follower) add(r *Reader) error    { return f.change(r, (*follower).start) }
func (f *follower) remove(r *Reader)       { _ = f.change(r, (*follower).stop) }
func (f *follower) resume(r *Reader)       { _ = f.change(r, (*follower).unpause) }
func (f *follower) only(p int32) parts     { return parts{f.topic: {p}} }
func (f *follower) reads(r *Reader) bool   { return f.readers[r.partition] == r }
func (f *follower) forget(partition int32) { f.client.RemoveConsumePartitions(f.only(partition)) }

type parts = map[string][]int32

func (f *follower) change(r *Reader, do func(*follower, *Reader)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrClosed
	}
	f.changes = append(f.changes, change{r, do})
	f.wake()
	return nil
}

func (f *follower) close() {
	f.mu.Lock()
	f.closed = true
	f.wake()
	f.mu.Unlock()
	<-f.done
}

// run polls until the follower is closed.
func (f *follower) run() {
	defer close(f.done)
	for {
		ctx, cancel := context.WithCancel(context.Background())
		f.mu.Lock()
		changes, closed := f.changes, f.closed
		f.changes, f.wake = nil, cancel
		f.mu.Unlock()
		for _, c := range changes {
			c.do(f, c.reader)
		}
		if closed {
			cancel()
			for _, r := range f.readers {
				r.fail(ErrClosed)
			}
			return
		}
		f.client.PollFetches(ctx).EachPartition(func(p kgo.FetchTopicPartition) {
			if p.Topic == f.topic {
				f.hand(&p.FetchPartition)
			}
		})
		cancel()
	}
}

// hand gives what was fetched to the partition's reader.
func (f *follower) hand(p *kgo.FetchPartition) {
	r := f.readers[p.Partition]
	if r == nil {
		return
	}
	trimmed := len(p.Records) > 0 && p.Records[0].Offset > r.next && p.LogStartOffset > r.next
	if len(p.Records) > 0 && !trimmed && r.take(p) {
		f.client.PauseFetchPartitions(f.only(p.Partition))
	}
	if err := p.Err; err != nil || trimmed {
		if trimmed {
			err = kerr.OffsetOutOfRange
		}
		f.forget(p.Partition)
		delete(f.readers, p.Partition)
		r.fail(err)
	}
}

// start begins to read, or begins again after an error that passes.
func (f *follower) start(r *Reader) {
	if r.closed() {
		return
	}
	if before := f.readers[r.partition]; before != nil && before.number > r.number {
		r.fail(ErrClosed)
		return
	} else if before != nil {
		before.fail(ErrClosed)
		f.forget(r.partition)
	}
	f.readers[r.partition] = r
	f.client.ResumeFetchPartitions(f.only(r.partition))
	f.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{f.topic: {r.partition: kgo.NewOffset().At(r.next)}})
}

func (f *follower) stop(r *Reader) {
	r.fail(ErrClosed)
	if f.reads(r) {
		f.forget(r.partition)
		delete(f.readers, r.partition)
	}
}

func (f *follower) unpause(r *Reader) {
	if f.reads(r) {
		f.client.ResumeFetchPartitions(f.only(r.partition))
	}
}
