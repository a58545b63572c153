package shard_test

import (
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/storage"
)

// Shards leave the process and come back while everything else goes on, as the engine lets them:
//
//	here ──yield──► yielding ──flushed──► away ──take──► here
//	  └───lose, a batch on its way or not────┘
//
// A shard that is away answers Elsewhere, and loses what the network brings. One that was lost may have a batch on its way
// to the store, which arrives or does not, but never after the shard was taken again (A12).

// here reports whether a shard takes inputs.
func (sh *simShard) here() bool { return sh.state != simAway && !sh.yielding }

// allHere reports whether no shard is away.
func (s *simulation) allHere() bool {
	return !slices.ContainsFunc(s.shards, func(sh *simShard) bool { return sh.state == simAway })
}

// submit hands an input from outside to its shard.
func (s *simulation) submit(in simInput) {
	sh := s.shards[in.to]
	if !sh.here() {
		s.refuse([]simInput{in})
		return
	}
	sh.inbox = append(sh.inbox, in)
}

// refuse answers inputs that no shard takes, and their senders send them again.
func (s *simulation) refuse(batch []simInput) {
	inputs := make([]shard.Input, len(batch))
	for i := range batch {
		inputs[i] = batch[i].Input
	}
	shard.Refuse(inputs)
	s.answer(batch, inputs)
}

// refused sends an input again that was answered Elsewhere.
func (s *simulation) refused(in *simInput) {
	s.met.elsewhere++
	if r := in.record; r != nil {
		if c := r.consumer; c.life == r.life {
			c.begun = false
		}
		return
	}
	in.offer.handed = false
	s.feeder.queue = append(s.feeder.queue, in.offer)
}

// lose lets a shard go at once, whatever it is doing.
func (s *simulation) lose() bool {
	if s.closings == 0 {
		return false
	}
	sh := s.one(func(sh *simShard) bool { return sh.state != simAway })
	if sh == nil {
		return false
	}
	s.closings--
	s.note("lose", uint64(sh.id), uint64(sh.state), uint64(len(sh.batch)), uint64(len(sh.inbox)))
	s.met.lostShards++
	undone := sh.state == simStepped
	if undone && s.percent(50) {
		sh.late, undone = sh.Batch(), false
	}
	sh.sealing = false
	s.away(sh)
	if undone && s.sweep.state == asked { // roots were listed that never came about
		s.beginSweep()
	}
	return true
}

// away closes a shard.
func (s *simulation) away(sh *simShard) {
	sh.arrivals = slices.DeleteFunc(sh.arrivals, func(a *shard.Arrival) bool { return isClosed(a.Done()) })
	sh.Close()
	for _, a := range sh.arrivals {
		if isClosed(a.Done()) && a.Err() == nil {
			s.failf("shard %d left, and a look-up is told that evidence has arrived from there", sh.id)
		}
	}
	shard.Refuse(sh.inputs)
	batch, inputs, inbox := sh.batch, sh.inputs, sh.inbox
	*sh = simShard{id: sh.id, state: simAway, simPlace: simPlace{late: sh.late, sealed: sh.sealing}}
	s.answer(batch, inputs)
	s.refuse(inbox)
}

// yield lets a shard go once all that it holds is written.
func (s *simulation) yield() bool {
	if s.closings == 0 {
		return false
	}
	sh := s.one((*simShard).here)
	if sh == nil {
		return false
	}
	s.closings--
	s.note("yield", uint64(sh.id))
	s.met.yielded++
	sh.yielding = true
	inbox := sh.inbox
	sh.inbox = nil
	s.refuse(inbox)
	return true
}

// seal lets a shard that is to leave write a part of what it holds. It leaves with the commit of the last part.
func (s *simulation) seal() bool {
	sh := s.one(func(sh *simShard) bool { return sh.yielding && sh.state == simIdle })
	if sh == nil {
		return false
	}
	sh.sealing = !s.flushShard(sh)
	return true
}

// arriveLate commits a batch of a shard that was lost meanwhile.
func (s *simulation) arriveLate() bool {
	sh := s.one(func(sh *simShard) bool { return sh.late != nil })
	if sh == nil {
		return false
	}
	s.note("late", uint64(sh.id))
	s.met.late++
	s.must(s.store.Commit(sh.late), "commit")
	sh.late = nil
	return true
}

// take opens a shard again.
func (s *simulation) take() bool {
	sh := s.one(func(sh *simShard) bool { return sh.state == simAway && sh.late == nil })
	if sh == nil {
		return false
	}
	s.note("take", uint64(sh.id))
	late, sealed := sh.late, sh.sealed
	*sh = *s.openShard(sh.id)
	sh.late = late
	if sealed && sh.Replayed() {
		s.failf("shard %d was yielded, and its log has what its rows lack", sh.id)
	}
	sh.Sweep(s.sweep.on)
	s.tookAgain(sh)
	return true
}

// takeAll brings all shards back.
func (s *simulation) takeAll() {
	for s.arriveLate() || s.take() {
	}
	for _, sh := range s.shards {
		sh.yielding, sh.sealing = false, false
	}
}

// tookAgain checks that a shard says no less of external channels than it had told or answered.
func (s *simulation) tookAgain(sh *simShard) {
	for _, p := range s.topic {
		at := sh.Position(p.id)
		if at < p.taken[sh.id] || at < p.told[sh.id] {
			s.failf("shard %d has taken channel %d up to %d, and had answered %d and told %d", sh.id, p.id, at, p.taken[sh.id], p.told[sh.id])
		}
		p.taken[sh.id], p.told[sh.id] = at, at
	}
}

// simPlace is where a shard is.
type simPlace struct {
	yielding bool             // nothing more is taken: it is flushed, and leaves
	sealing  bool             // the last part of that flush is on its way to the store
	sealed   bool             // it left with all written
	arrivals []*shard.Arrival // what look-ups wait for
	late     *storage.Batch   // of a shard that was lost: on its way to the store
}
