package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
)

// partition handles the records of one partition. One goroutine runs it; the poller feeds its queue.
//
//	queue ──next──► batch ──submit──► inFlight ──answers──► settled ──retire──► handled: floor moves
//	                                     ▲                     │
//	                                     └──── again ◄─────────┘ out of turn: another consumer was faster
//
// Invariants:
//   - A batch is in one place at a time: read by the goroutine, or in inFlight, in the order of offsets. The engine
//     owns its delivery until the answer is in answers, and the producer its dead letters until they are
//     acknowledged.
//   - The floor passes a batch only after all before it (C1) and only when all its events and letters are settled
//     (C2); so retire takes batches from the front of inFlight alone.
//   - After an answer out of turn, nothing new is delivered until nothing is in flight. Only then are the shards'
//     positions stable enough to build a new chain.
//   - answers has room for every batch in flight, each of which has at most one delivery with the engine: a shard that
//     answers never waits for this goroutine, which may itself wait for room in the engine.
//
// A failure that may pass, of brokers, a registry or a shard, is tried again for ever (C5). One that can't, such as
// records that were deleted unread, halts the partition: to go on would lose events silently. A halted partition keeps
// its goroutine and its place in Status until it is stopped.
type partition struct {
	consumer *Consumer
	origin
	channel  atomic.Pointer[actors.ExternalChannel] // nil before the partition has found where to begin; keepFloors reads it
	batches  *batches
	queue    *queue
	most     int // records of a batch
	window   int // batches in flight
	progress progress

	answers  chan *batch   // answered deliveries
	lettered chan struct{} // holds one token after a dead letter was acknowledged
	failed   chan error    // holds one error when records can't be read

	chain    *ingest.Chain
	inFlight []*batch
	resync   bool // an answer was out of turn: ask for the shards' positions once nothing is in flight
	attempts int  // to do so, without progress
	floor    floor
}

// An origin is the partition of a topic that records come from.
type origin struct {
	topic  *Topic
	source []byte // the topic's own
	name   channelName
	begin  Start // if it has no history
}

func (o *origin) place() place { return place{o.name.topic, o.name.partition} }

// identity distinguishes the topic from others of its name, as far as the brokers do.
func (o *origin) identity() string {
	if o.name.topicID != noTopicID {
		return o.name.topicID
	}
	return o.name.topic
}

// sourceOf is the source that a record names in its header, or the topic's own.
func (o *origin) sourceOf(r *kgo.Record) []byte {
	if named := header(r, o.topic.sourceHeader()); len(named) > 0 {
		return sourceName(named)
	}
	return o.source
}

func newPartition(c *Consumer, t *Topic, name channelName, b *batches, begin Start) *partition {
	p := &partition{
		consumer: c, origin: origin{t, []byte(t.Source), name, begin}, batches: b,
		answers: make(chan *batch, window), lettered: make(chan struct{}, 1), failed: make(chan error, 1),
		floor: floor{stored: actors.NoNumber},
	}
	p.progress.status = PartitionStatus{Topic: name.topic, Partition: name.partition, State: Starting, Since: time.Now(), Handled: -1, End: -1}
	own := map[string][]int32{name.topic: {name.partition}}
	p.most, p.window = c.batchRecords(), c.window()
	p.queue = newQueue(c.queueBytes(), func() { c.poller.client.PauseFetchPartitions(own) }, func() { c.poller.client.ResumeFetchPartitions(own) })
	return p
}

