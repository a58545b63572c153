package graph

import (
	"slices"
	"strings"
)

// An alias says that previousId is the same person as userId, and does not say of which namespace previousId is. So
// it is read as both: as a cookie and as a former user id (E: Event.Alias). A reading that nothing else was seen of
// is a mere reading: it is hosted, so that it is found, but it names nobody. It goes with the first identity that
// links it, in the order of Resolve, joins nothing further, counts against no limit, and profiles do not list it.
//
// Whether a member is a mere reading is a function of the component's evidence: it has no event of its own, no link
// but those of aliases of which it was previousId (at a generic value any link counts: of one that is hosted
// elsewhere no more is known), and no force names it. The node of an alias's userId always has an
// event of its own: the alias. A member that is generic or hosted elsewhere was surely seen. Of two readings that
// were both never seen, the form of previousId may speak for one (Link.Likely): that one counts as seen.

// mereReadings marks the members that are mere readings; nil without any.
//
// REQUIRES: settled
func mereReadings(s *store) []bool {
	if s.readings == 0 {
		return nil
	}
	unseen := unseenReadings(s)
	if unseen == nil {
		return nil
	}
	// Which of the unseen are not mere after all is decided of all before any is changed.
	for _, i := range likelyReadings(s, unseen) {
		unseen[i] = false
	}
	return unseen
}

// unseenReadings marks the members that were seen as readings only; nil without any.
func unseenReadings(s *store) []bool {
	unseen := make([]bool, len(s.members))
	for i := range s.links {
		if l := &s.links[i]; l.Reading {
			unseen[s.place(l.A)], unseen[s.place(l.B)] = true, true
		}
	}
	for i := range s.members {
		if m := &s.members[i]; m.active() || m.Generic || !m.Hosted {
			unseen[i] = false
		}
	}
	for i := range s.links {
		l := &s.links[i]
		if a, b := s.place(l.A), s.place(l.B); !l.Reading || s.members[a].Generic || s.members[b].Generic {
			unseen[a], unseen[b] = false, false
		}
	}
	for i := range s.assertions {
		a := &s.assertions[i]
		if a.Verb != AssertForce || a.Withdrawn {
			continue
		}
		for _, key := range [2]NodeKey{a.A.Key, a.B.Key} {
			if at := s.place(key); at >= 0 {
				unseen[at] = false
			}
		}
	}
	if !slices.Contains(unseen, true) {
		return nil
	}
	return unseen
}

// likelyReadings lists the unseen readings that the form of a previousId speaks for, where nothing was seen of the other
// reading of that value, either.
func likelyReadings(s *store, unseen []bool) []int32 {
	type value struct {
		user int32 // at the other end of the alias
		text string
	}
	readings := make(map[value][]int32)
	of := func(reading, user int) value {
		text := s.members[reading].Value
		if len(text) == uuidLength { // which namespaces do not write alike
			text = strings.ToLower(text)
		}
		return value{int32(user), text}
	}
	ends := func(l *Link, each func(reading, user int)) {
		if l.Verb == VerbAlias {
			a, b := s.place(l.A), s.place(l.B)
			each(a, b)
			each(b, a)
		}
	}
	speaksFor := make(map[int32]bool)
	for i := range s.links {
		ends(&s.links[i], func(reading, user int) {
			readings[of(reading, user)] = append(readings[of(reading, user)], int32(reading))
			if s.links[i].Likely && unseen[reading] {
				speaksFor[int32(reading)] = true
			}
		})
	}
	for i := range s.links {
		ends(&s.links[i], func(reading, user int) {
			for _, twin := range readings[of(reading, user)] {
				if s.members[twin].Namespace != s.members[reading].Namespace && !unseen[twin] {
					delete(speaksFor, int32(reading))
				}
			}
		})
	}
	var likely []int32
	for i := range speaksFor {
		likely = append(likely, i)
	}
	return likely
}

const uuidLength = 36

// aliased reports whether an entry is an alias between two identifiers of a limited namespace, which passes its
// limit where the rules say so.
func (r *resolver) aliased(e *entry, l *Limit) bool {
	return e.verb == VerbAlias && r.rules.Alias == AliasMerges &&
		r.members[e.a].Namespace == l.Namespace && r.members[e.b].Namespace == l.Namespace
}

// attachment is a mere reading, and the identity that it goes with.
type attachment struct{ reading, with, group int32 }

// attach lets mere readings go with the first identity that links them and that no operator keeps them from, once
// all others are resolved. They count towards nothing.
func (r *resolver) attach(p *partition, late []entry) {
	if len(late) == 0 {
		return
	}
	r.with = make([]int32, len(r.parent))
	for i := range r.with {
		r.with[i] = -1
	}
	for _, e := range late {
		reading, other := e.a, e.b
		if !r.mere[reading] {
			reading, other = other, reading
		}
		if r.mere[other] { // a userId whose own event is on its way
			continue
		}
		if with := r.with[reading]; with >= 0 {
			if r.representative(with) != r.representative(other) {
				p.refused = append(p.refused, refusal{e, ConstraintReading, reading})
			}
			continue
		}
		if by := r.cannots.between(r, reading, r.representative(other)); by >= 0 {
			p.refused = append(p.refused, refusal{e, ConstraintCannot, by})
			continue
		}
		r.with[reading] = other
		p.attached = append(p.attached, attachment{reading: reading, with: other})
		p.accepted = append(p.accepted, e)
	}
}

// groupOfReading is the group that a mere reading goes with; -1 when it goes with none.
func (p *partition) groupOfReading(reading int32) int32 {
	for _, a := range p.attached {
		if a.reading == reading {
			return a.group
		}
	}
	return -1
}
