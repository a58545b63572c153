package shard

import (
	"slices"
	"sync"

	"github.com/kindred-id/kindred/graph"
)

// Transit counts the messages between shards that are not acknowledged, by epoch, so that a caller
// can wait until the messages in transit now, and all that follow from them, have arrived.
//
// An epoch ends when somebody asks to wait. A message that a shard sends while it handles an input from outside
// belongs to the current epoch; what it sends while it handles a message belongs to that message's
// epoch. So an epoch that has ended gains only what its own messages bring about, which is finite: it
// empties however much comes in meanwhile. Waiting until nothing at all is under way may last for
// ever, and following only the messages of one event is not enough: that another event has asked for
// a claim already, and the answer is not there yet, is why this one sent nothing.
//
// Invariants:
//   - a message is counted from before the commit that sends it until its ack is taken, and what
//     follows from it is counted before the ack leaves: between an event and the last of its
//     consequences the count of its epoch is never zero.
//   - epochs end in order: oldest is the first one that has messages under way, or the current one.
//   - what a shard that was closed had under way stays counted until the shard is open again, and has found it in its log.
//   - an epoch's events are among its count: messages that bring an event on to another node (row.BringsEvent). A message that
//     brings the event further follows from such a one, and is counted before its ack leaves, like any other.
//
// It lives in memory alone. A nil Transit counts nothing.
type Transit struct {
	mu     sync.Mutex                   // guards the following
	oldest uint64                       // epochs are numbered from 1
	epochs []epoch                      // from oldest on; the last is the current one
	again  uint64                       // the current epoch when a recovery last counted a message again
	left   map[graph.ShardID][]outgoing // messages of shards that were closed, bodies aside
	tally  *tally                       // of several processes; nil in one, and else in place of all of the above
}

type epoch struct {
	count  int // messages not acknowledged
	events int // of them, those that bring an event on
	// The following are nil until a caller waits, and are closed once this epoch and those before it have
	ended   chan struct{} // no messages
	brought chan struct{} // no messages that bring an event on
}

// NewTransit returns a Transit without messages, in epoch 1.
func NewTransit() *Transit { return &Transit{oldest: 1, epochs: make([]epoch, 1)} }

// NewSharedTransit returns a Transit of a process beside others. session is that of this process: no two have the same one, and
// it is not 0.
func NewSharedTransit(session uint32) *Transit { return &Transit{tally: newTally(session)} }

