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
	// window is how many batches of a partition may be in progress: one is decoded while the others commit.
	window = 3
)

// batch is a number of records of a partition on their way to being handled, with the memory that they need. Batches
// are reused, so that in the steady state an event costs no allocation.
//
//	get ──► read: decode, take ──► submit ──► answered ──► handled ──► put
//	                                  ▲           │
//	                                  └── again ◄─┘ some events were out of turn, or their shard was not there
//
// Events and letters point into the records, so the records stay until put. Only letters is used by two goroutines:
// the partition's adds to it, and the producer's subtracts as letters are acknowledged. It begins at one, or a letter
// acknowledged before the next one is written would make a batch that is half read count as handled.
type batch struct {
	records []*kgo.Record // events point into them
	next    int64         // the offset after the last record
	written time.Time     // when the first record was written

	unpack *record.Decoder
	intake *ingest.Intake
	taken  segment.Batch
	ids    []byte
	counts Counts // outcomes that the intake's verdicts do not include

	answered  bool
	outOfTurn bool
	lettered  *kgo.Record  // the last record that became a dead letter as a whole
	letters   atomic.Int64 // unacknowledged dead letters, plus one while the batch is being read
}

// batches makes and reuses the batches of one topic.
type batches struct{ pool sync.Pool }

func newBatches(into ingest.Into, unpack func() *record.Decoder) *batches {
	return &batches{sync.Pool{New: func() any { return &batch{unpack: unpack(), intake: ingest.NewIntake(into)} }}}
}

func (p *batches) get() *batch { return p.pool.Get().(*batch) }

// put takes back a batch that is no longer used. REQUIRES: no letter of it is in progress, and the engine has answered
func (p *batches) put(b *batch) {
	b.unpack.Reset()
	b.intake.Reset()
	for _, r := range b.records {
		r.Recycle()
	}
	clear(b.records)
	b.records, b.ids, b.counts = b.records[:0], b.ids[:0], Counts{}
	b.answered, b.outOfTurn, b.lettered = false, false, nil
	p.pool.Put(b)
}

// settle records the outcome of a delivery.
func (b *batch) settle() {
	unserved := b.intake.Settle() != nil // delivered again, like what is out of turn, once the shards tell where they are
	turned := b.intake.Tally()[ingest.OutOfTurn]
	b.answered, b.outOfTurn = true, turned > 0 || unserved
	b.counts.OutOfTurn += uint64(turned)
}

// handled reports whether the batch needs no further work (C2).
func (b *batch) handled() bool { return b.answered && !b.outOfTurn && b.letters.Load() == 0 }

// total counts the outcomes of the records and events of a handled batch.
func (b *batch) total() Counts {
	c, n := b.counts, b.intake.Tally()
	c.Accepted, c.Duplicates, c.Quarantined = uint64(n[ingest.Accepted]), uint64(n[ingest.Duplicate]), uint64(n[ingest.Quarantined])
	c.Elsewhere = uint64(n[ingest.Elsewhere])
	c.WithoutIdentifier, c.Rejected = uint64(n[ingest.WithoutIdentifier]), uint64(n[ingest.Rejected])
	c.Dropped = b.intake.Decoder.Stats().Fields
	return c
}
