package actors

import (
	"sync"
	"sync/atomic"

	"github.com/kindred-id/kindred/actors/protoactor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/storage/row"
)

// stepBytes bounds the inputs of one step, and so one log record, beside shard.StepInputs.
const stepBytes = 2 << 20

// groupBytes is what an input that names a group counts for beside its own bytes: the step's batch has the group's row, which
// takes 600 KB at most. So a step changes 64 groups, and its batch is bounded.
const groupBytes = 32 << 10

// inbox is the mailbox of a shard actor, and decides which goroutine runs the shard. Control messages (reads,
// acknowledgements, the end of a commit) go ahead of inputs. Inputs are handed over in steps, and only while no commit is in
// flight. The intake bounds inputs from outside before they get here. Messages of other shards are always taken: a bound
// could block two full shards on each other forever, and the messages that follow from one event are finite.
//
//	PostUserMessage, postInputs ──► queue ──► drain, on a worker ──┐
//	runNow ──► shard at rest: on the goroutine of the caller ──────┴──► invoker ──► runner.Receive
//
// Invariants:
//   - At most one goroutine runs the shard (running), and none while there is nothing to do.
//   - At most one drain is scheduled (scheduled), so that workers.turns has room for all.
//   - asked is set whenever a read waits in control: a step under way looks at it before each input, without the lock.
//
// They force the end of every run: the goroutine gives up running while it holds the lock under which it has seen the queue
// empty (drain), or under which it marks the next drain as scheduled (runNow). Otherwise a message that is posted between the
// look and the end would wait for the message after it.
//
// The obvious design, a channel and a goroutine for each shard, let a read wait for its own goroutine, for those of the other
// shards, and for the step under way: 124 ms at the 99th percentile (docs/decisions/0008).
type inbox struct {
	invoker    protoactor.Invoker
	dispatcher protoactor.Dispatcher

	mu         sync.Mutex // guards the following
	system     []any
	control    []any
	acked      []acked
	inputs     []shard.Input
	head       int           // of inputs: those before it were taken
	spare      []shard.Input // of the last step, to be used again
	committing bool
	scheduled  bool // a drain waits for its turn
	running    bool // a goroutine runs the shard

	// The following belong to the goroutine that runs the shard: messages that are used again.
	acks acks
	step step

	asked atomic.Bool // a read may wait in control: a step under way looks here before it takes the lock
}

// step is a batch of inputs for the shard. The inbox uses it again.
type step struct{ inputs []shard.Input }

// Bind implements protoactor.Mailbox.
func (b *inbox) Bind(invoker protoactor.Invoker, dispatcher protoactor.Dispatcher) {
	b.invoker, b.dispatcher = invoker, dispatcher
}

// UserMessageCount implements protoactor.Mailbox.
func (b *inbox) UserMessageCount() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.control) + len(b.acked) + len(b.inputs) - b.head
}

// PostSystemMessage implements protoactor.Mailbox.
func (b *inbox) PostSystemMessage(message any) {
	b.mu.Lock()
	b.system = append(b.system, message)
	b.wakeLocked()
}

// PostUserMessage implements protoactor.Mailbox: it posts what controls the shard.
func (b *inbox) PostUserMessage(message any) {
	b.mu.Lock()
	b.control = append(b.control, message)
	b.asked.Store(true)
	b.wakeLocked()
}

// runNow invokes a message at once, on the goroutine of the caller and after the control messages that came before it, if no
// goroutine runs the shard. Otherwise it posts the message.
func (b *inbox) runNow(message any) {
	b.mu.Lock()
	if b.running {
		b.control = append(b.control, message)
		b.asked.Store(true)
		b.mu.Unlock()
		return
	}
	b.running = true
	var system, control []any
	if len(b.system) > 0 || len(b.control) > 0 {
		system, control = b.system, b.control
		b.system, b.control = nil, nil
	}
	b.asked.Store(false)
	b.mu.Unlock()
	b.invoke(system, control)
	b.invoker.InvokeUserMessage(message)
	b.mu.Lock()
	b.running = false
	b.wakeLocked()
}

func (b *inbox) invoke(system, control []any) {
	for _, m := range system {
		b.invoker.InvokeSystemMessage(m)
	}
	for _, m := range control {
		b.invoker.InvokeUserMessage(m)
	}
}

