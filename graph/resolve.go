package graph

import "sort"

// partition divides a component into identities. Members are by index, once all are settled.
type partition struct {
	groups    [][]int32    // members in descending rank; groups by their first
	of        []int32      // by member: its group, -1 for one that is hosted elsewhere
	accepted  []entry      // in the order in which they were admitted: the identities' trees
	refused   []refusal    // barred ones, then the others in the order of entries
	barred    int          // how many of the refused do not conduct at all
	attached  []attachment // mere readings of aliases; in no group
	latest    bool         // entries are in the order of latest_wins
	reordered bool         // what was admitted would be admitted in another order by now, to the same identities
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

// refusedBetween reports whether a link of a verb was refused that has its place between two times, or at one.
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

// resolve divides the component into identities under the rules. The result is cached until the
// evidence or the rules change.
//
// Conducting links are taken in a total order that does not depend on arrival: strength of the
// verb, then the rules' order of time, then rank. Each is admitted unless it would break a
// constraint. What is left together is one identity.
func (c *Component) resolve(rules *Rules) *partition {
	if c.partition == nil || c.partitionRules != rules.Version {
		c.partitionRules = rules.Version
		if c.plain(rules) {
			c.partition = whole
		} else {
			c.settle()
			c.partition = c.divide(rules)
		}
	}
	return c.partition
}

// plain is the fast path: nothing in the component could divide it. All members are hosted, so a
// path of conducting links joins them, or is on its way here.
func (c *Component) plain(rules *Rules) bool {
	if c.special > 0 || len(c.assertions) > 0 || c.readings > 0 {
		return false
	}
	if rules.MaxIdentity > 0 && c.memberCount() > rules.MaxIdentity {
		return false
	}
	for i := range c.namespaces {
		if l, ok := rules.limit(c.namespaces[i].name); ok && c.namespaces[i].count > l.Max {
			return false
		}
	}
	return true
}

// plain reports whether evidence that came in one piece makes one identity, by what Component.plain asks.
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
func (c *Component) divides(a, b NodeKey, rules *Rules) bool {
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
