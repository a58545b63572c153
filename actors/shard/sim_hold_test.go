package shard_test

import (
	"errors"
	"slices"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/hold"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/cluster/journal/journaltest"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// simHold is what Engine.Hold does, in steps between which everything else goes on: the gates of nodes are shut one by one, each node
// says on its own what is under way, and the rows of each shard are taken on their own. Some nodes may not be seen, although they own
// shards. Rows of a moment that was held have to make the people of all events once those are sent again.
type simHold struct {
	state   holdState
	tried   int
	healed  int
	token   uint64
	until   int64
	nodes   []int
	gates   map[uint64]simGate // by process
	next    int                // the node whose turn it is
	parts   []hold.Part        // of the look under way
	first   []hold.Part
	machine []*nodeShard   // by shard of the second look, in order
	rows    *storage.Batch // taken between the looks
	before  []*graph.Event // were answered before it began
}

type holdState uint8

const (
	holdRests holdState = iota
	holdShuts
	holdLooks
	holdUses
	holdLooksAgain
	holdConfirms
)

// simGate is the gate of a process that is shut.
type simGate struct {
	token uint64
	opens int64 // by its own clock, if nobody opens it
}

// holdsMost is how often a schedule holds: most of it is for what else happens.
const (
	holdsMost   = 3
	holdsHealed = 1 // once all is well
)

// waits reports whether the gate of a node is shut.
func (h *simHold) waits(w *journaltest.World, node int) bool { return h.shutBy(w, node) != 0 }

// shutBy is the token for which the gate of a node is shut; 0 if it is open.
func (h *simHold) shutBy(w *journaltest.World, node int) uint64 {
	boot, now := w.Process(node)
	if g, shut := h.gates[boot]; shut && now < g.opens {
		return g.token
	}
	delete(h.gates, boot)
	return 0
}

// act goes on with the hold, or begins one.
func (h *simHold) act(w *journaltest.World, p *nodesProgram) {
	if h.state == holdRests {
		if h.tried < holdsMost && w.Rand().IntN(40) == 0 || w.Healed() && h.healed < holdsHealed {
			h.begin(w, p)
		}
		return
	}
	if w.Now() > h.until {
		h.lost(w)
		return
	}
	for range 1 + w.Rand().IntN(3) {
		if h.state != holdRests {
			h.step(w, p)
		}
	}
}

func (h *simHold) begin(w *journaltest.World, p *nodesProgram) {
	h.tried++
	h.token++
	if w.Healed() {
		h.healed++
	}
	if h.gates == nil {
		h.gates = map[uint64]simGate{}
	}
	h.nodes, h.before, h.rows, h.next = nil, nil, &storage.Batch{}, 0
	for i := range w.Nodes() {
		if boot, _ := w.Process(i); boot != 0 && w.Rand().IntN(10) > 0 { // else it is not seen
			h.nodes = append(h.nodes, i)
		}
	}
	for _, o := range p.offers {
		if o.answered && o.in.Event != nil {
			h.before = append(h.before, o.in.Event)
		}
	}
	h.state, h.until = holdShuts, w.Now()+actors.HoldMost.Milliseconds()
}

// lost ends a hold that showed no moment. Its gates open by themselves, as if who held had died, or at once.
func (h *simHold) lost(w *journaltest.World) {
	w.Met.LostHolds++
	h.end(w)
}

func (h *simHold) end(w *journaltest.World) {
	if w.Rand().IntN(3) > 0 {
		clear(h.gates)
	}
	h.state = holdRests
}

// step lets one node do what is next.
func (h *simHold) step(w *journaltest.World, p *nodesProgram) {
	if h.state == holdConfirms {
		h.confirmed(w, p)
		return
	}
	if h.next == len(h.nodes) {
		h.over(w, p)
		return
	}
	node := h.nodes[h.next]
	boot, now := w.Process(node)
	if boot == 0 {
		return // it does not answer
	}
	switch h.state {
	case holdShuts:
		if h.shutBy(w, node) != 0 {
			h.lost(w)
			return
		}
		h.gates[boot] = simGate{h.token, now + actors.HoldMost.Milliseconds()}
	case holdLooks, holdLooksAgain:
		h.parts = append(h.parts, h.part(w, node))
	case holdUses:
		for _, m := range w.Machines(node) {
			m.(*nodeShard).rows(h.rows)
		}
	}
	h.next++
}

// part is what a node says.
func (h *simHold) part(w *journaltest.World, node int) hold.Part {
	part := hold.Part{Session: uint32(node), Shut: h.shutBy(w, node) == h.token}
	for _, machine := range w.Machines(node) {
		m := machine.(*nodeShard)
		for _, in := range slices.Concat(m.inbox, m.batch) {
			if in.offer != nil {
				part.Past++
			}
		}
		stats := m.Stats()
		part.Shards = append(part.Shards, hold.Shard{ID: m.id, Opening: m.opening, Record: stats.Record, Waiting: uint64(stats.Waiting)})
		if h.state == holdLooksAgain {
			h.machine = append(h.machine, m)
		}
	}
	if h.state == holdLooksAgain {
		for i := range part.Shards {
			at := &part.Shards[i]
			w.Confirm(h.machine[len(h.machine)-len(part.Shards)+i], func() { at.Confirmed = true })
		}
	}
	return part
}

// over goes on once every node had its turn.
func (h *simHold) over(w *journaltest.World, p *nodesProgram) {
	h.next = 0
	switch h.state {
	case holdShuts:
		h.state, h.parts = holdLooks, nil
	case holdLooks:
		err := hold.Quiet(h.parts, p.shards)
		if errors.Is(err, hold.ErrLost) {
			h.lost(w)
			return
		}
		if h.first, h.parts = h.parts, nil; err == nil {
			h.state = holdUses
		}
	case holdUses:
		h.state, h.parts, h.machine = holdLooksAgain, nil, nil
	case holdLooksAgain:
		h.state = holdConfirms
	}
}

// confirmed ends a hold once the journal has confirmed what it does, or will not.
func (h *simHold) confirmed(w *journaltest.World, p *nodesProgram) {
	waits := slices.ContainsFunc(h.parts, func(part hold.Part) bool {
		return slices.ContainsFunc(part.Shards, func(s hold.Shard) bool { return !s.Confirmed })
	})
	if waits && w.Rand().IntN(40) > 0 {
		return
	}
	if err := hold.Held(h.first, h.parts, p.shards); err != nil {
		h.lost(w)
		return
	}
	w.Met.Holds++
	h.end(w)
	h.check(w, p)
}

// check makes one process of the rows of the moment, sends everything to it again, and compares its people.
func (h *simHold) check(w *journaltest.World, p *nodesProgram) {
	alone := &aloneShards{w: w, store: p.verify(w, h.rows), shards: make([]*shard.Shard, p.shards)}
	for id := range alone.shards {
		m, err := p.Open(w, -1, graph.ShardID(id), 0, alone.store)
		w.Must(err, "open a shard of a held moment")
		alone.shards[id] = m.(*nodeShard).Shard
	}
	for _, e := range h.before {
		m := &nodeShard{Shard: alone.shards[e.Route().Shard(p.shards)], w: w, of: p, node: -1}
		m.sees(e, "of a held moment")
	}
	records := alone.records()
	for _, sh := range alone.shards {
		alone.posts = append(alone.posts, clonePosts(sh.Tick(w.Now()))...)
	}
	alone.settle()
	if !slices.Equal(alone.records(), records) {
		w.Failf("messages are between shards in a held moment")
	}
	for _, o := range p.offers {
		in := o.in
		in.Outcome = new(shard.Outcome)
		alone.step(o.to, in)
		alone.settle()
	}
	p.checkPeopleOf(w, func(id graph.ShardID) (*shard.Shard, int) { return alone.shards[id], 0 })
	for _, sh := range alone.shards {
		sh.Close()
	}
}

// aloneShards are all shards in one process, with nothing lost.
type aloneShards struct {
	w      *journaltest.World
	store  *storage.MemStore
	shards []*shard.Shard
	posts  []shard.Post // in the order in which they arrive
}

func (a *aloneShards) records() (last []uint64) {
	for _, sh := range a.shards {
		last = append(last, sh.Stats().Record)
	}
	return last
}

func (a *aloneShards) step(to graph.ShardID, inputs ...shard.Input) {
	sh, now := a.shards[to], a.w.Now()
	changed, err := sh.Step(inputs, now)
	a.w.Must(err, "step")
	if changed {
		a.w.Must(a.store.Commit(sh.Batch()), "commit")
	}
	a.posts = append(a.posts, clonePosts(sh.Committed(now))...)
}

// settle lets everything arrive.
func (a *aloneShards) settle() {
	for len(a.posts) > 0 {
		post := a.posts[0]
		a.posts = a.posts[1:]
		if post.HasAck {
			a.posts = append(a.posts, clonePosts(a.shards[post.To].Acked(post.From, post.Acked, a.w.Now()))...)
		}
		var inputs []shard.Input
		for _, wire := range post.Messages {
			inputs = append(inputs, shard.Input{From: post.From, Seq: wire.Seq, Body: wire.Body})
		}
		if len(inputs) > 0 {
			a.step(post.To, inputs...)
		}
	}
}
