package kafka

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/ingest"
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

	unpack *record.Decoder
	intake *ingest.Intake
	taken  segment.Batch
	ids    []byte
	counts Counts // of its records, but for those that the intake's verdicts tell

	answered  bool
	outOfTurn bool
	lettered  *kgo.Record  // the last one that is a dead letter whole
	letters   atomic.Int64 // dead letters that are not acknowledged, and one while the batch is read
}

// batches makes and keeps the batches of one topic.
type batches struct{ pool sync.Pool }

func newBatches(into ingest.Into, unpack func() *record.Decoder) *batches {
	return &batches{sync.Pool{New: func() any { return &batch{unpack: unpack(), intake: ingest.NewIntake(into)} }}}
}

func (p *batches) get() *batch { return p.pool.Get().(*batch) }

// put takes a batch back that nobody uses any more.
func (p *batches) put(b *batch) {
	b.unpack.Reset()
	b.intake.Reset()
	clear(b.records)
	b.records, b.ids, b.counts = b.records[:0], b.ids[:0], Counts{}
	b.answered, b.outOfTurn, b.lettered = false, false, nil
	p.pool.Put(b)
}

// settle notes what became of a delivery.
func (b *batch) settle() {
	b.intake.Settle()
	turned := b.intake.Tally()[ingest.OutOfTurn]
	b.answered, b.outOfTurn = true, turned > 0
	b.counts.OutOfTurn += uint64(turned)
}

// handled reports whether nothing is left to do about the batch (C2).
func (b *batch) handled() bool { return b.answered && !b.outOfTurn && b.letters.Load() == 0 }

// total is what became of the records and events of a batch that is handled.
func (b *batch) total() Counts {
	c, n := b.counts, b.intake.Tally()
	c.Accepted, c.Duplicates, c.Quarantined = uint64(n[ingest.Accepted]), uint64(n[ingest.Duplicate]), uint64(n[ingest.Quarantined])
	c.Elsewhere = uint64(n[ingest.Elsewhere])
	c.WithoutIdentifier, c.Rejected = uint64(n[ingest.WithoutIdentifier]), uint64(n[ingest.Rejected])
	c.Dropped = b.intake.Decoder.Stats().Fields
	return c
}
