package kafka

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Bounds of a batch: one delivery to the engine.
const (
	batchRecords = 512
	batchBytes   = 256 << 10
	// window is how many batches of a partition may be under way: one being decoded while the others commit.
	window = 3
)

// batch is some records of a partition on their way to being handled, with everything they need.
// Batches are used again, so that in the steady state nothing is allocated for an event.
type batch struct {
	records []*kgo.Record // events point into them
	next    int64         // the offset behind the last one
	written time.Time     // of the first one

	decoder *segment.Decoder
	unpack  *record.Decoder
	taken   segment.Batch
	ids     []byte
	linked  []linked // the events, in the order of their numbers
	counts  Counts   // of its records

	delivery  actors.Delivery
	delivered []int // by input of the delivery: which of linked
	answered  bool
	outOfTurn bool
	lettered  *kgo.Record  // the last one that is a dead letter whole
	letters   atomic.Int64 // dead letters that are not acknowledged, and one while the batch is read
}

// linked is an event with its place in the partition.
type linked struct {
	event  *graph.Event
	number int64
	shard  graph.ShardID
	done   bool // it needs no delivery any more
}

// batches makes and keeps the batches of one topic.
type batches struct{ pool sync.Pool }

func newBatches(decoder func() *segment.Decoder, unpack func() *record.Decoder) *batches {
	return &batches{sync.Pool{New: func() any {
		return &batch{decoder: decoder(), unpack: unpack()}
	}}}
}

func (p *batches) get() *batch { return p.pool.Get().(*batch) }

// put takes a batch back that nobody uses any more.
func (p *batches) put(b *batch) {
	b.decoder.Reset()
	b.unpack.Reset()
	b.delivery.Reset()
	clear(b.records)
	b.records, b.ids, b.counts = b.records[:0], b.ids[:0], Counts{}
	b.linked, b.delivered = b.linked[:0], b.delivered[:0]
	b.answered, b.outOfTurn, b.lettered = false, false, nil
	p.pool.Put(b)
}

// event is room for the next event. It becomes part of the batch with add.
func (b *batch) event() *graph.Event {
	n := len(b.linked)
	if n < cap(b.linked) {
		b.linked = b.linked[:n+1]
	} else {
		b.linked = append(b.linked, linked{})
	}
	l := &b.linked[n]
	if l.event == nil {
		l.event = new(graph.Event)
	}
	b.linked = b.linked[:n]
	return l.event
}

// add adds the event that the last call of event gave room for.
func (b *batch) add(number int64, shards int) {
	n := len(b.linked)
	b.linked = b.linked[:n+1]
	l := &b.linked[n]
	l.number, l.shard, l.done = number, l.event.Route().Shard(shards), false
}

// deliver makes the delivery of the events that are still to be taken, and tells whether there are any.
func (b *batch) deliver(c chain, ch *actors.Channel) bool {
	b.delivery.Reset()
	b.delivered = b.delivered[:0]
	b.answered, b.outOfTurn = false, false
	for i := range b.linked {
		l := &b.linked[i]
		if prev, ok := c.link(l.shard, l.number); ok {
			b.delivery.AddRecord(l.event, ch, prev, l.number)
			b.delivered = append(b.delivered, i)
		} else if !l.done {
			l.done = true
			b.counts.Elsewhere++
		}
	}
	return b.delivery.Len() > 0
}

// settle counts what became of a delivery.
func (b *batch) settle() {
	b.answered = true
	for input, i := range b.delivered {
		outcome := b.delivery.Outcomes[input]
		b.counts.outcome(outcome)
		if outcome == actors.OutOfTurn {
			b.outOfTurn = true
		} else {
			b.linked[i].done = true
		}
	}
}

// handled tells whether nothing is left to do about the batch (C2).
func (b *batch) handled() bool { return b.answered && !b.outOfTurn && b.letters.Load() == 0 }
