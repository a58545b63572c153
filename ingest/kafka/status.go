package kafka

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kindred-id/kindred/ingest/segment"
)

// State is the state of a partition or a topic.
type State string

// The states.
const (
	Starting  State = "starting"
	Consuming State = "consuming"
	Waiting   State = "waiting" // for what Error says, which is retried
	Halted    State = "halted"  // for the reason in Error, with what an operator can do
)

// Status is the status of a consumer.
type Status struct {
	// Brokers is why the brokers can't be asked; empty if they can.
	Brokers string
	// Topics are those that are absent or may not be read.
	Topics []TopicStatus
	// Partitions are in the order of topic and number.
	Partitions []PartitionStatus
}

// TopicStatus states why a topic is not consumed.
type TopicStatus struct {
	Topic string
	Error string
}

// PartitionStatus is the status of one partition.
type PartitionStatus struct {
	Topic     string
	Partition int32
	State     State
	Error     string
	Since     time.Time // of the state
	// Handled is the offset below which everything is handled, and End is the offset of the next record to be written;
	// -1 while unknown.
	Handled, End int64
	// Lag is the number of records that are not handled: an upper bound, because offsets may have gaps.
	Lag int64
	// LagTime is the age of the first of them; 0 if everything is handled.
	LagTime time.Duration
	Counts  Counts
}

// Counts counts the outcomes of records and events since the start.
type Counts struct {
	Records           uint64
	Empty             uint64 // records without a value
	Accepted          uint64
	Duplicates        uint64
	Quarantined       uint64
	Elsewhere         uint64 // events that another consumer took, or this one before a restart
	WithoutIdentifier uint64
	Rejected          uint64
	DeadLetters       uint64 // acknowledged
	OutOfTurn         uint64 // answers after which a partition asked for the shards' positions
	// Dropped counts dropped fields of events that were read.
	Dropped segment.DropCounts
}

func (c *Counts) add(o Counts) {
	c.Records += o.Records
	c.Empty += o.Empty
	c.Accepted += o.Accepted
	c.Duplicates += o.Duplicates
	c.Quarantined += o.Quarantined
	c.Elsewhere += o.Elsewhere
	c.WithoutIdentifier += o.WithoutIdentifier
	c.Rejected += o.Rejected
	c.DeadLetters += o.DeadLetters
	c.OutOfTurn += o.OutOfTurn
	c.Dropped.Add(o.Dropped)
}

// progress is the part of a partition's state that other goroutines read. Its own goroutine, the poller, discovery and
// acknowledgements of letters write it. mu is held for a few assignments each time, and never while anything may wait.
type progress struct {
	mu      sync.Mutex // guards the following
	status  PartitionStatus
	written time.Time // when the first record that is not handled was written; zero: unknown
}

// enter changes the state, and reports whether this is new. A halted partition stays halted.
func (p *progress) enter(state State, problem string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.State == Halted || p.status.State == state && p.status.Error == problem {
		return false
	}
	p.status.State, p.status.Error, p.status.Since = state, problem, time.Now()
	return true
}

func (p *progress) state() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.State
}

// count adds to the counts.
func (p *progress) count(c Counts) {
	p.mu.Lock()
	p.status.Counts.add(c)
	p.mu.Unlock()
}

// handled records how far everything is handled, and when the next record was written.
func (p *progress) handled(offset int64, written time.Time) {
	p.mu.Lock()
	p.status.Handled, p.written = offset, written
	p.status.End = max(p.status.End, offset)
	p.mu.Unlock()
}

func (p *progress) handledTo() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.Handled
}

// ends records where the partition ends. If two answers overtook each other, the later end is right.
func (p *progress) ends(offset int64) {
	p.mu.Lock()
	p.status.End = max(p.status.End, offset)
	p.mu.Unlock()
}

func (p *progress) read(now time.Time) PartitionStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	s.Counts.Dropped = maps.Clone(s.Counts.Dropped)
	if s.Handled >= 0 && s.End > s.Handled {
		s.Lag = s.End - s.Handled
		if !p.written.IsZero() {
			s.LagTime = max(0, now.Sub(p.written))
		}
	}
	return s
}

// Status returns the status of the consumer.
func (c *Consumer) Status() Status {
	now := time.Now()
	c.mu.Lock()
	s := Status{Brokers: c.brokers}
	for topic, problem := range c.problems {
		s.Topics = append(s.Topics, TopicStatus{topic, problem})
	}
	c.mu.Unlock()
	for _, p := range c.running.all() {
		s.Partitions = append(s.Partitions, p.progress.read(now))
	}
	slices.SortFunc(s.Topics, func(a, b TopicStatus) int { return cmp.Compare(a.Topic, b.Topic) })
	slices.SortFunc(s.Partitions, func(a, b PartitionStatus) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return s
}
