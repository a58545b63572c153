package shard_test

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/actors/audit"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage/row"
)

// keys are all nodes that the input names, in descending rank.
func (s *simulation) keys() []graph.NodeKey {
	return slices.SortedFunc(maps.Keys(s.names), func(a, b graph.NodeKey) int { return b.Compare(a) })
}

func (s *simulation) shardOf(key graph.NodeKey) *simShard { return s.shards[key.Shard(s.p.shards)] }

// rootOf follows the forwards of a node; zero when it was never seen. Each one must lead up (H1).
func (s *simulation) rootOf(key graph.NodeKey, fn func(*graph.Component)) graph.NodeKey {
	for {
		sight, err := s.shardOf(key).Read(key, fn)
		s.must(err, "view a node")
		switch {
		case !sight.Found:
			return graph.NodeKey{}
		case sight.Parent.IsZero():
			return key
		case !sight.Parent.Outranks(key):
			s.failf("H1: node %s forwards to %s, which does not outrank it", key, sight.Parent)
		}
		s.met.forwards++
		key = sight.Parent
	}
}

// check compares what the shards answer with what the oracle says, when nothing is under way.
func (s *simulation) check(want string, identities int) {
	profiles, rootOf := s.look()
	s.compare("memory", want, profiles)
	for _, key := range s.keys() {
		if rootOf[key] != key || s.turned {
			continue
		}
		_, err := s.shardOf(key).Read(key, func(c *graph.Component) { s.checkHosting(c, rootOf) })
		s.must(err, "view a root")
	}
	s.checkTimelines()
	s.checkSignals()
	s.checkCounters(identities)
}

// look reads all profiles in ascending order of id, and where every node leads.
func (s *simulation) look() ([]graph.Profile, map[graph.NodeKey]graph.NodeKey) {
	var profiles []graph.Profile
	roots := map[graph.NodeKey]bool{}
	rootOf := map[graph.NodeKey]graph.NodeKey{}
	show := func(c *graph.Component) {
		if roots[c.Root()] {
			return
		}
		roots[c.Root()] = true
		for _, p := range c.Profiles(s.rules, false) {
			for i := range p.Traits { // valid until the next message only
				p.Traits[i].Value = bytes.Clone(p.Traits[i].Value)
			}
			profiles = append(profiles, p)
		}
	}
	for _, key := range s.keys() {
		rootOf[key] = s.rootOf(key, show)
	}
	sortProfiles(profiles)
	return profiles, rootOf
}

func sortProfiles(profiles []graph.Profile) {
	slices.SortFunc(profiles, func(a, b graph.Profile) int { return a.ID.Compare(b.ID) })
}

// takeStock takes the profiles as they are for what is wanted from now on: where components reach
// their caps, who is who depends on what came first. No event is lost all the same.
func (s *simulation) takeStock() []graph.Profile {
	profiles, _ := s.look()
	var events uint64
	for i := range profiles {
		events += profiles[i].Events
	}
	if events != uint64(len(s.feeder.events)) {
		s.failf("profiles count %d events, want %d", events, len(s.feeder.events))
	}
	return profiles
}

// checkHosting checks that the members which a component claims do lead to its root, and that none of
// them outranks it (H5).
func (s *simulation) checkHosting(c *graph.Component, rootOf map[graph.NodeKey]graph.NodeKey) {
	for _, m := range c.Evidence().Members {
		if !m.Hosted || m.Generic {
			continue
		}
		if m.Key.Outranks(c.Root()) {
			s.failf("H5: root %s hosts %s, which outranks it", c.Root(), m.Key)
		}
		if root := rootOf[m.Key]; root != c.Root() {
			s.failf("root %s hosts %s, whose forwards lead to %s", c.Root(), m.Key, root)
		}
	}
}

func (s *simulation) compare(what, want string, profiles []graph.Profile) {
	sortProfiles(profiles)
	if got := oracle.Dump(profiles); got != want {
		s.failf("%s is not what the oracle says:\n%s", what, oracle.Diff(want, got))
	}
}

