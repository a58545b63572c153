package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"golang.org/x/sync/semaphore"
)

// The outcomes of inputs from outside. They are valid once the input's commit is durable.
const (
	Pending     = shard.Pending
	Accepted    = shard.Accepted
	Duplicate   = shard.Duplicate
	Quarantined = shard.Quarantined
	OutOfTurn   = shard.OutOfTurn
	Elsewhere   = shard.Elsewhere
)

// Delivery is a group of events or assertions from outside that is answered together, once all of it is durable.
//
// It is filled on the goroutine of its caller, which encodes each input into the delivery's own memory. A shard only copies
// encodings, so that the costs of encoding spread over all processors and not over shards.
//
//   - The caller owns the delivery until Engine.Submit, and again from the answer on. In between the shards read events and
//     encodings: neither may be touched.
//   - An answer with an error leaves the delivery to the garbage collector: a shard may still be reading it.
//   - Inputs keep their order within each shard, and their memory is used again after Reset.
//   - An answer without an error has an outcome for each input. Those with Elsewhere are not known to be durable (Refused).
//
// The obvious design, an encoding allocated for each event, cost an allocation an event and a copy more.
//
// The life of a delivery; the arrow back is what makes it cost no allocation in the steady state:
//
//	Add, by the caller ──► Submit: room, sort by shard, register ──► inboxes ──► steps ──► commits
//	  ▲                                                                                         │ left: 0
//	  └── Reset ◄── outcomes, by the caller ◄── done ◄──────────────────────────────────────────┘
type Delivery struct {
	Outcomes []shard.Outcome // in the order in which inputs were added; valid once answered

	definitions func() *signals.Definitions // by which events are marked; nil: by none
	marker      signals.Marker
	marks       signals.Marks

	encoder *row.Encoder // made by the first input
	arena   []byte       // the last encodings; those before them stay in the memory of the arenas before
	inputs  []shard.Input
	sorted  []shard.Input
	counts  []int
	bytes   int64
	left    atomic.Int64
	done    func(error)
	failed  atomic.Bool
	guest   bool          // it came from another process: what is not here is not passed on
	busy    atomic.Bool   // a process has refused a part of it, with ErrBacklog
	waited  time.Duration // for shards that were with no process
	tries   int
}

// arenaKept bounds the memory of encodings that is kept for the next use: large events are rare.
const arenaKept = 512 << 10

// arenaFree is the room that an arena has before an encoding is added to it; most encodings need less. An arena with less room
// gives way to one twice as large, and nothing moves: append would move all, and grow by a quarter at a time.
const arenaFree = 1 << 10

// Reset empties the delivery and keeps its memory.
func (d *Delivery) Reset() {
	clear(d.inputs)
	clear(d.sorted)
	d.inputs, d.sorted, d.Outcomes, d.bytes = d.inputs[:0], d.sorted[:0], d.Outcomes[:0], 0
	d.marks.Reset()
	if d.arena = d.arena[:0]; cap(d.arena) > arenaKept {
		d.arena = nil
	}
}

// MarkBy lets the caller's goroutine mark events by the newest definitions of an engine. The shard of an event marks it again if
// it is at another version by then, and a delivery that marks none leaves all of it to shards.
func (d *Delivery) MarkBy(e *Engine) { d.definitions = e.pool.definitions }

// Add adds an event, and marks it. The event, and all that it points to, stays as it is until the delivery is answered.
func (d *Delivery) Add(e *graph.Event) { d.add(shard.Input{Event: e}) }

// AddRecord adds an event of an external channel. seq is its number there, and prev that of the channel's event before
// it that went to the same shard, or NoNumber if that is the first. The shard takes it if and only if prev is the shard's
// position in the channel and seq is above prev; else its outcome is OutOfTurn. A duplicate, and an event whose handler
// fails, advance the position all the same.
func (d *Delivery) AddRecord(e *graph.Event, ch *ExternalChannel, prev, seq int64) {
	d.add(shard.Input{Event: e, Channel: ch.id, Prev: prev, Seq: uint64(seq)})
}

// message adds a message from outside that is no event: an assertion, a recheck.
func (d *Delivery) message(m *graph.Message) { d.add(shard.Input{Message: m}) }

// seek adds that a shard's position in an external channel is to be number, whatever it is.
func (d *Delivery) seek(id row.ChannelID, to graph.ShardID, number int64) {
	d.inputs = append(d.inputs, shard.Input{Channel: id, From: to, Seq: uint64(number)})
}