// run reads the partition until ctx ends, and then waits for batches in progress until hard ends. It also ends when
// the engine stops, without reporting it: the engine does so itself.
func (p *partition) run(ctx, hard context.Context) {
	for attempt := 0; ; attempt++ {
		err := p.start(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil || p.stopped(err) {
			return
		}
		p.wait(err)
		if retry.Pause(ctx, attempt) != nil {
			return
		}
	}
	p.proceed()
	err := p.consume(ctx)
	p.consumer.poller.unassign(p)
	if p.stopped(err) {
		return
	}
	if ctx.Err() == nil {
		p.halt(err)
	}
	p.drain(hard)
	<-ctx.Done()
}

// stopped reports whether an error means that the engine has stopped.
func (p *partition) stopped(err error) bool {
	return p.consumer.into.Engine.Err() != nil || errors.Is(err, actors.ErrClosed)
}

// start finds the channel and the offset to begin at, and asks the poller for records from there.
func (p *partition) start(ctx context.Context) error {
	ch, offset, err := open(ctx, p.consumer.into.Engine, p.name, p.log, p.first)
	if err != nil {
		return err
	}
	if p.chain, err = ingest.NewChain(ctx, ch); err != nil {
		return err
	}
	p.channel.Store(ch) // before the progress: keepFloors reads them in the other order
	p.progress.handled(offset, time.Time{})
	return p.consumer.poller.assign(ctx, p, offset)
}

func (p *partition) log(msg string, args ...any) {
	p.consumer.logger.Warn(msg, append([]any{"topic", p.name.topic, "partition", p.name.partition}, args...)...)
}

// wait records that something does not answer: a registry, the brokers, a shard. The queue then holds up no other
// partition.
func (p *partition) wait(err error) {
	p.queue.setStuck(true)
	if p.progress.enter(Waiting, err.Error()) {
		p.log("partition waits", "error", err)
	}
}

// proceed records that the partition continues.
func (p *partition) proceed() {
	p.queue.setStuck(false)
	if p.progress.enter(Consuming, "") {
		p.consumer.logger.Info("partition is consumed", "topic", p.name.topic, "partition", p.name.partition, "offset", p.progress.handledTo())
	}
}

// halt records that the partition does not continue.
func (p *partition) halt(err error) {
	p.queue.setStuck(true)
	if p.progress.enter(Halted, err.Error()) {
		p.consumer.logger.Error("partition is halted", "topic", p.name.topic, "partition", p.name.partition, "error", err)
	}
}

// consume handles records until ctx ends or the partition can't continue.
func (p *partition) consume(ctx context.Context) error {
	for {
		arrived := p.queue.arrived
		if len(p.inFlight) >= p.window || p.resync {
			arrived = nil // never ready: records wait in the queue, and answers make room
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-p.failed:
			p.broken(ctx, err)
		case b := <-p.answers:
			b.settle()
		case <-p.lettered:
		case <-arrived:
			if err := p.next(ctx); err != nil {
				return err
			}
		}
		p.retire()
		if err := p.again(ctx); err != nil {
			return err
		}
	}
}

// next takes records from the queue and delivers their events. The batch joins inFlight only after all records are
// read: an error on the way ends the partition, and the floor stays before them.
func (p *partition) next(ctx context.Context) error {
	b := p.batches.get()
	b.records = p.queue.take(b.records, p.most, batchBytes)
	if len(b.records) == 0 {
		p.batches.put(b)
		return nil
	}
	b.letters.Store(1) // so that the batch can't count as handled while it is read
	b.written = b.records[0].Timestamp
	b.next = b.records[len(b.records)-1].Offset + 1
	b.intake.Follow(p.chain)
	for _, r := range b.records {
		if err := p.read(ctx, b, r); err != nil {
			return err // leave the batch to the garbage collector: its letters may be in progress
		}
	}
	b.letters.Add(-1)
	p.inFlight = append(p.inFlight, b)
	return p.submit(ctx, b)
}

// submit hands a batch to the engine, and waits for room there. A batch without events for the engine, of letters or
// control records alone, counts as answered.
func (p *partition) submit(ctx context.Context, b *batch) error {
	b.answered, b.outOfTurn = b.intake.Delivering() == 0, false
	if b.answered {
		return nil
	}
	done := func(err error) {
		if err == nil { // otherwise the engine has failed, and reports it itself
			p.answers <- b
		}
	}
	err := b.intake.Submit(ctx, done)
	if errors.Is(err, actors.ErrBacklog) { // the partition waits: its records are kept
		for attempt := 0; errors.Is(err, actors.ErrBacklog); attempt++ {
			p.wait(err)
			if err = retry.Pause(ctx, attempt); err == nil {
				err = b.intake.Submit(ctx, done)
			}
		}
		p.proceed()
	}
	if err != nil {
		b.answered, b.outOfTurn = true, true // it was not handed over
	}
	return err
}

// read adds the events of a record to a batch. It waits for the schema that the record needs.
func (p *partition) read(ctx context.Context, b *batch, r *kgo.Record) error {
	b.counts.Records++
	if r.Attrs.IsControl() {
		return nil
	}
	var err error
	waited := false
	for attempt := 0; ; attempt++ {
		err = b.unpack.Decode(ctx, r.Value, &b.taken)
		if !errors.Is(err, record.ErrSchemasUnavailable) {
			break
		}
		p.wait(err)
		waited = true
		if err := retry.Pause(ctx, attempt); err != nil {
			return err
		}
	}
	if waited {
		p.proceed()
	}
	if err == nil && b.taken.Context != nil {
		err = b.intake.Decoder.SetContext(b.taken.Context)
	} else {
		_ = b.intake.Decoder.SetContext(nil)
	}
	if err != nil {
		rejection, ok := record.IsRejection(err)
		if !ok {
			return err
		}
		return p.reject(ctx, b, r, 0, nil, b.intake.Refuse(rejection).Rejection)
	}
	if len(b.taken.Events) == 0 {
		b.counts.Empty++
	}
	for i, raw := range b.taken.Events {
		if err := p.readEvent(ctx, b, r, i, raw); err != nil {
			return err
		}
	}
	return nil
}

// readEvent adds the event at an index of a record. Its id, if it names none, is its position, so that another read of
// the same record gives the same event.
func (p *partition) readEvent(ctx context.Context, b *batch, r *kgo.Record, index int, raw []byte) error {
	if r.Offset > actors.MaxOffset {
		return fmt.Errorf("offset %d is above %d, the highest that Kindred can number", r.Offset, int64(actors.MaxOffset))
	}
	start := len(b.ids)
	b.ids = appendOrigin(b.ids, p.identity(), r, index)
	v := b.intake.Take(raw, ingest.Arrival{
		Received: received(r, b.intake.Decoder, p.consumer.into.Engine.Now()), Source: p.sourceOf(r),
		RecordID: b.ids[start:len(b.ids):len(b.ids)], Number: actors.RecordNumber(r.Offset, index),
	})
	if v.Status != ingest.Rejected {
		return nil
	}
	return p.reject(ctx, b, r, index, raw, v.Rejection)
}

// received returns when a record was written, ms since 1970, as its time of arrival: that is the same for every read.
// If that time is implausible, it returns now.
func received(r *kgo.Record, d *segment.Decoder, now int64) int64 {
	if ms := r.Timestamp.UnixMilli(); d.Believes(ms, now) {
		return ms
	}
	return now
}

// reject writes a dead letter for an event, or for the whole record if raw is nil. A record becomes a letter as a
// whole only once.
func (p *partition) reject(ctx context.Context, b *batch, r *kgo.Record, index int, raw []byte, why *segment.Rejection) error {
	if p.topic.Format != record.JSON || p.topic.Mapping != nil || b.taken.Context != nil {
		raw = nil // this is not what the producer wrote, or lacks parts of the record that the event needs
	}
	if raw == nil {
		if b.lettered == r {
			return nil
		}
		b.lettered = r
	}
	b.letters.Add(1)
	letter := deadLetter(p.topic, p.identity(), r, index, raw, why)
	return p.consumer.letters.write(ctx, letter, p.wait, func() {
		p.progress.count(Counts{DeadLetters: 1})
		b.letters.Add(-1)
		select {
		case p.lettered <- struct{}{}:
		default: // there is a token already: retire looks at all letters, however many were acknowledged
		}
	})
}

// retire removes the handled batches from the front (C1, C2).
func (p *partition) retire() {
	for len(p.inFlight) > 0 && p.inFlight[0].handled() {
		b := p.inFlight[0]
		p.inFlight = append(p.inFlight[:0], p.inFlight[1:]...)
		written := time.Time{}
		if len(p.inFlight) > 0 {
			written = p.inFlight[0].written
		}
		p.progress.count(b.total())
		p.progress.handled(b.next, written)
		p.batches.put(b)
		p.attempts = 0
		if p.progress.state() == Waiting {
			p.proceed()
		}
	}
}

// again redelivers the events that were out of turn because another consumer was faster. It waits until nothing is
// with the engine, asks for the shards' positions, and continues from there.
func (p *partition) again(ctx context.Context) error {
	answered := true
	for _, b := range p.inFlight {
		p.resync = p.resync || b.outOfTurn
		answered = answered && b.answered
	}
	if !p.resync || !answered {
		return nil
	}
	if p.attempts > 0 { // the other consumer is still faster: let it work
		if err := retry.Pause(ctx, p.attempts-1); err != nil {
			return err
		}
	}
	p.attempts++
	chain, err := ingest.NewChain(ctx, p.channel.Load())
	for attempt := 0; err != nil && ctx.Err() == nil && !p.stopped(err); attempt++ { // a shard may be elsewhere for a while
		p.wait(err)
		if err := retry.Pause(ctx, attempt); err != nil {
			return err
		}
		chain, err = ingest.NewChain(ctx, p.channel.Load())
	}
	if err != nil {
		return err
	}
	p.resync, p.chain = false, chain
	for _, b := range p.inFlight {
		b.intake.Again(chain)
		if err := p.submit(ctx, b); err != nil {
			return err
		}
	}
	p.retire() // batches whose events were all taken elsewhere
	p.queue.notify()
	return nil
}

// broken deals with records that could not be read: if they are gone it halts, otherwise it asks for them again.
func (p *partition) broken(ctx context.Context, err error) {
	if what := p.gone(err); what != "" {
		p.halt(fmt.Errorf("%s%s; %s", what, p.bounds(ctx), p.remedy()))
		return
	}
	p.wait(fmt.Errorf("read records: %w", err))
	p.consumer.poller.retry(ctx, p)
}

// gone describes what is missing according to an error; "" if the records may still come.
func (p *partition) gone(err error) string {
	var lost *kgo.ErrDataLoss
	switch {
	case errors.As(err, &lost):
		return fmt.Sprintf("the brokers have lost records from offset %d on: what was taken up to %d is not what they have", lost.ResetTo, lost.ConsumedTo)
	case errors.Is(err, kerr.OffsetOutOfRange):
		return fmt.Sprintf("record %d is not there: it was deleted before it was read, or the brokers have lost it", p.progress.handledTo())
	}
	return ""
}

// remedy says what an operator can do where records are missing.
func (p *partition) remedy() string {
	if p.consumer.into.Mine != nil {
		return fmt.Sprintf("decide where to go on, and ask any node: kindred kafka seek --url URL --topic %s --partition %d --to earliest|OFFSET",
			p.name.topic, p.name.partition)
	}
	return fmt.Sprintf("stop the server, decide where to go on, and start it again: kindred kafka seek --data DIR --topic %s --partition %d --to earliest|OFFSET",
		p.name.topic, p.name.partition)
}

// bounds describes which records exist, as far as the brokers answer.
func (p *partition) bounds(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	first, err := p.consumer.admin.ListStartOffsets(ctx, p.name.topic)
	if err != nil {
		return ""
	}
	last, err := p.consumer.admin.ListEndOffsets(ctx, p.name.topic)
	if err != nil {
		return ""
	}
	from, _ := first.Lookup(p.name.topic, p.name.partition)
	to, ok := last.Lookup(p.name.topic, p.name.partition)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (there are those from %d up to %d)", from.Offset, to.Offset)
}

// drain waits for batches in progress until hard ends, so that the floor is exact. It does not redeliver events out of
// turn: a first batch that is out of turn can't be retired any more, nor can those after it.
func (p *partition) drain(hard context.Context) {
	for len(p.inFlight) > 0 && !(p.inFlight[0].answered && p.inFlight[0].outOfTurn) {
		select {
		case b := <-p.answers:
			b.settle()
		case <-p.lettered:
		case <-p.consumer.into.Engine.Failed():
			return
		case <-hard.Done():
			return
		}
		p.retire()
	}
}