// depart counts messages that are about to be sent, and gives those that follow from an input from
// outside, of epoch 0, their epoch.
func (t *Transit) depart(messages []sending) {
	if t == nil || len(messages) == 0 {
		return
	}
	if t.tally != nil {
		t.tally.depart(messages)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	current := t.oldest + uint64(len(t.epochs)) - 1
	for i := range messages {
		m := &messages[i]
		if m.epoch == 0 {
			m.epoch = current
		}
		m.epoch = max(m.epoch, t.oldest)
		t.epochs[m.epoch-t.oldest].add(1, m.brings)
	}
}

// add counts messages of one kind.
func (e *epoch) add(n int, brings bool) {
	if e.count += n; brings {
		e.events += n
	}
}

// departAgain counts a message that a recovery found in the log, as one of the oldest: a caller that waits for
// anything waits for it.
func (t *Transit) departAgain(brings bool) uint64 {
	if t == nil {
		return 0
	}
	if t.tally != nil {
		return t.tally.departAgain()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epochs[0].add(1, brings)
	t.again = t.oldest + uint64(len(t.epochs)) - 1
	return t.oldest
}

// arrive counts messages off.
func (t *Transit) arrive(messages []outgoing) {
	if t == nil || len(messages) == 0 {
		return
	}
	if t.tally != nil {
		t.tally.arrive(messages)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.arriveLocked(messages)
}

// leave keeps counted the messages of a shard that is closed, until enter.
func (t *Transit) leave(id graph.ShardID, messages []outgoing) {
	if t == nil || len(messages) == 0 {
		return
	}
	if t.tally != nil {
		t.tally.arrive(messages) // the process that opens the shard next counts them again
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == nil {
		t.left = make(map[graph.ShardID][]outgoing)
	}
	for i := range messages {
		t.left[id] = append(t.left[id], outgoing{Wire: Wire{Epoch: messages[i].Epoch}, brings: messages[i].brings})
	}
}

// enter counts off what leave kept: the shard is open again, and has counted again (departAgain) what it found in its log.
func (t *Transit) enter(id graph.ShardID) {
	if t == nil || t.tally != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.arriveLocked(t.left[id])
	delete(t.left, id)
}

// arriveLocked counts messages off. REQUIRES: t.mu held
func (t *Transit) arriveLocked(messages []outgoing) {
	for i := range messages {
		t.epochs[messages[i].Epoch-t.oldest].add(-1, messages[i].brings)
	}
	for i := 0; i < len(t.epochs) && t.epochs[i].events == 0; i++ {
		if brought := t.epochs[i].brought; brought != nil {
			close(brought)
			t.epochs[i].brought = nil
		}
	}
	for len(t.epochs) > 1 && t.epochs[0].count == 0 {
		if ended := t.epochs[0].ended; ended != nil {
			close(ended)
		}
		t.epochs = t.epochs[1:]
		t.oldest++
	}
}

// lastLocked gives the last epoch that has messages of a kind, and ends it if it is the current one.
//
// It goes back no further than to the epoch again: a message that was counted again, as one of the oldest, may arrive as the
// copy that left before the recovery, and what follows from that copy belongs to the epoch that it had.
//
// REQUIRES: t.mu held; some epoch has such messages
func (t *Transit) lastLocked(count func(*epoch) int) int {
	last := len(t.epochs) - 1
	for last > 0 && count(&t.epochs[last]) == 0 && t.oldest+uint64(last) > t.again {
		last--
	}
	if last == len(t.epochs)-1 {
		t.epochs = append(t.epochs, epoch{})
	}
	return last
}

// Arrived ends the current epoch, and returns a channel that is closed once the messages of it and of all epochs before have
// arrived; nil if no message is in transit.
func (t *Transit) Arrived() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.epochs) == 1 && t.epochs[0].count == 0 {
		return nil
	}
	last := t.lastLocked(func(e *epoch) int { return e.count })
	if t.epochs[last].ended == nil {
		t.epochs[last].ended = make(chan struct{})
	}
	return t.epochs[last].ended
}

// brought ends the current epoch if events are on their way in it, and returns a channel that is closed once all events that
// messages of it and of all epochs before bring on have arrived; nil if no event is on its way.
func (t *Transit) brought() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.ContainsFunc(t.epochs, func(e epoch) bool { return e.events > 0 }) {
		return nil
	}
	last := t.lastLocked(func(e *epoch) int { return e.events })
	if t.epochs[last].brought == nil {
		t.epochs[last].brought = make(chan struct{})
	}
	return t.epochs[last].brought
}

// Wait lasts until a look-up by any identifier of an event that was answered before it began finds the event.
//
//	a forward had passed the event on ──► where is it folded? ──► what is in transit then has arrived
//	it was folded where it came in ────────────────────────────►
//
// An event sends nothing for an identifier that its component has claimed already, for another event, although the claim may be
// in transit. So what is in transit when the event is folded has to arrive. For an event that was folded where it came in, which
// nearly all are, that is what is in transit when it is answered. A forward passes it on, and a mention makes a detour: it meets such
// claims later, and so waits until it is there before it looks at what is in transit.
//
// The obvious design, to wait until all has arrived and then once more for what was sent meanwhile, takes twice as many commits
// under load: there always is something in transit (docs/decisions/0078).
type Wait struct {
	transit *Transit
	stage   int
}

// Wait begins a Wait.
func (t *Transit) Wait() Wait { return Wait{transit: t} }

// Next ends what the Wait has waited for, and returns what it waits for next; nil when it is over.
func (w *Wait) Next() <-chan struct{} {
	w.stage++
	if w.stage == 1 {
		if brought := w.transit.brought(); brought != nil {
			return brought
		}
		w.stage++
	}
	if w.stage == 2 {
		return w.transit.Arrived()
	}
	return nil
}
