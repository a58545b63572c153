package graph

import (
	"slices"
	"sort"
)

// partition divides a component into identities. Members are by index, once all are settled.
//
// Its groups never change: Identities and the opening of a step keep it, and compare it by its address.
type partition struct {
	groups    [][]int32    // members in descending rank; groups by their first
	of        []int32      // by member: its group, -1 for one that is hosted elsewhere
	all       []int32      // memory of groups
	accepted  []entry      // in the order in which they were admitted: the identities' trees
	refused   []refusal    // barred ones, then the others in the order of entries
	barred    int          // how many of the refused do not conduct at all
	attached  []attachment // mere readings of aliases; in no group
	latest    bool         // entries are in the order of latest_wins
	reordered bool         // what was admitted would be admitted in another order by now, to the same identities
}

// fewMembers is how many members a partition has memory for in one piece.
const fewMembers = 4

// partitionRoom is a partition of a component as most people have, with all that it lists.
type partitionRoom struct {
	partition
	fewGroups   [1][]int32
	fewOf       [fewMembers]int32
	fewAll      [fewMembers]int32
	fewAccepted [fewMembers - 1]entry
	fewRefused  [2]refusal
}

// newPartition returns the partition of so many members, of which nothing is known yet.
func newPartition(members int) *partition {
	if members > fewMembers {
		return &partition{of: make([]int32, members), all: make([]int32, members)}
	}
	room := &partitionRoom{}
	p := &room.partition
	p.groups, p.of, p.all = room.fewGroups[:0], room.fewOf[:members], room.fewAll[:members]
	p.accepted, p.refused = room.fewAccepted[:0], room.fewRefused[:0]
	return p
}

// whole is the partition of a component that is one identity.
var whole = &partition{}

// entry is evidence taken in the total order of Resolve: an observed link at its first or last
// time, or an operator's force.
type entry struct {
	time      int64
	a, b      int32 // members
	link      int32 // in links, -1 for a force
	assertion int32 // in assertions, -1 for a link
	verb      Verb
	last      bool // entered at its last time, for a second chance
}

// refusal is an entry that was not admitted, and why.
type refusal struct {
	entry
	kind ConstraintKind
	by   int32 // limit: in limits; cannot, retract, forget: in assertions; generic, full, elsewhere: the member
}

// refusedBetween reports whether a link of a verb was refused that has its place between two times, or at one. The
// refused after the barred ones are in the order of entries: the strongest verb first, and within a verb by time, from
// the latest back if latest. So the first that is not before the range is found by bisection, and is in it or none is.
//
// It serves events that repeat a known link. Most of them change nothing; the ones that may change something move
// the link past an entry that was refused, which then might be admitted before the link.
func (p *partition) refusedBetween(verb Verb, from, to int64) bool {
	if from > to {
		from, to = to, from
	}
	refused := p.refused[p.barred:]
	at := sort.Search(len(refused), func(i int) bool {
		e := &refused[i]
		if e.verb != verb {
			return e.verb < verb
		}
		if p.latest {
			return e.time <= to
		}
		return e.time >= from
	})
	return at < len(refused) && refused[at].verb == verb && refused[at].time >= from && refused[at].time <= to
}

// ConstraintKind is what keeps a link from conducting.
type ConstraintKind uint8

// The constraints.
const (
	ConstraintLimit     ConstraintKind = 1 + iota // Namespace has Max already (Within a window)
	ConstraintCannot                              // an operator's assertion
	ConstraintRetract                             // an operator's assertion
	ConstraintForget                              // an operator's assertion
	ConstraintGeneric                             // an end is a generic value
	ConstraintFull                                // an end is hosted by a component at a cap
	ConstraintElsewhere                           // an end is on its way here
	ConstraintCap                                 // one identity would have more than Cap identifiers
	ConstraintReading                             // an end is a mere reading of an alias, and goes with somebody already
)

var constraintNames = [...]string{"", "limit", "cannot", "retract", "forget", "generic", "full", "elsewhere", "cap", "reading"}

