package shard_test

import (
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// watch is an event that was answered. It waits as Engine.Visible does; from then on the event must be
// found by each of its identifiers.
type watch struct {
	event  *graph.Event
	wait   shard.Wait
	landed <-chan struct{} // what the wait is for now
}

// await watches an event.
func (s *simulation) await(e *graph.Event) {
	w := watch{event: e, wait: s.transit.Wait()}
	w.landed = w.wait.Next()
	s.watched = append(s.watched, w)
}

// watch looks at the watched events whose time has come.
func (s *simulation) watch() {
	if s.sweep.on { // what was refused under other rules is claimed anew, on nobody's behalf
		return
	}
	kept := s.watched[:0]
	for _, w := range s.watched {
		if !w.over() || !s.visible(w.event) {
			kept = append(kept, w)
			continue
		}
		s.met.watched++
		s.found = append(s.found, w.event)
	}
	s.watched = kept
	s.stillKnown()
	s.hosted()
}

// stillKnown checks that an event which was found stays so, whatever has crashed since: the component that
// its route leads to knows its identifiers, or says that evidence is on its way.
func (s *simulation) stillKnown() {
	if len(s.found) == 0 {
		return
	}
	e := s.found[s.picks.IntN(len(s.found))]
	var members []graph.Member
	moving, _ := s.follow(e.Route(), func(c *graph.Component) { members = c.Evidence().Members })
	if moving || s.capped {
		return
	}
	for _, id := range e.Identifiers {
		if !slices.ContainsFunc(members, func(m graph.Member) bool { return m.Key == id.Key }) {
			s.failf("event %q was found, and the component of its route does not know %s any more", e.ID, id.Key)
		}
	}
}

// hosted checks that a look-up of what was found never ends at a component that does not host the node at which it began: at
// any moment the forwards lead to the root that does, or one of them reports evidence in transit. So Engine.Read waits at
// forwards; it begins again only for what was not found yet, and while all is judged again.
func (s *simulation) hosted() {
	if len(s.found) == 0 {
		return
	}
	e := s.found[s.picks.IntN(len(s.found))]
	key := e.Identifiers[s.picks.IntN(len(e.Identifiers))].Key
	hosted := false
	moving, found := s.follow(key, func(c *graph.Component) { _, hosted = c.Profile(key, s.rules) })
	if found && !moving && !hosted {
		s.failf("a look-up of %s ends at a component that does not host it", key)
	}
}

// over reports whether the wait is over.
func (w *watch) over() bool {
	for w.landed != nil {
		if !isClosed(w.landed) {
			return false
		}
		w.landed = w.wait.Next()
	}
	return true
}

// visible checks that the component that an event's route leads to claims each of its identifiers,
// and that those lead there too. It returns false where evidence has begun to move since, so that a
// look-up would wait.
func (s *simulation) visible(e *graph.Event) bool {
	if s.capped {
		return true // what is full hosts nothing new
	}
	var root graph.NodeKey
	var members []graph.Member
	moving, found := s.follow(e.Route(), func(c *graph.Component) { root, members = c.Root(), slices.Clone(c.Evidence().Members) })
	if moving {
		return false
	}
	if !found {
		s.failf("event %q was answered, and its route was never seen", e.ID)
	}
	if at := slices.IndexFunc(members, func(m graph.Member) bool { return m.Key == e.Route() }); at < 0 || members[at].Generic {
		return true // a generic route conducts to none of the others
	}
	for _, id := range e.Identifiers {
		at := slices.IndexFunc(members, func(m graph.Member) bool { return m.Key == id.Key })
		if at < 0 {
			s.failf("event %q was answered, and the component of its route does not know %s", e.ID, id.Key)
		}
		if m := &members[at]; !m.Hosted || m.Generic {
			continue
		}
		var there graph.NodeKey
		moving, found := s.follow(id.Key, func(c *graph.Component) { there = c.Root() })
		if moving {
			return false
		}
		if !found || there != root {
			s.failf("event %q was answered, its route leads to %s and its identifier %s to %s", e.ID, root, id.Key, there)
		}
	}
	return true
}

// follow shows the component that a node leads to; moving tells that evidence is on its way there.
func (s *simulation) follow(key graph.NodeKey, fn func(*graph.Component)) (moving, found bool) {
	for {
		if s.shardOf(key).state == simAway { // a look-up waits until it is back
			return true, true
		}
		sight, err := s.shardOf(key).Read(key, fn)
		s.must(err, "view a node")
		switch {
		case !sight.Found:
			return false, false
		case sight.Parent.IsZero():
			return false, true
		case sight.Moving:
			sh := s.shardOf(key)
			sh.arrivals = append(sh.arrivals, sight.Arrived)
			return true, true
		}
		key = sight.Parent
	}
}

// closedOrNil tells that there is nothing to wait for.
func closedOrNil(c <-chan struct{}) bool { return c == nil || isClosed(c) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
