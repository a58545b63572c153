package shard

import (
	"sync"

	"github.com/kindred-id/kindred/graph"
)

// Flights counts the messages between shards that are not acknowledged, by epoch, so that a caller
// can wait until what is under way now, and whatever follows from it, has arrived.
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
// It lives in memory alone. A nil Flights counts nothing.
type Flights struct {
	mu     sync.Mutex                   // guards the following
	oldest uint64                       // epochs are numbered from 1
	epochs []epoch                      // from oldest on; the last is the current one
	left   map[graph.ShardID][]outgoing // messages of shards that were closed, bodies aside
}

type epoch struct {
	count int           // messages not acknowledged
	ended chan struct{} // closed when there are none of this epoch and those before; nil when nobody waits
}

// NewFlights counts none yet.
func NewFlights() *Flights { return &Flights{oldest: 1, epochs: make([]epoch, 1)} }

// launch counts messages that are about to be sent, and gives those that follow from an input from
// outside, of epoch 0, their epoch.
func (f *Flights) launch(messages []sending) {
	if f == nil || len(messages) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	current := f.oldest + uint64(len(f.epochs)) - 1
	for i := range messages {
		m := &messages[i]
		if m.epoch == 0 {
			m.epoch = current
		}
		m.epoch = max(m.epoch, f.oldest)
		f.epochs[m.epoch-f.oldest].count++
	}
}

// relaunch counts a message that a recovery found in the log, as one of the oldest: a caller that waits for
// anything waits for it.
func (f *Flights) relaunch() uint64 {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epochs[0].count++
	return f.oldest
}

// land counts messages off.
func (f *Flights) land(messages []outgoing) {
	if f == nil || len(messages) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.landLocked(messages)
}

// leave keeps the messages of a shard that is closed counted, until enter.
func (f *Flights) leave(id graph.ShardID, messages []outgoing) {
	if f == nil || len(messages) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == nil {
		f.left = make(map[graph.ShardID][]outgoing)
	}
	for i := range messages {
		f.left[id] = append(f.left[id], outgoing{Wire: Wire{Epoch: messages[i].Epoch}})
	}
}

// enter counts off what leave kept: the shard is open again, and has relaunched what it found in its log.
func (f *Flights) enter(id graph.ShardID) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.landLocked(f.left[id])
	delete(f.left, id)
}

// landLocked counts messages off. REQUIRES: f.mu held
func (f *Flights) landLocked(messages []outgoing) {
	for i := range messages {
		f.epochs[messages[i].Epoch-f.oldest].count--
	}
	for len(f.epochs) > 1 && f.epochs[0].count == 0 {
		if ended := f.epochs[0].ended; ended != nil {
			close(ended)
		}
		f.epochs = f.epochs[1:]
		f.oldest++
	}
}

// Landed ends the current epoch, and gives what is closed once it and all before it have arrived; nil
// when nothing is under way.
func (f *Flights) Landed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := len(f.epochs) - 1
	if f.epochs[last].count == 0 {
		if last == 0 {
			return nil
		}
		last-- // nothing was sent since somebody asked
	} else {
		f.epochs = append(f.epochs, epoch{})
	}
	if f.epochs[last].ended == nil {
		f.epochs[last].ended = make(chan struct{})
	}
	return f.epochs[last].ended
}