// tidy adds that the observers of a shard are to delete what they keep no more.
func (d *Delivery) tidy(to graph.ShardID) {
	d.inputs = append(d.inputs, shard.Input{Tidy: true, From: to})
}

// fill adds that a shard is to do a part of what it has to look through of its stored events.
func (d *Delivery) fill(to graph.ShardID) {
	d.inputs = append(d.inputs, shard.Input{Fill: true, From: to})
}

// wake adds that a shard is to evaluate the audiences of roots that are due.
func (d *Delivery) wake(to graph.ShardID) {
	d.inputs = append(d.inputs, shard.Input{Wake: true, From: to})
}

// add encodes an event or a message and adds it.
func (d *Delivery) add(in shard.Input) {
	if d.encoder == nil {
		d.encoder = row.NewEncoder()
	}
	if free := cap(d.arena) - len(d.arena); free < arenaFree && cap(d.arena) < arenaKept {
		d.arena = make([]byte, 0, max(arenaFree, 2*cap(d.arena)))
	}
	start := len(d.arena)
	if in.Event != nil {
		d.mark(in.Event)
		d.arena = d.encoder.Event(d.arena, in.Event, true)
	} else {
		d.arena = d.encoder.Message(d.arena, in.Message)
	}
	in.Body = d.arena[start:len(d.arena):len(d.arena)]
	d.inputs = append(d.inputs, in)
	d.bytes += cost(in.Body)
}

// mark marks an event by the newest definitions.
func (d *Delivery) mark(e *graph.Event) {
	if d.definitions == nil {
		return
	}
	e.Marked, e.Marks = 0, nil
	if now := d.definitions(); now != nil {
		e.Marked, e.Marks = now.Version(), d.marker.Mark(now, e, 0, now.Version(), &d.marks)
	}
}

// cost is the memory that an input takes until it is durable: its encoding is copied into the record, the batch, the
// block of a timeline and the commit; beside it there are the decoded event, the input's place in queues, and its outcome.
func cost(encoded []byte) int64 { return 4*int64(len(encoded)) + 1024 }

// Len is the number of inputs.
func (d *Delivery) Len() int { return len(d.inputs) }

// sort lays the inputs out by shard, in their order within each, and returns where each shard's end.
//
// It is a counting sort: one pass counts the inputs of each shard, one adds up where each shard begins, one places
// the inputs. It takes time in proportion to inputs and shards, compares nothing, and keeps the order within a
// shard.
func (d *Delivery) sort(shards int) []int {
	n := len(d.inputs)
	d.Outcomes = append(d.Outcomes[:0], make([]shard.Outcome, n)...)
	d.sorted = slices.Grow(d.sorted[:0], n)[:n] // each is written below
	d.counts = append(d.counts[:0], make([]int, shards+1)...)
	for i := range d.inputs {
		d.counts[d.inputs[i].Shard(shards)+1]++
	}
	for s := range shards {
		d.counts[s+1] += d.counts[s]
	}
	for i := range d.inputs {
		in := d.inputs[i]
		in.Outcome, in.Delivery = &d.Outcomes[i], d
		s := in.Shard(shards)
		d.sorted[d.counts[s]] = in
		d.counts[s]++ // now where the shard's inputs end
	}
	return d.counts[:shards]
}

// answer notes that n inputs are durable; the last one answers the delivery.
//
// The last shard to commit and a failure of the engine may come at the same moment. failed decides between them:
// the first to set it calls done, the other one has no effect.
func (d *Delivery) answer(n int) {
	if d.left.Add(-int64(n)) == 0 && d.failed.CompareAndSwap(false, true) {
		d.done(nil)
	}
}

// fail answers the delivery with an error, unless it was answered.
func (d *Delivery) fail(err error) {
	if d.failed.CompareAndSwap(false, true) {
		d.done(err)
	}
}