// checkRows compares the rows alone, once everything was written, and sees that the log is gone.
func (s *simulation) checkRows(want string) {
	var profiles []graph.Profile
	for _, sh := range s.shards {
		s.rowsOf(sh.id, func(key graph.NodeKey, stored []byte) {
			if _, ok := s.names[key]; !ok {
				s.failf("a row of node %s, which nothing names", key)
			}
			n, _, err := s.dec.Node(key, bytes.Clone(stored))
			s.must(err, "read the row of a node")
			if n.Component != nil {
				profiles = append(profiles, n.Component.Profiles(s.rules, false)...)
			}
		})
		records := 0
		err := s.store.Iterate(row.AppendShardLower(nil, row.SpaceLog, sh.id), row.AppendShardUpper(nil, row.SpaceLog, sh.id),
			func(_, _ []byte) error { records++; return nil })
		s.must(err, "read the log")
		if records > 1 {
			s.failf("log of shard %d: %d records are left after a flush, want the last one at most", sh.id, records)
		}
		if sh.LogLow() > 1 {
			s.met.truncated++
		}
	}
	s.compare("the store", want, profiles)
	s.verify()
}

// verify lets Verify look at the store, which must find nothing wrong at any moment: that is what an
// operator asks after a crash.
func (s *simulation) verify() {
	if s.turned {
		return
	}
	report, err := audit.Verify(context.Background(), s.store, nil)
	s.must(err, "verify")
	if !report.OK() {
		s.failf("verify finds %d problems, the first is %v", report.ProblemsTotal, report.Problems[0])
	}
}

// checkTimelines checks that every event that was taken is in one timeline, its route's, once.
func (s *simulation) checkTimelines() {
	found := map[uint64]bool{}
	for _, key := range s.keys() {
		s.timeline(key, func(e *graph.Event) {
			if found[e.Seen] {
				s.failf("event %q is in the timelines twice", e.ID)
			}
			found[e.Seen] = true
			if !s.feeder.events[e.Seen] {
				s.failf("event %q is in a timeline, and was never sent", e.ID)
			}
		})
	}
	if len(found) != len(s.feeder.events) {
		s.failf("%d events are in the timelines, want %d", len(found), len(s.feeder.events))
	}
}

func (s *simulation) timeline(key graph.NodeKey, fn func(*graph.Event)) {
	dec := row.NewDecoder()
	err := s.shardOf(key).Timeline(key, func(encoded []byte) error {
		e, err := dec.Event(bytes.Clone(encoded))
		if err != nil {
			return err
		}
		if e.Route() != key {
			s.failf("event %q is in the timeline of %s", e.ID, key)
		}
		fn(e)
		return nil
	})
	s.must(err, "read a timeline")
}

func (s *simulation) checkCounters(identities int) {
	var total shard.Counters
	for _, sh := range s.shards {
		total.Accepted += sh.Stats().Accepted
		total.Identities += sh.Stats().Identities
		total.Conflicting += sh.Stats().Conflicting
		total.Active += sh.Stats().Active
		again, err := sh.CountActive()
		s.must(err, "count identifiers with events")
		if counted := sh.Stats().Active; counted != again {
			s.failf("shard %d: %d identifiers have events, and %d are counted", sh.id, again, counted)
		}
	}
	// However the schedule went, merges follow from the evidence: they are the identifiers under which events came in, less
	// the identities.
	if total.Active != int64(len(s.feeder.routes)) {
		s.failf("%d identifiers with events were counted, want %d", total.Active, len(s.feeder.routes))
	}
	if total.Accepted != uint64(len(s.feeder.events)) {
		s.failf("%d events were counted, want %d", total.Accepted, len(s.feeder.events))
	}
	// Where ids are forgotten at once, the same id is a new one later.
	if want := oracle.Conflicting(s.feeder.taken); s.p.streamed < 100 && total.Conflicting != uint64(want) {
		s.failf("%d events of an id with another content were counted, want %d", total.Conflicting, want)
	}
	s.met.conflicting += total.Conflicting
	if total.Identities != int64(identities) {
		s.failf("%d identities were counted, want %d", total.Identities, identities)
	}
}

// read looks at a node at a moment when much is under way: what it sees is not all yet, and must
// still hang together.
func (s *simulation) read() bool {
	keys := s.keys()
	if len(keys) == 0 || !s.allHere() {
		return false
	}
	key := keys[s.rng.IntN(len(keys))]
	s.rootOf(key, func(c *graph.Component) { c.Profiles(s.rules, true) })
	found := map[uint64]bool{}
	s.timeline(key, func(e *graph.Event) {
		if found[e.Seen] {
			s.failf("event %q is in one timeline twice", e.ID)
		}
		found[e.Seen] = true
	})
	return true
}