func (k ConstraintKind) String() string {
	if int(k) < len(constraintNames) {
		return constraintNames[k]
	}
	return ""
}

// Constraint is what kept a link from conducting.
type Constraint struct {
	Kind      ConstraintKind
	Limit     Limit     // limit
	Assertion Assertion // cannot, retract, forget
	Node      NodeName  // generic, full: which end
	Cap       int       // cap
}

// A division is the partition of one edition of the evidence under one version of the rules, kept until either changes,
// and how many identities it has.
type division struct {
	partition *partition // nil: none was computed yet
	rules     uint64     // their version
	edition   uint32     // of the evidence

	identityCount    int32 // identities with events, of countedPartition and countedActive
	countedActive    int32
	countedPartition *partition
}

// cached is the partition of the evidence as it is, under the rules last asked for; nil where it is to be computed.
func (c *Component) cached() *partition {
	if c.division.edition != c.store.edition {
		return nil
	}
	return c.partition
}

// resolve divides the component into identities under the rules. The result is cached until the
// evidence or the rules change.
//
// Conducting links are taken in a total order that does not depend on arrival: strength of the
// verb, then the rules' order of time, then rank. Each is admitted unless it would break a
// constraint. The identifiers left together are one identity.
func (c *Component) resolve(rules *Rules) *partition {
	if p := c.cached(); p != nil && c.division.rules == rules.Version {
		return p
	}
	c.division.rules, c.division.edition = rules.Version, c.store.edition
	if c.plain(rules) {
		c.partition = whole
	} else {
		c.settle()
		c.partition = divide(&c.store, rules)
	}
	return c.partition
}

// plain reports whether evidence that came in one piece makes one identity, by what store.plain asks.
func (ev *Evidence) plain(rules *Rules) bool {
	if len(ev.Assertions) > 0 || rules.MaxIdentity > 0 && len(ev.Members) > rules.MaxIdentity {
		return false
	}
	for i := range ev.Members {
		if ev.Members[i].apart() {
			return false
		}
	}
	for i := range ev.Links {
		if ev.Links[i].Reading {
			return false
		}
	}
	for _, l := range rules.Limits {
		count := 0
		for i := range ev.Members {
			if PlainNamespace(ev.Members[i].Namespace) == l.Namespace {
				count++
			}
		}
		if count > l.Max {
			return false
		}
	}
	return true
}

// divides reports whether two members of a small component are of different identities.
func divides(c *Component, a, b NodeKey, rules *Rules) bool {
	if c.large != nil {
		return false
	}
	p := c.resolve(rules)
	if p == whole {
		return false
	}
	x, y := c.place(a), c.place(b)
	return x >= 0 && y >= 0 && (p.of[x] != p.of[y] || p.of[x] < 0)
}

// identityOf is the group of members that a node's identity holds.
func (c *Component) identityOf(node NodeKey, rules *Rules) ([]int32, bool) {
	c.settle()
	at := c.place(node)
	if at < 0 || !c.members[at].Hosted {
		return nil, false
	}
	p := c.resolve(rules)
	if p == whole {
		return c.everyone(), true
	}
	g := p.of[at]
	if g < 0 {
		g = p.groupOfReading(int32(at))
	}
	if g >= 0 {
		return p.groups[g], true
	}
	return nil, false
}

// Identities is how many identities of the component have an event.
func (c *Component) Identities(rules *Rules) int {
	p := c.resolve(rules)
	if p == whole {
		return min(c.Active(), 1)
	}
	if c.counted(p, c.active) {
		return int(c.identityCount)
	}
	c.settle()
	c.countedPartition, c.countedActive, c.identityCount = p, c.active, 0
	for _, group := range p.groups {
		if slices.ContainsFunc(group, func(i int32) bool { return c.members[i].active() }) {
			c.identityCount++
		}
	}
	return int(c.identityCount)
}

// counted reports whether the identities of a partition are counted.
func (d *division) counted(p *partition, active int32) bool {
	return p == d.countedPartition && active == d.countedActive
}
