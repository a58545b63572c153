package graph

import (
	"cmp"
	"slices"
)

// partition divides a component into identities.
type partition struct {
	groups   [][]int32 // members by index in descending rank; groups by their first
	accepted []entry   // in the order in which they were admitted: the identities' trees
	refused  []refusal
}

// whole is the partition of a component that is one identity.
var whole = &partition{}

// entry is evidence taken in the total order of Resolve: an observed link at its first or last
// time, or an operator's force.
type entry struct {
	verb      Verb
	last      bool // entered at its last time, for a second chance
	time      int64
	key       LinkKey
	a, b      int32 // members
	link      int32 // in links, -1 for a force
	assertion int32 // in assertions, -1 for a link
}

// refusal is an entry that was not admitted, and why.
type refusal struct {
	entry
	constraint Constraint
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
)

var constraintNames = [...]string{"", "limit", "cannot", "retract", "forget", "generic", "full", "elsewhere", "cap"}

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
			c.partition = c.divide(rules)
		}
	}
	return c.partition
}

// plain is the fast path: nothing in the component could divide it. All members are hosted, so a
// path of conducting links joins them, or is on its way here.
func (c *Component) plain(rules *Rules) bool {
	if c.special > 0 || len(c.assertions) > 0 {
		return false
	}
	if rules.MaxIdentity > 0 && len(c.members) > rules.MaxIdentity {
		return false
	}
	for i := range c.namespaces {
		if l, ok := rules.limit(c.namespaces[i].name); ok && c.namespaces[i].count > l.Max {
			return false
		}
	}
	return true
}

func (c *Component) divide(rules *Rules) *partition {
	r := newResolver(c, rules)
	entries := r.entries()
	p := &partition{refused: r.barred}
	for _, e := range entries {
		a, b := r.find(e.a), r.find(e.b)
		if a == b {
			continue
		}
		if refused, ok := r.violates(&e, a, b); ok {
			p.refused = append(p.refused, refusal{e, refused})
			continue
		}
		r.unite(&e, a, b)
		p.accepted = append(p.accepted, e)
	}
	p.groups = r.groups()
	return p
}

// resolver divides one component. Groups are sets of members, each known by its representative.
type resolver struct {
	c       *Component
	rules   *Rules
	parent  []int32
	members [][]int32 // by representative
	counts  []int32   // by representative and limit
	limitOf []int32   // by member: index of its namespace's limit, -1 when it has none
	joined  []bool    // by member: whether admitted is set
	admit   []int64   // by member: the time of the entry that first joined it to another
	cannots [][2]int32
	barred  []refusal // links that do not conduct
}

func newResolver(c *Component, rules *Rules) *resolver {
	n := len(c.members)
	r := &resolver{
		c: c, rules: rules,
		parent: make([]int32, n), members: make([][]int32, n), limitOf: make([]int32, n),
		counts: make([]int32, n*len(rules.Limits)), joined: make([]bool, n), admit: make([]int64, n),
	}
	for i := range c.members {
		r.parent[i] = int32(i)
		r.members[i] = []int32{int32(i)}
		r.limitOf[i] = -1
		for l := range rules.Limits {
			if rules.Limits[l].Namespace == c.members[i].Namespace {
				r.limitOf[i] = int32(l)
				r.counts[i*len(rules.Limits)+l] = 1
			}
		}
	}
	for i := range c.assertions {
		if a := &c.assertions[i]; a.Verb == AssertCannot && !a.Withdrawn {
			x, hasX := searchMember(c.members, a.A.Key)
			y, hasY := searchMember(c.members, a.B.Key)
			if hasX && hasY {
				r.cannots = append(r.cannots, [2]int32{int32(x), int32(y)})
			}
		}
	}
	return r
}

func (r *resolver) find(i int32) int32 {
	for r.parent[i] != i {
		r.parent[i] = r.parent[r.parent[i]]
		i = r.parent[i]
	}
	return i
}

// entries lists what conducts, in order; what does not is noted as barred.
func (r *resolver) entries() []entry {
	c := r.c
	windowed := r.rules.windowed()
	latest := r.rules.Precedence == LatestWins
	var entries []entry
	for i := range c.links {
		l := &c.links[i]
		if l.Count == 0 {
			continue
		}
		a, _ := searchMember(c.members, l.A)
		b, _ := searchMember(c.members, l.B)
		e := entry{verb: l.Verb, time: l.First.Stamp.Time, key: l.LinkKey, a: int32(a), b: int32(b), link: int32(i), assertion: -1}
		if latest {
			e.time, e.last = l.Last.Stamp.Time, true
		}
		if constraint, bars := r.bars(&c.members[a], &c.members[b]); bars {
			r.barred = append(r.barred, refusal{e, constraint})
			continue
		}
		entries = append(entries, e)
		if windowed && l.First.Stamp.Time != l.Last.Stamp.Time {
			if e.last = !e.last; e.last {
				e.time = l.Last.Stamp.Time
			} else {
				e.time = l.First.Stamp.Time
			}
			entries = append(entries, e)
		}
	}
	for i := range c.assertions {
		s := &c.assertions[i]
		if s.Verb != AssertForce || s.Withdrawn {
			continue
		}
		a, hasA := searchMember(c.members, s.A.Key)
		b, hasB := searchMember(c.members, s.B.Key)
		if hasA && hasB && c.members[a].Hosted && c.members[b].Hosted {
			entries = append(entries, entry{verb: VerbForce, time: s.At, key: LinkKey{s.A.Key, s.B.Key}, a: int32(a), b: int32(b), link: -1, assertion: int32(i)})
		}
	}
	slices.SortFunc(entries, func(x, y entry) int {
		byTime := cmp.Compare(x.time, y.time)
		if latest {
			byTime = -byTime
		}
		return cmp.Or(cmp.Compare(y.verb, x.verb), byTime, x.key.Compare(y.key), sign(!x.last || y.last))
	})
	return entries
}