// intake hands deliveries to the shards, as far as there is room, and keeps those that are not answered yet.
//
//   - The memory of events under way is bounded by room: a delivery takes its share until it is answered.
//   - A delivery is registered before its first input is posted, so that a failure answers it, whatever was posted.
//   - What comes from other processes has a room of its own. It waits for nothing but shards that are here, so two processes
//     that are full of each other's deliveries go on.
type intake struct {
	far       far
	inboxes   []*runner           // by shard
	room      *semaphore.Weighted // bytes of input under way
	guests    *semaphore.Weighted // bytes of input under way, of other processes
	roomBytes int64
	inputs    atomic.Int64 // under way

	mu         sync.Mutex // guards the following
	deliveries map[*Delivery]struct{}
	refused    error // why nothing more is taken
	closed     bool
}

func newIntake(others far, room int64) *intake {
	return &intake{
		far: others, inboxes: others.runners, room: semaphore.NewWeighted(room), guests: semaphore.NewWeighted(room), roomBytes: room,
		deliveries: make(map[*Delivery]struct{}),
	}
}

// roomOf is the room that a delivery takes its share of.
func (in *intake) roomOf(d *Delivery) *semaphore.Weighted {
	if d.guest {
		return in.guests
	}
	return in.room
}

// Submit hands a delivery to the shards, and waits for room until ctx ends. Once everything in the delivery is durable, or
// the engine has stopped with an error, it calls done, once; done must not block. After an error of Submit itself nothing was
// handed over. It refuses events with ErrBacklog, at once, where messages to a shard of another process have no end: what is
// taken in would add to them.
func (in *intake) Submit(ctx context.Context, d *Delivery, done func(error)) error {
	if in.far.crowded.Load() > 0 && len(d.inputs) > 0 && d.inputs[0].Event != nil {
		return ErrBacklog
	}
	if err := in.roomOf(d).Acquire(ctx, in.share(d.bytes)); err != nil {
		return err
	}
	return in.hand(d, done)
}

