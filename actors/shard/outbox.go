package shard

import (
	"slices"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
)

// Envelope travels from shard to shard: messages of the channel between them, and what the sender
// has taken of the channel in the other direction. It may be lost, repeated, delayed or overtaken.
type Envelope struct {
	From     graph.ShardID
	Messages []Wire
	Acked    uint64 // valid with HasAck
	HasAck   bool
	Clock    uint64 // of the change feed where the sender is, as the envelope leaves for another process; else 0
	Edition  uint64 // of the definitions there, likewise
}

// Wire is one message of a channel. Numbers start at 1 and have no gaps.
type Wire struct {
	Seq   uint64
	Body  []byte
	Epoch uint64 // of Transit
}

// Bounds of what a sender has under way to one shard before it waits for an ack.
const (
	windowMessages = 256
	windowBytes    = 1 << 20

	ResendAfter = 200  // ms, doubling
	resendMost  = 5000 // ms
)

// resend is the wait for an ack before messages are sent again.
var resend = backoff.Doubling{First: ResendAfter * time.Millisecond, Most: resendMost * time.Millisecond}

// outbox holds the messages to one shard that it has not acknowledged. They are durable in the log
// records that they were sent in.
type outbox struct {
	sent    uint64 // number of the last message
	ready   uint64 // the last one whose record is durable: later ones must not leave yet (A1)
	acked   uint64 // the last one acknowledged
	waiting []outgoing
	bytes   int        // of waiting
	room    []outgoing // what waiting begins in, for when it is empty again
	flown   int        // how many of waiting are under way
	flying  int        // their bytes
	last    int64      // when the last one was put on its way, ms
	resends int        // since the last ack
	noted   uint64     // acked, as the log knows it
	// moved says of forwards that don't themselves, since they were passivated or recovered: by root, the
	// last message that may hold their evidence.
	moved   map[graph.NodeKey]uint64
	waits   []*Arrival // what somebody waits for, in no order
	transit *Transit
}

// Arrival is what a look-up waits for: that the evidence of a forward has arrived at its parent.
type Arrival struct {
	seq  uint64 // of the message that carries it
	done chan struct{}
	err  error // valid once done is closed
}

// Done is closed when the message was acknowledged, or when it is no longer known whether it was.
func (a *Arrival) Done() <-chan struct{} { return a.done }

// Err is ErrLost if the shard that sends the message was closed first. REQUIRES: Done is closed
func (a *Arrival) Err() error { return a.err }

type outgoing struct {
	Wire
	record uint64 // the log record that holds it
	brings bool   // it brings an event on
}

// Above these bounds an outbox is crowded, and its process takes nothing more in from outside: the shard that it sends to
// is with no process, or far behind. Messages of other shards are taken all the same, as they are finite.
const (
	crowdedMessages = 10_000
	crowdedBytes    = 16 << 20
)

// crowded reports whether so much waits that intake has to stop.
func (o *outbox) crowded() bool { return len(o.waiting) > crowdedMessages || o.bytes > crowdedBytes }

// roomKept is how many messages an outbox keeps room for while none waits.
const roomKept = 16

// wait puts a message at the end.
func (o *outbox) wait(m outgoing) {
	if len(o.waiting) == 0 {
		o.waiting = o.room[:0]
	}
	o.bytes += len(m.Body)
	if o.waiting = append(o.waiting, m); cap(o.waiting) > cap(o.room) && cap(o.waiting) <= roomKept {
		o.room = o.waiting[:0]
	}
}

// acknowledge drops what the other shard has taken.
func (o *outbox) acknowledge(seq uint64) {
	if seq <= o.acked {
		return
	}
	o.acked = seq
	n := 0
	for n < len(o.waiting) && o.waiting[n].Seq <= seq {
		o.bytes -= len(o.waiting[n].Body)
		if n < o.flown {
			o.flying -= len(o.waiting[n].Body)
		}
		n++
	}
	o.transit.arrive(o.waiting[:n])
	clear(o.waiting[:n])
	o.waiting = o.waiting[n:]
	if len(o.waiting) == 0 {
		o.waiting, o.moved = nil, nil
	}
	o.answer()
	o.flown = max(0, o.flown-n)
	o.resends = 0
}

// fly appends what the window has room for.
func (o *outbox) fly(wires []Wire, now int64) []Wire {
	before := len(wires)
	for o.flown < len(o.waiting) && o.waiting[o.flown].Seq <= o.ready && o.flown < windowMessages &&
		(o.flying == 0 || o.flying+len(o.waiting[o.flown].Body) <= windowBytes) {
		w := o.waiting[o.flown].Wire
		wires = append(wires, w)
		o.flying += len(w.Body)
		o.flown++
	}
	if len(wires) > before {
		o.last = now
	}
	return wires
}

// overdue puts what is under way back when no ack came for too long.
func (o *outbox) overdue(now int64) bool {
	if o.flown == 0 || now-o.last < resend.Wait(o.resends).Milliseconds() {
		return false
	}
	o.flown, o.flying = 0, 0
	o.resends++
	return true
}

// arrived reports whether a message was acknowledged.
func (o *outbox) arrived(seq uint64) bool { return len(o.waiting) == 0 || seq < o.waiting[0].Seq }

// noteMoved keeps that a message to root may hold evidence of a forward to it.
func (o *outbox) noteMoved(root graph.NodeKey, seq uint64) {
	if o.arrived(seq) {
		return
	}
	if o.moved == nil {
		o.moved = make(map[graph.NodeKey]uint64)
	}
	o.moved[root] = max(o.moved[root], seq)
}

// arrival gives what ends when a message was acknowledged.
func (o *outbox) arrival(seq uint64) *Arrival {
	for _, w := range o.waits {
		if w.seq == seq {
			return w
		}
	}
	w := &Arrival{seq: seq, done: make(chan struct{})}
	o.waits = append(o.waits, w)
	return w
}

// abandon ends the outbox of a shard that is closed.
func (o *outbox) abandon(of graph.ShardID) {
	for _, w := range o.waits {
		w.err = ErrLost
		close(w.done)
	}
	o.waits = nil
	o.transit.leave(of, o.waiting)
}

// answer tells those whose message has arrived.
func (o *outbox) answer() {
	if len(o.waits) == 0 {
		return
	}
	o.waits = slices.DeleteFunc(o.waits, func(w *Arrival) bool {
		if o.arrived(w.seq) {
			close(w.done)
			return true
		}
		return false
	})
}

// oldest is the record that holds the first unacknowledged message; 0 when there is none.
func (o *outbox) oldest() uint64 {
	if len(o.waiting) == 0 {
		return 0
	}
	return o.waiting[0].record
}

// Post is an envelope and where it goes. Its list of messages is valid until the next call of its shard; the bodies never
// change.
type Post struct {
	To graph.ShardID
	Envelope
}
