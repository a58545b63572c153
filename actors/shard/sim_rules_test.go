package shard_test

import (
	"context"
	"slices"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
)

// sweep is what Engine.Recheck does, in steps between which everything else goes on.
type sweep struct {
	state  sweepState
	landed <-chan struct{} // closed when what was under way as it began has arrived
	on     bool            // evidence that moves is followed by a Recheck
}

type sweepState uint8

const (
	swept    sweepState = iota
	sweeping            // once that has arrived, every root is to be asked
	asked               // the answers are to come
)

// changeRules ends the process in the middle of everything, and starts it under other rules: first once
// more under the old ones, until nothing is under way and everything is written, since a log means what
// it says under the rules that it was written under.
func (s *simulation) changeRules(rules *graph.Rules) {
	s.note("rules", rules.Version)
	s.met.changes++
	s.crash()
	s.sweep.state = sweeping
	s.judgeBy(rules)
	s.beginSweep()
}

// judgeBy changes the rules, as the engine does when it is opened: in the middle, between any two of its steps, the process may
// die.
func (s *simulation) judgeBy(rules *graph.Rules) {
	s.drain(func() {}, func() bool { return true }, func() bool { return false })
	s.flushAll()
	s.rules = rules
	died := s.percent(20) // before the catalog has the new rules: the next start finds nothing to finish
	if !died {
		s.prepare()
		died = s.percent(20) // before the shards know of them
	}
	if died {
		s.restart()
		return
	}
	for _, sh := range s.shards {
		s.must(sh.ChangeRules(rules, s.host(rules), s.observers(sh.id, sh.news)), "change the rules")
	}
}

// prepare tells the catalog of the rules in force, and opens the feed under them.
func (s *simulation) prepare() {
	settings := feed.Settings{On: s.p.feed}
	err := s.rows.Change(context.Background(), func(change *catalog.Change) error {
		return feed.Prepare(change, s.rules, settings, s.now)
	})
	s.must(err, "change the catalog")
	s.feed, err = feed.Open(s.store, s.rows, s.p.shards, s.rules, settings)
	s.must(err, "open the feed")
}

// beginSweep begins to judge everything again.
func (s *simulation) beginSweep() {
	f := &s.feeder
	old := func(o *offer) bool { return o.recheck != nil }
	f.offers, f.queue = slices.DeleteFunc(f.offers, old), slices.DeleteFunc(f.queue, old)
	s.switchSweep(true)
	s.sweep.state, s.sweep.landed = sweeping, s.transit.Arrived()
}

// askSweep asks every root to judge again, and sees when all have. It returns false when
// there is nothing to do.
func (s *simulation) askSweep() bool {
	f := &s.feeder
	switch s.sweep.state {
	case sweeping:
		if !closedOrNil(s.sweep.landed) || !s.allHere() {
			return false
		}
		s.met.sweeps++
		for _, key := range s.keys() {
			sight, err := s.shardOf(key).Read(key, func(*graph.Component) {})
			s.must(err, "view a node")
			if !sight.Found || !sight.Parent.IsZero() {
				continue
			}
			m := &graph.Message{Kind: graph.KindRecheck, To: key}
			o := &offer{recheck: m, to: key.Shard(s.p.shards), body: s.enc.Message(nil, m)}
			f.offers, f.queue = append(f.offers, o), append(f.queue, o)
		}
		s.sweep.state = asked
		return true
	case asked:
		if !slices.ContainsFunc(f.offers, func(o *offer) bool { return o.recheck != nil && !o.answered }) {
			s.sweep.state, s.sweep.landed = swept, s.transit.Arrived()
		}
	case swept:
		if s.sweep.on && closedOrNil(s.sweep.landed) {
			s.switchSweep(false)
		}
	}
	return false
}

// switchSweep tells shards whether everything is being judged again. Those that are away are told when they are taken.
func (s *simulation) switchSweep(on bool) {
	s.sweep.on = on
	for _, sh := range s.shards {
		if sh.state != simAway {
			sh.Sweep(on)
		}
	}
}
