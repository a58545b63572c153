package shard

import (
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
//
// It lives in memory alone. A nil Transit counts nothing.
type Transit struct {
	mu     sync.Mutex                   // guards the following
	oldest uint64                       // epochs are numbered from 1
	epochs []epoch                      // from oldest on; the last is the current one
	left   map[graph.ShardID][]outgoing // messages of shards that were closed, bodies aside
	tally  *tally                       // of several processes; nil in one, and else in place of all of the above
}

type epoch struct {
	count int           // messages not acknowledged
	ended chan struct{} // closed when there are none of this epoch and those before; nil when nobody waits
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
		t.epochs[m.epoch-t.oldest].count++
	}
}

// relaunch counts a message that a recovery found in the log, as one of the oldest: a caller that waits for
// anything waits for it.
func (t *Transit) departAgain() uint64 {
	if t == nil {
		return 0
	}
	if t.tally != nil {
		return t.tally.departAgain()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epochs[0].count++
	return t.oldest
}

// land counts messages off.
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
		t.left[id] = append(t.left[id], outgoing{Wire: Wire{Epoch: messages[i].Epoch}})
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
		t.epochs[messages[i].Epoch-t.oldest].count--
	}
	for len(t.epochs) > 1 && t.epochs[0].count == 0 {
		if ended := t.epochs[0].ended; ended != nil {
			close(ended)
		}
		t.epochs = t.epochs[1:]
		t.oldest++
	}
}

// Arrived ends the current epoch, and returns a channel that is closed once the messages of it and of all epochs before have
// arrived; nil if no message is in transit.
func (t *Transit) Arrived() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := len(t.epochs) - 1
	if t.epochs[last].count == 0 {
		if last == 0 {
			return nil
		}
		last-- // nothing was sent since somebody asked
	} else {
		t.epochs = append(t.epochs, epoch{})
	}
	if t.epochs[last].ended == nil {
		t.epochs[last].ended = make(chan struct{})
	}
	return t.epochs[last].ended
}
