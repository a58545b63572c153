package actors

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
)

// A pass is what every shard does once for a version of the definitions: it looks through its stored events (fill), or evaluates its
// people (tell).
//
// Several processes make a pass together. Each does the parts of the shards that it has, and any of them may find that the pass is over:
//
//	parts of the shards here ──► all shards, here and there, are through ──► Visible: what this process sent has landed
//	      ▲                        │ not yet: a shard may have come here                    │ said to all that ask
//	      └────────────────────────┤                                                        ▼
//	                               └──── not all have said so ◄──── all processes that are there have said so
//	                                                                                        │
//	the catalog has it: all others see it ◄── what processes sent that are no more has landed ◄──┘
//
// Invariants:
//   - How far a shard is, is in its rows, and moves with them. So a pass needs no process to stay, and no list of tasks.
//   - A pass is over only once all that was under way when the last shard was through has landed, from whichever process.
//
// The obvious design, one process that asks all shards and then waits for its own messages, ends too early: a patch that another
// process has sent may still be on its way.
type pass struct {
	version uint64
	tell    bool
}

// nextPass is the pass that is due for what is defined; false if none is.
func nextPass(now *audiences.State) (pass, bool) {
	switch {
	case now == nil || now.Filled == now.Version && now.Told == now.Served:
		return pass{}, false
	case now.Filled == now.Version:
		return pass{now.Served, true}, true
	}
	return pass{now.Version, false}, true
}

// number orders passes: a process that has made one has no more to do for those before it.
func (p pass) number() uint64 {
	if p.tell {
		return 2*p.version + 1
	}
	return 2 * p.version
}

// through reports whether a shard has made the pass.
func (p pass) through(filled, told uint64) bool {
	if p.tell {
		return told >= p.version
	}
	return filled >= p.version
}

// progress is what one process says of passes.
type progress struct {
	session uint32
	over    uint64 // number of the last pass after which all that this process sent has landed
	shards  []shardProgress
}

type shardProgress struct {
	id           graph.ShardID
	filled, told uint64
}

func (p *progress) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(p.session))
	b = binary.AppendUvarint(b, p.over)
	b = binary.AppendUvarint(b, uint64(len(p.shards)))
	for _, s := range p.shards {
		b = binary.AppendUvarint(b, uint64(s.id))
		b = binary.AppendUvarint(b, s.filled)
		b = binary.AppendUvarint(b, s.told)
	}
	return b
}

func readProgress(r *wireReader) (progress, error) {
	p := progress{session: uint32(r.below(1 << 32)), over: r.uint()}
	p.shards = make([]shardProgress, r.count(3))
	for i := range p.shards {
		p.shards[i] = shardProgress{graph.ShardID(r.below(1 << 16)), r.uint(), r.uint()}
	}
	return p, r.end()
}

// progress is what this process says. A shard that is lost meanwhile is left out.
func (f *filler) progress(ctx context.Context) (progress, error) {
	e := f.engine
	p := progress{session: e.transit.Session(), over: f.over.Load()}
	for id, r := range e.runners {
		if !r.here() {
			continue
		}
		at := shardProgress{id: graph.ShardID(id)}
		err := e.ask(ctx, at.id, func(s *shard.Shard) error {
			at.filled, at.told = s.Filled(), s.Told()
			return nil
		})
		if err != nil {
			return p, err
		}
		p.shards = append(p.shards, at)
	}
	return p, nil
}

// passAgain is the wait before a process asks again how far the others are.
var passAgain = backoff.Doubling{First: 10 * time.Millisecond, Most: time.Second}

// make makes a pass, until it is over or another one is due. It reports whether it is over.
func (f *filler) make(ctx context.Context, p pass) (over bool, err error) {
	e := f.engine
	for attempt := 0; ; attempt++ {
		if due, ok := nextPass(e.Audiences()); !ok || due != p {
			return false, nil
		}
		if err := f.parts(ctx, p); err != nil {
			return false, err
		}
		if e.network == nil {
			return true, e.Visible(ctx)
		}
		switch over, err := f.agreed(ctx, p); {
		case e.Err() != nil:
			return false, e.Err()
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err == nil && over:
			return true, nil
		}
		if err := backoff.Sleep(ctx, passAgain.Wait(attempt)); err != nil {
			return false, err
		}
	}
}

// agreed reports whether a pass is over in all processes. An error says that somebody did not answer.
func (f *filler) agreed(ctx context.Context, p pass) (bool, error) {
	all, err := gather(ctx, f.engine.queries.far, askPasses, nil, func() (progress, error) { return f.progress(ctx) }, readProgress)
	if err != nil || !f.allThrough(all, p) {
		return false, err
	}
	if f.over.Load() < p.number() {
		if err := f.engine.Visible(ctx); err != nil {
			return false, err
		}
		f.raise(p.number())
		all[0].over = p.number()
	}
	sessions := make([]uint32, len(all))
	for i := range all {
		if all[i].over < p.number() {
			return false, nil
		}
		sessions[i] = all[i].session
	}
	return true, f.engine.departed(ctx, sessions)
}

// raise notes the last pass that is over here.
func (f *filler) raise(number uint64) {
	for {
		was := f.over.Load()
		if was >= number || f.over.CompareAndSwap(was, number) {
			return
		}
	}
}

// allThrough reports whether each shard is with one process, and has made the pass there.
func (f *filler) allThrough(all []progress, p pass) bool {
	seen := make([]int, len(f.engine.runners))
	for i := range all {
		for _, s := range all[i].shards {
			if int(s.id) >= len(seen) || !p.through(s.filled, s.told) {
				return false
			}
			seen[s.id]++
		}
	}
	return !slices.ContainsFunc(seen, func(n int) bool { return n != 1 })
}

// departed waits until what processes sent that are no more has landed: those whose sessions are not among these.
func (f far) departed(ctx context.Context, sessions []uint32) error {
	body := binary.AppendUvarint(nil, uint64(len(sessions)))
	for _, s := range sessions {
		body = binary.AppendUvarint(body, uint64(s))
	}
	return f.agree(ctx, askDeparted, body,
		func() (look, error) { return f.landedBut(sessions), nil },
		func(l look) bool { return l.a == l.b })
}

// landedBut says what this process has counted of all sessions but some.
func (p *pool) landedBut(sessions []uint32) look {
	return p.look(func() (sent, landed uint64) { return p.transit.SumsBut(sessions) })
}

func readSessions(r *wireReader) ([]uint32, error) {
	sessions := make([]uint32, r.count(1))
	for i := range sessions {
		sessions[i] = uint32(r.below(1 << 32))
	}
	return sessions, r.end()
}
