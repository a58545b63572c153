package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/shard"
)

// gate stands between deliveries and the shards that are here. While it is shut, what comes waits, from this process and from others:
// messages between shards pass, so that what is under way ends.
//
//	intake.give ──► pass ──► inboxes
//	                  └──► waiting ──► inboxes, at the opening
//
// Invariants:
//   - past counts what went through and is not answered: of an input and a gate that is being shut, either the input waits, or who
//     looks after that finds it in past.
//   - inputs pass in the order in which they came, whether they had to wait or not.
//   - a gate that nobody opens opens by itself. A token shuts it once.
//
// The deliveries that wait are bounded by the room of the intake, of which they have their share.
type gate struct {
	past atomic.Int64 // inputs from outside that went through, and are not answered
	shut atomic.Bool

	mu      sync.Mutex // guards the following
	token   uint64     // of the one who shut it; 0: it is open
	opens   *time.Timer
	waiting []parked
}

// parked is a part of a delivery that waits.
type parked struct {
	to     *runner
	inputs []shard.Input
}

// pass hands inputs from outside to their shard, at once or when the gate is opened.
//
// past is raised before the look at shut, and the one who shuts the gate looks at past after that: one of the two sees the other.
func (g *gate) pass(to *runner, inputs []shard.Input) {
	g.past.Add(int64(len(inputs)))
	if g.shut.Load() && g.park(to, inputs) {
		return
	}
	to.inbox.postInputs(inputs)
}

// park lets inputs wait. It reports whether they do: the gate may have been opened meanwhile.
func (g *gate) park(to *runner, inputs []shard.Input) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == 0 {
		return false
	}
	g.past.Add(-int64(len(inputs)))
	g.waiting = append(g.waiting, parked{to, inputs})
	return true
}

// answered says that inputs which went through are answered.
func (g *gate) answered(n int) { g.past.Add(-int64(n)) }

// shutFor shuts the gate, for a time at most. It reports whether it did: not while it is shut for somebody else.
func (g *gate) shutFor(token uint64, limit time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token != 0 || token == 0 {
		return false
	}
	g.token = token
	g.shut.Store(true)
	g.opens = time.AfterFunc(limit, func() { g.open(token) })
	return true
}

// open opens the gate, if it is shut for a token, and reports whether it was. Inputs that have waited go first.
func (g *gate) open(token uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if token == 0 || g.token != token {
		return false
	}
	g.opens.Stop()
	for _, p := range g.waiting {
		g.past.Add(int64(len(p.inputs)))
		p.to.inbox.postInputs(p.inputs)
	}
	g.waiting, g.token = nil, 0
	g.shut.Store(false)
	return true
}

// shutBy reports whether the gate is shut for a token.
func (g *gate) shutBy(token uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.token == token
}
