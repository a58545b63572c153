package ingest

import (
	"context"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Intake takes a batch of events into an engine: it decodes each event, asks Admission, adds the event to one
// delivery, and keeps a verdict on each. One goroutine at a time uses it. It is reused for batch after batch, so that
// in the steady state an event costs no allocation.
//
//	Reset ──► Take, Refuse … ──► Submit ──answer──► Settle ──► Verdicts
//	             ▲                  ▲                  │
//	             └── next batch     └─ Again ◄─────────┘ events of a channel that were out of turn
//
// Invariants:
//   - The caller owns the intake until Submit, and again after the answer. In between the shards read events,
//     encodings, and the texts that both point into (N3). After an answer with an error the intake may not be used
//     again.
//   - taken[i].event is reused memory; its verdict is verdicts[taken[i].verdict].
//   - After Settle, no verdict is Pending.
//
// The obvious design, one loop for all sources with the sources as iterators, does not work: files wait for a free
// intake, requests for room within a deadline, partitions for the order of their records. So an intake is a batch,
// and each source keeps its own short loop.
type Intake struct {
	// Decoder is for settings of the batch, between Reset and Take, and for its counters, until Reset.
	Decoder *segment.Decoder

	engine    *actors.Engine
	admission Admission
	arrival   Arrival // of the current event
	chain     *Chain  // of the channel that the events come from; nil outside channels
	verdicts  []Verdict
	taken     []taken
	delivery  actors.Delivery
	delivered []int // by input of the delivery: an index into taken
	answered  chan error
	lent      bool // the engine holds the delivery, or failed while it did
	tap       *Tap
	traced    []Traced // events to show, while the tap is open
	settled   func(received int64)
	first     int64 // when the first event of the batch was received
}

// taken is an event that was admitted, and whose shard has not confirmed it yet.
type taken struct {
	event   *graph.Event
	verdict int
	number  int64
}

// takenKept bounds the number of events that an intake keeps for reuse.
const takenKept = 2 * segment.MaxBatchEvents

// Into is the destination of an intake. Engine and Registry are required.
type Into struct {
	Engine   *actors.Engine
	Registry *identifier.Registry
	// Options are the decoder's.
	Options segment.Options
	// Admission decides which events enter. Nil, the default, admits all.
	Admission Admission
	// Tap shows events to a debugger. Nil, the default, shows none.
	Tap *Tap
	// Settled is called once a batch is durable, with the time at which its first event was received. It must not block.
	// Default: nobody wants to know.
	Settled func(received int64)
}

// Arrival describes how an event arrived.
type Arrival struct {
	Received int64  // ms since 1970 UTC
	Source   []byte // the system that sent it
	RecordID []byte // derived from the position of its record: the id of an event without one; nil outside records
	Number   int64  // in the channel that the intake follows; unused outside channels
}

// NewIntake returns an intake. It panics if the options are invalid.
func NewIntake(into Into) *Intake {
	in := &Intake{
		Decoder: segment.NewDecoder(into.Registry, into.Options),
		engine:  into.Engine, admission: into.Admission, answered: make(chan error, 1), tap: into.Tap, settled: into.Settled,
	}
	if into.Engine != nil { // without one, an intake only reads
		in.delivery.MarkBy(into.Engine)
	}
	return in
}

// Reset begins a new batch, outside channels. It panics while the engine holds the previous one.
func (in *Intake) Reset() {
	if in.lent {
		panic("ingest: reset of an intake that the engine holds")
	}
	in.Decoder.Reset()
	in.delivery.Reset()
	clear(in.verdicts)
	clear(in.traced)
	in.traced = in.traced[:0]
	in.verdicts, in.delivered, in.chain = in.verdicts[:0], in.delivered[:0], nil
	if in.taken = in.taken[:0]; cap(in.taken) > takenKept {
		in.taken = nil
	}
}

// Follow declares that the batch's events come from a channel, numbered by their arrivals, and continue chain.
// Numbers must ascend.
func (in *Intake) Follow(chain *Chain) { in.chain = chain }

// Take decodes one event and adds it to the delivery unless it can't be read, is not admitted, or was taken
// Elsewhere. The event may point into raw and the arrival's texts, which must not change until the next Reset. The
// verdict is valid until the next call.
func (in *Intake) Take(raw []byte, from Arrival) *Verdict {
	before := len(in.taken)
	v := in.take(raw, from)
	if in.tap.open() {
		if taken := len(in.taken) - 1; taken >= before {
			in.trace(raw, &from, taken)
		} else {
			in.trace(raw, &from, -1)
		}
	}
	return v
}

func (in *Intake) take(raw []byte, from Arrival) *Verdict {
	if in.arrival = from; len(in.verdicts) == 0 {
		in.first = from.Received
	}
	t := in.room()
	if err := in.Decoder.Record(raw, from.Received, from.Source, from.RecordID, t.event); err != nil {
		return in.Refuse(segment.AsRejection(err))
	}
	if in.admission != nil {
		if refused := in.admission.Admit(t.event, &in.arrival); refused != nil {
			v := in.Refuse(refused)
			v.Type, v.ID = t.event.Type, t.event.ID
			return v
		}
	}
	t.verdict, t.number = len(in.verdicts), from.Number
	in.verdicts = append(in.verdicts, Verdict{Type: t.event.Type, ID: t.event.ID})
	in.taken = in.taken[:len(in.taken)+1]
	in.deliver(len(in.taken) - 1)
	return &in.verdicts[t.verdict]
}

// Refuse adds the verdict on an event that was not decoded, for example because its surroundings can't be read.
func (in *Intake) Refuse(why *segment.Rejection) *Verdict {
	status := Rejected
	if why.Code == segment.CodeNoIdentifier {
		status = WithoutIdentifier
	}
	in.verdicts = append(in.verdicts, Verdict{Status: status, Rejection: why})
	return &in.verdicts[len(in.verdicts)-1]
}

// room returns the slot of the next taken event.
func (in *Intake) room() *taken {
	n := len(in.taken)
	if n == cap(in.taken) {
		in.taken = append(in.taken, taken{})
	}
	t := &in.taken[:n+1][n]
	in.taken = in.taken[:n]
	if t.event == nil {
		makeEvents(in.taken[n:cap(in.taken)])
	}
	return t
}

// Events are made several at once, each with room for the identifiers of nearly every event, so that a new intake costs an
// allocation for many events and not several for each.
const (
	eventsAtOnce    = 32
	identifiersEach = 4
)

// makeEvents gives the first slots their events.
func makeEvents(slots []taken) {
	slots = slots[:min(len(slots), eventsAtOnce)]
	events := make([]graph.Event, len(slots))
	identifiers := make([]graph.Identifier, identifiersEach*len(slots))
	for i := range slots {
		at := identifiersEach * i
		events[i].Identifiers = identifiers[at : at : at+identifiersEach]
		slots[i].event = &events[i]
	}
}

// deliver adds a taken event to the delivery, linked to its predecessor.
func (in *Intake) deliver(i int) {
	t := &in.taken[i]
	if in.chain == nil {
		in.delivery.Add(t.event)
	} else {
		prev, ok := in.chain.link(t.event.Route().Shard(len(in.chain.last)), t.number)
		if !ok {
			in.verdicts[t.verdict].Status = Elsewhere
			return
		}
		in.delivery.AddRecord(t.event, in.chain.channel, prev, t.number)
	}
	in.delivered = append(in.delivered, i)
}

// Again redelivers, on chain, the events that were out of turn, unserved or not handed over.
func (in *Intake) Again(chain *Chain) {
	in.chain = chain
	in.delivery.Reset()
	in.delivered = in.delivered[:0]
	for i := range in.taken {
		if v := &in.verdicts[in.taken[i].verdict]; v.Status == OutOfTurn || v.Status == Unserved || v.Status == Pending {
			v.Status = Pending
			in.deliver(i)
		}
	}
}

// Delivering returns the number of events in the delivery.
func (in *Intake) Delivering() int { return in.delivery.Len() }

// Submit hands the delivery to the engine, and waits for room there until ctx ends. It calls done, which must not
// block, once everything is durable or the engine has failed; an empty delivery is done at once. If Submit returns an
// error, nothing was handed over.
func (in *Intake) Submit(ctx context.Context, done func(error)) error {
	if in.delivery.Len() == 0 {
		done(nil)
		return nil
	}
	in.lent = true
	err := in.engine.Submit(ctx, &in.delivery, func(err error) {
		if err == nil {
			in.lent = false
		}
		done(err)
	})
	if err != nil {
		in.lent = false
	}
	return err
}

// Deliver is Submit that returns after the engine's answer. ctx bounds only the wait for room: the shards use the
// intake until they have answered, even if the caller has gone. It fails with
// actors.ErrLost if an event is Unserved.
func (in *Intake) Deliver(ctx context.Context) error {
	if err := in.Submit(ctx, func(err error) { in.answered <- err }); err != nil {
		return err
	}
	if err := <-in.answered; err != nil {
		return err
	}
	return in.Settle()
}

// Settle gives each event of an answered delivery its verdict. It fails with actors.ErrLost if an event is Unserved.
func (in *Intake) Settle() error {
	for input, i := range in.delivered {
		in.verdicts[in.taken[i].verdict].Status = statusOf[in.delivery.Outcomes[input]]
	}
	if len(in.traced) > 0 {
		in.show()
	}
	if in.settled != nil && len(in.delivered) > 0 {
		in.settled(in.first)
	}
	return in.engine.Refused(&in.delivery)
}

// Verdicts returns the verdicts on the batch's events, in order. The intake owns them; they are valid until its next Reset.
func (in *Intake) Verdicts() []Verdict { return in.verdicts }

// Reusable reports whether the shards have finished with the intake's memory, so that it may be reset.
func (in *Intake) Reusable() bool { return !in.lent }
