package ingest

import (
	"context"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Intake takes a batch of events into an engine: it decodes each, asks whether it is admitted, adds it to one delivery, and
// keeps a verdict on each. It is for one goroutine at a time and used again, so that in the steady state nothing is allocated
// for an event.
//
//		Reset ──► Take, Refuse … ──► Submit ──answer──► Settle ──► Verdicts
//		             ▲                  ▲                  │
//		             └── next batch     └─ Again ◄─────────┘ events of a channel that were out of turn
//
//	  - The caller owns the intake until Submit, and again from the answer on. In between the shards read events, encodings,
//	    and the texts that both point into (N3). After an answer with an error the intake may not be used again.
//	  - taken[i].event is memory that is used again; its verdict is verdicts[taken[i].verdict].
//	  - Once settled, no verdict is Pending.
//
// One loop for all ways in, with sources as iterators, would not do: files wait for a free intake, requests for room within a
// deadline, partitions for the order of their records. So an intake is a batch, and each way in keeps its own short loop.
type Intake struct {
	// Decoder is for settings of the batch, between Reset and Take, and for what it counted, until Reset.
	Decoder *segment.Decoder

	engine    *actors.Engine
	admission Admission
	arrival   Arrival // of the event at hand
	chain     *Chain  // of the channel that events come from; nil outside channels
	verdicts  []Verdict
	taken     []taken
	delivery  actors.Delivery
	delivered []int // by input of the delivery: which of taken
	answered  chan error
	lent      bool // the engine holds the delivery, or failed while it did
}

// taken is an event that was admitted, and is not known to be with its shard.
type taken struct {
	event   *graph.Event
	verdict int
	number  int64
}

// takenKept bounds the events that an intake keeps for use again.
const takenKept = 2 * segment.MaxBatchEvents

// Into says what an intake takes events into. Engine and Registry are required.
type Into struct {
	Engine   *actors.Engine
	Registry *identifier.Registry
	// Options are those of the decoder.
	Options segment.Options
	// Admission decides which events enter. Nil, the default, admits all.
	Admission Admission
}

// Arrival is how an event came.
type Arrival struct {
	Received int64  // ms since 1970 UTC
	Source   []byte // the system that sent it
	RecordID []byte // made of the place of its record: the event's id where it names none; nil outside records
	Number   int64  // its number in the channel that the intake follows; unused outside channels
}

// NewIntake makes an intake. It panics where the options are wrong.
func NewIntake(into Into) *Intake {
	return &Intake{
		Decoder: segment.NewDecoder(into.Registry, into.Options),
		engine:  into.Engine, admission: into.Admission, answered: make(chan error, 1),
	}
}

// Reset begins a new batch, outside channels. It panics while the engine holds the last one.
func (in *Intake) Reset() {
	if in.lent {
		panic("ingest: reset of an intake that the engine holds")
	}
	in.Decoder.Reset()
	in.delivery.Reset()
	clear(in.verdicts)
	in.verdicts, in.delivered, in.chain = in.verdicts[:0], in.delivered[:0], nil
	if in.taken = in.taken[:0]; cap(in.taken) > takenKept {
		in.taken = nil
	}
}

// Follow says that the events of the batch come from a channel, with the numbers of their arrivals, and go on where chain is.
// Numbers come in ascending order.
func (in *Intake) Follow(chain *Chain) { in.chain = chain }

// Take reads one event and adds it to the delivery, if it can be read, is admitted, and was not taken Elsewhere. The event may
// point into raw and the arrival's texts: they stay as they are until the next Reset. The verdict is valid until the next call.
func (in *Intake) Take(raw []byte, from Arrival) *Verdict {
	in.arrival = from
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

// Refuse adds the verdict on an event that was not taken, such as one whose surroundings can't be read.
func (in *Intake) Refuse(why *segment.Rejection) *Verdict {
	status := Rejected
	if why.Code == segment.CodeNoIdentifier {
		status = WithoutIdentifier
	}
	in.verdicts = append(in.verdicts, Verdict{Status: status, Rejection: why})
	return &in.verdicts[len(in.verdicts)-1]
}

// room is the place of the next event that is taken.
func (in *Intake) room() *taken {
	n := len(in.taken)
	if n == cap(in.taken) {
		in.taken = append(in.taken, taken{})
	}
	t := &in.taken[:n+1][n]
	in.taken = in.taken[:n]
	if t.event == nil {
		t.event = new(graph.Event)
	}
	return t
}

// deliver adds a taken event to the delivery, in its turn.
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

// Again delivers once more the events that were out of turn, or not handed over, which now follow on chain.
func (in *Intake) Again(chain *Chain) {
	in.chain = chain
	in.delivery.Reset()
	in.delivered = in.delivered[:0]
	for i := range in.taken {
		if v := &in.verdicts[in.taken[i].verdict]; v.Status == OutOfTurn || v.Status == Pending {
			v.Status = Pending
			in.deliver(i)
		}
	}
}

// Delivering is how many events the delivery holds.
func (in *Intake) Delivering() int { return in.delivery.Len() }

// Submit hands the delivery to the engine, and waits for room there until ctx ends. Once everything is durable, or the engine
// has failed, done is called, which must not block: at once, where there is nothing to deliver. An error means that nothing
// was handed over.
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

// Deliver is Submit that returns once the engine has answered. ctx bounds the wait for room only: whether the caller is still
// there or not, the shards use the intake until they have answered.
func (in *Intake) Deliver(ctx context.Context) error {
	if err := in.Submit(ctx, func(err error) { in.answered <- err }); err != nil {
		return err
	}
	if err := <-in.answered; err != nil {
		return err
	}
	in.Settle()
	return nil
}

// Settle gives its verdict to each event of an answered delivery.
func (in *Intake) Settle() {
	for input, i := range in.delivered {
		in.verdicts[in.taken[i].verdict].Status = statusOf[in.delivery.Outcomes[input]]
	}
}

// Verdicts are those on the events of the batch, in their order. They are the intake's until its next Reset.
func (in *Intake) Verdicts() []Verdict { return in.verdicts }

// Reusable reports whether no shard reads the intake's memory, so that it may be reset.
func (in *Intake) Reusable() bool { return !in.lent }