// takeAsks takes the reads that came in while a step is under way. Only the shard actor calls it.
func (b *inbox) takeAsks(asks []*asking) []*asking {
	if !b.asked.Load() {
		return asks
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	rest := b.control[:0]
	for _, m := range b.control {
		if a, ok := m.(*asking); ok {
			asks = append(asks, a)
		} else {
			rest = append(rest, m)
		}
	}
	clear(b.control[len(rest):])
	b.control = rest
	b.asked.Store(false)
	return asks
}

// postInputs copies inputs into the queue.
func (b *inbox) postInputs(inputs []shard.Input) {
	b.mu.Lock()
	b.moveUpLocked()
	b.inputs = append(b.inputs, inputs...)
	b.wakeLocked()
}

// postEnvelope takes an envelope of another shard. The list of its messages is not used after it returns.
func (b *inbox) postEnvelope(e shard.Envelope) {
	b.mu.Lock()
	if e.HasAck {
		b.acked = append(b.acked, acked{e.From, e.Acked})
	}
	if len(e.Messages) > 0 {
		b.moveUpLocked()
	}
	for i := range e.Messages {
		w := &e.Messages[i]
		b.inputs = append(b.inputs, shard.Input{From: e.From, Seq: w.Seq, Body: w.Body, Epoch: w.Epoch})
	}
	b.wakeLocked()
}

// moveUpLocked makes room for inputs, now and then, where others were taken. REQUIRES: b.mu held
func (b *inbox) moveUpLocked() {
	if b.head > len(b.inputs)/2 {
		n := copy(b.inputs, b.inputs[b.head:])
		clear(b.inputs[n:])
		b.inputs, b.head = b.inputs[:n], 0
	}
}

// wakeLocked schedules a drain if there is something to do and no goroutine runs the shard, and unlocks.
//
// REQUIRES: b.mu held
func (b *inbox) wakeLocked() {
	start := !b.running && !b.scheduled &&
		(len(b.system) > 0 || len(b.control) > 0 || len(b.acked) > 0 || b.head < len(b.inputs) && !b.committing)
	if start {
		b.scheduled = true
	}
	b.mu.Unlock()
	if start {
		b.dispatcher.Schedule(b.drain)
	}
}

// setCommitting notes that a commit of the shard is under way, or no longer. Only the shard actor calls it, while it runs.
func (b *inbox) setCommitting(committing bool) {
	b.mu.Lock()
	b.committing = committing
	b.mu.Unlock()
}

func (b *inbox) drain() {
	b.mu.Lock()
	b.scheduled = false
	if b.running { // by a read, which schedules another drain at its end if there is more to do
		b.mu.Unlock()
		return
	}
	b.running = true
	b.mu.Unlock()
	var system, control []any
	for {
		clear(system)
		clear(control)
		b.mu.Lock()
		system, b.system = b.system, system[:0]
		control, b.control = b.control, control[:0]
		b.asked.Store(false)
		b.acks.list, b.acked = b.acked, b.acks.list[:0]
		b.step.inputs = nil
		urgent := len(system) > 0 || len(control) > 0 || len(b.acks.list) > 0
		if !urgent && !b.committing {
			b.step.inputs = b.takeLocked()
		}
		if !urgent && len(b.step.inputs) == 0 {
			b.running = false
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		b.invoke(system, control)
		if len(b.acks.list) > 0 {
			b.invoker.InvokeUserMessage(&b.acks)
		}
		if len(b.step.inputs) > 0 {
			b.invoker.InvokeUserMessage(&b.step)
		}
	}
}

// takeLocked takes the first inputs that fit into a step. They belong to the step until recycle.
//
// REQUIRES: b.mu held
func (b *inbox) takeLocked() []shard.Input {
	queued := b.inputs[b.head:]
	n := 0
	for bytes := 0; n < len(queued) && n < shard.StepInputs; n++ {
		if bytes += weight(&queued[n]); n > 0 && bytes > stepBytes {
			break
		}
	}
	taken := append(b.spare[:0], queued[:n]...)
	b.spare = nil
	clear(queued[:n])
	b.head += n
	if b.head == len(b.inputs) {
		b.inputs, b.head = b.inputs[:0], 0
	}
	return taken
}

// weight is what an input counts for in a step.
func weight(in *shard.Input) int {
	if in.Event != nil && in.Event.Group != nil || in.Outcome == nil && row.TellsGroup(in.Body) {
		return len(in.Body) + groupBytes
	}
	return len(in.Body)
}

// recycle gives back the inputs of a step that was answered.
func (b *inbox) recycle(inputs []shard.Input) {
	clear(inputs)
	b.mu.Lock()
	b.spare = inputs[:0]
	b.mu.Unlock()
}