// submitAndWait is Submit that returns when everything in the delivery is durable.
func (in *intake) submitAndWait(ctx context.Context, d *Delivery) error {
	done := make(chan error, 1)
	if err := in.Submit(ctx, d, func(err error) { done <- err }); err != nil {
		return err
	}
	select {
	case err := <-done:
		if err != nil {
			return err // a shard may still have the delivery
		}
		return in.Refused(d)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Refused reports, with ErrLost, that an answered delivery has inputs whose shard is not with this process, or, with ErrBacklog, that
// the process that has it takes none: they are to be submitted again, here or to the process that has it. An input that was
// taken all the same is a duplicate then.
func (in *intake) Refused(d *Delivery) error {
	if !slices.Contains(d.Outcomes, Elsewhere) {
		return nil
	}
	if d.busy.Load() {
		return ErrBacklog
	}
	for i := range d.sorted {
		if *d.sorted[i].Outcome == Elsewhere {
			id := d.sorted[i].Shard(len(in.inboxes))
			return cmp.Or(in.inboxes[id].gone.Load(), &lostError{id: id}) // or it has come back meanwhile
		}
	}
	return ErrLost
}

// hand spreads a delivery over the inboxes of the shards. REQUIRES: its share of the room is taken
//
// A race that the order here prevents: if the inputs were posted first, the engine could fail between that and
// register, with the delivery in no list, and nobody would answer it. Registered first, it is answered by refuse,
// and what a shard answers after that has no effect.
func (in *intake) hand(d *Delivery, done func(error)) error {
	n, bytes := int64(len(d.inputs)), in.share(d.bytes)
	d.left.Store(n)
	d.failed.Store(false)
	d.busy.Store(false)
	d.waited, d.tries = 0, 0
	d.done = func(err error) {
		if err == nil && in.again(d) {
			return
		}
		in.inputs.Add(-n)
		in.forget(d)
		in.roomOf(d).Release(bytes)
		done(err)
	}
	ends := d.sort(len(in.inboxes))
	if err := in.register(d, n); err != nil {
		in.roomOf(d).Release(bytes)
		return err
	}
	if n == 0 {
		d.fail(nil)
		return nil
	}
	start := 0
	for id, end := range ends {
		if end > start {
			in.give(d, graph.ShardID(id), d.sorted[start:end])
		}
		start = end
	}
	return nil
}

// give hands inputs of a delivery to their shard, here or there.
func (in *intake) give(d *Delivery, id graph.ShardID, inputs []shard.Input) {
	if r := in.inboxes[id]; in.far.network == nil || d.guest || r.here() {
		r.pool.gate.pass(r, inputs)
		return
	}
	if !in.far.calls.start(func() {
		if err := in.far.deliver(id, inputs); err != nil {
			if errors.Is(err, ErrBacklog) {
				d.busy.Store(true)
			}
			shard.Refuse(inputs)
		}
		d.answer(len(inputs))
	}) {
		d.fail(ErrClosed)
	}
}

// again delivers once more what was answered Elsewhere, to the processes that have the shards by then. It reports whether it does: not
// without a network, and not for ever. An input that was taken all the same is a duplicate then, or out of its channel's turn.
//
// It is called between the answer of the last input and the answer of the delivery. A failure of the engine in between would find
// the delivery answered, so again looks for it once the delivery is open.
func (in *intake) again(d *Delivery) bool {
	if in.far.network == nil || d.guest || d.busy.Load() || d.waited > elsewherePatience || !slices.Contains(d.Outcomes, Elsewhere) {
		return false
	}
	wait := elsewhereAgain.Wait(d.tries)
	d.tries++
	d.waited += wait
	var rest []shard.Input
	for i := range d.sorted {
		if *d.sorted[i].Outcome == Elsewhere {
			rest = append(rest, d.sorted[i])
		}
	}
	for i := range rest {
		*rest[i].Outcome = Pending
	}
	d.left.Store(int64(len(rest)))
	d.failed.Store(false)
	if err := in.refusedTo(d); err != nil {
		d.fail(err)
		return true
	}
	if !in.far.calls.start(func() {
		_ = backoff.Sleep(in.far.ending, wait)
		for len(rest) > 0 {
			id, n := rest[0].Shard(len(in.inboxes)), 1
			for n < len(rest) && rest[n].Shard(len(in.inboxes)) == id {
				n++
			}
			in.give(d, id, rest[:n:n])
			rest = rest[n:]
		}
	}) {
		d.fail(ErrClosed)
	}
	return true
}

// refusedTo says why a delivery will not be answered by shards: the engine has failed.
func (in *intake) refusedTo(d *Delivery) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, known := in.deliveries[d]; known {
		return nil
	}
	return cmp.Or(in.refused, ErrClosed)
}

// deliver hands inputs to the process that has their shard, and waits for their outcomes. After an error they are unknown.
func (f far) deliver(id graph.ShardID, inputs []shard.Input) error {
	ctx, cancel := context.WithTimeout(f.ending, elsewherePatience)
	defer cancel()
	answer, err := f.pose(ctx, id, askDeliver, appendInputs(nil, f.transit.Now(), inputs))
	if err != nil {
		return err
	}
	if len(answer.b) != len(inputs) {
		return fmt.Errorf("%w: outcomes of %d inputs, want %d", storage.ErrCorrupt, len(answer.b), len(inputs))
	}
	for i, outcome := range answer.b {
		switch outcome := shard.Outcome(outcome); outcome {
		case Accepted, Duplicate, Quarantined, OutOfTurn:
			*inputs[i].Outcome = outcome
		case Pending, Elsewhere:
			*inputs[i].Outcome = Elsewhere
		default:
			return fmt.Errorf("%w: outcome %d", storage.ErrCorrupt, outcome)
		}
	}
	return nil
}

func (in *intake) register(d *Delivery, inputs int64) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refused != nil {
		return in.refused
	}
	in.deliveries[d] = struct{}{}
	in.inputs.Add(inputs)
	return nil
}

func (in *intake) forget(d *Delivery) {
	in.mu.Lock()
	delete(in.deliveries, d)
	in.mu.Unlock()
}

// refuse takes nothing more, and answers what is not answered with an error.
func (in *intake) refuse(err error) {
	in.mu.Lock()
	in.refused = err
	deliveries := in.deliveries
	in.deliveries = nil
	in.mu.Unlock()
	for d := range deliveries {
		d.fail(err)
	}
}

// close takes nothing more; what is under way is answered as it comes.
func (in *intake) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed = true; in.refused == nil {
		in.refused = ErrClosed
	}
}

// isClosed reports whether close was called.
func (in *intake) isClosed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.closed
}

// InputBytes is how much memory events may take that are read and not yet committed.
func (in *intake) InputBytes() int64 { return in.roomBytes }

// underWay is how many inputs from outside are not answered.
func (in *intake) underWay() int64 { return in.inputs.Load() }

// share is what a delivery takes of the room for input: one that is larger than all of it goes alone.
func (in *intake) share(bytes int64) int64 { return min(bytes, in.roomBytes) }