// bars tells what keeps an observed link from conducting at all.
func (r *resolver) bars(a, b *Member) (Constraint, bool) {
	for _, m := range [2]*Member{a, b} {
		switch {
		case m.Generic:
			return Constraint{Kind: ConstraintGeneric, Node: m.NodeName}, true
		case m.Refused:
			return Constraint{Kind: ConstraintFull, Node: m.NodeName}, true
		case !m.Hosted:
			return Constraint{Kind: ConstraintElsewhere, Node: m.NodeName}, true
		}
	}
	for i := range r.c.assertions {
		s := &r.c.assertions[i]
		if s.Withdrawn {
			continue
		}
		switch {
		case s.Verb == AssertRetract && s.A.Key == a.Key && s.B.Key == b.Key:
			return Constraint{Kind: ConstraintRetract, Assertion: *s}, true
		case s.Verb == AssertForget && (s.A.Key == a.Key || s.A.Key == b.Key):
			return Constraint{Kind: ConstraintForget, Assertion: *s}, true
		}
	}
	return Constraint{}, false
}

// violates tells which constraint joining two groups would break.
func (r *resolver) violates(e *entry, a, b int32) (Constraint, bool) {
	for _, pair := range r.cannots {
		x, y := r.find(pair[0]), r.find(pair[1])
		if x == a && y == b || x == b && y == a {
			return Constraint{Kind: ConstraintCannot, Assertion: r.cannot(pair)}, true
		}
	}
	if e.verb == VerbForce {
		return Constraint{}, false
	}
	if most := r.rules.MaxIdentity; most > 0 && len(r.members[a])+len(r.members[b]) > most {
		return Constraint{Kind: ConstraintCap, Cap: most}, true
	}
	limits := r.rules.Limits
	for l := range limits {
		inA, inB := r.counts[int(a)*len(limits)+l], r.counts[int(b)*len(limits)+l]
		// A join that adds none of a namespace can't break its limit.
		if inA == 0 || inB == 0 || int(inA+inB) <= limits[l].Max {
			continue
		}
		if limits[l].Within == 0 || r.crowded(e, a, b, int32(l)) {
			return Constraint{Kind: ConstraintLimit, Limit: limits[l]}, true
		}
	}
	return Constraint{}, false
}

// crowded tells whether two groups together have more identifiers of a limited namespace within
// one window than it allows. An identifier counts at the time it was first joined to another.
func (r *resolver) crowded(e *entry, a, b, limit int32) bool {
	var times []int64
	for _, group := range [2]int32{a, b} {
		for _, m := range r.members[group] {
			if r.limitOf[m] != limit {
				continue
			}
			if r.joined[m] {
				times = append(times, r.admit[m])
			} else {
				times = append(times, e.time)
			}
		}
	}
	slices.Sort(times)
	l := &r.rules.Limits[limit]
	window := l.Within.Milliseconds()
	for i := 0; i+l.Max < len(times); i++ {
		if times[i+l.Max]-times[i] < window {
			return true
		}
	}
	return false
}

func (r *resolver) cannot(pair [2]int32) Assertion {
	for i := range r.c.assertions {
		s := &r.c.assertions[i]
		if s.Verb == AssertCannot && s.A.Key == r.c.members[pair[0]].Key && s.B.Key == r.c.members[pair[1]].Key {
			return *s
		}
	}
	return Assertion{}
}

func (r *resolver) unite(e *entry, a, b int32) {
	for _, m := range [2]int32{e.a, e.b} {
		if !r.joined[m] {
			r.joined[m], r.admit[m] = true, e.time
		}
	}
	if len(r.members[a]) < len(r.members[b]) {
		a, b = b, a
	}
	r.parent[b] = a
	r.members[a] = append(r.members[a], r.members[b]...)
	r.members[b] = nil
	n := len(r.rules.Limits)
	for l := range n {
		r.counts[int(a)*n+l] += r.counts[int(b)*n+l]
	}
}

// groups lists the identities: all groups but those of members that are hosted elsewhere.
func (r *resolver) groups() [][]int32 {
	var groups [][]int32
	for i := range r.members {
		g := r.members[i]
		if len(g) == 0 || len(g) == 1 && !r.c.members[g[0]].Hosted {
			continue
		}
		slices.Sort(g)
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(x, y []int32) int { return cmp.Compare(x[0], y[0]) })
	return groups
}
