package graph

import (
	"cmp"
	"slices"
)

// divide takes the entries in their total order, in n log n.
//
// REQUIRES: settled
//
//	items: what conducts, sorted ──► entry: its ends in the same group? ──► nothing to do
//	                                   ├─ an end is a mere reading ───────► late, after all others
//	                                   ├─ a constraint would break ───────► refused
//	                                   └─ else ───────────────────────────► unite the groups, accepted
//
// An entry that was refused is not tried again: groups only grow, and a group that is too full, or has two people
// whom an operator keeps apart, stays so. A limit within a window of time is the exception. A link may pass it at
// its last time and not at its first, so such rules enter a link twice.
//
// The obvious design, to unite groups as links arrive and keep the result, depends on the order of arrival wherever
// a constraint refuses something: of two links that can't both hold, the first to arrive would win (I3).
func divide(s *store, rules *Rules) *partition {
	r := newResolver(s, rules)
	p := newPartition(len(s.members))
	p.latest = rules.Precedence == LatestWins
	r.list(p)
	p.barred = len(p.refused)
	var late []entry // of mere readings
	for i := range r.items {
		e := r.entry(&r.items[i])
		if r.mere != nil && (r.mere[e.a] || r.mere[e.b]) {
			late = append(late, e)
			continue
		}
		a, b := r.representative(e.a), r.representative(e.b)
		if a == b {
			continue
		}
		if kind, by := r.violates(&e, a, b); kind != 0 {
			p.refused = append(p.refused, refusal{e, kind, by})
			continue
		}
		r.unite(&e, a, b)
		p.accepted = append(p.accepted, e)
	}
	r.attach(p, late)
	r.groups(p)
	for i := range p.attached {
		p.attached[i].group = p.of[p.attached[i].with]
	}
	return p
}

// resolver divides one component. Groups are sets of members, each known by its representative.
//
// parent is a forest: a member whose parent is itself represents its group. The smaller group goes under the larger
// one, and representative halves the way that it walks, so the ways stay short. All numbers by member are one
// allocation:
//
//	parent, n │ sizes, n │ counts, n × limits
//
// sizes and counts are right for representatives only. counts[i*limits+l] is how many identifiers of limit l are in
// the group that i represents.
type resolver struct {
	*store
	rules   *Rules
	items   []item     // what conducts, in order
	ends    [][2]int32 // by link: its members
	parent  []int32
	sizes   []int32 // by representative
	counts  []int32 // by representative and limit
	mere    []bool  // by member: whether it is a mere reading of an alias; nil when none is
	with    []int32 // by member: of a mere reading, a member of the identity that it goes with, or -1
	forces  []entry
	windows *windows // nil: no limit has a window
	cannots cannots
}

// windows is what limits within windows of time need to know.
//
// next makes a ring of each group. To unite two groups, one member of each exchanges its successor with the
// other's, which makes one ring of two rings: crowded walks it without a list of members.
//
//	a → a1 → a2 → a      b → b1 → b      exchange next[a] and next[b]:  a → b1 → b → a1 → a2 → a
type windows struct {
	limitOf []int32 // by member: index of its namespace's limit, -1 when it has none
	next    []int32 // by member: another one of its group, all round
	joined  []bool  // by member: whether admit is set
	admit   []int64 // by member: the time of the entry that first joined it to another
}

// resolverRoom is a resolver of a component as most people have, with its lists in one piece of memory.
type resolverRoom struct {
	resolver
	numbers [fewMembers * 4]int32 // with two limits
	items   [fewMembers]item
	ends    [fewMembers][2]int32
}

// newResolver makes a group of each member.
func newResolver(s *store, rules *Rules) *resolver {
	n, limits := len(s.members), len(rules.Limits)
	room := &resolverRoom{}
	r := &room.resolver
	all := n * (2 + limits)
	numbers := slices.Grow(room.numbers[:0], all)[:all]
	r.store, r.rules, r.mere, r.items, r.ends = s, rules, mereReadings(s), room.items[:0], room.ends[:0]
	r.parent, r.sizes, r.counts = numbers[:n:n], numbers[n:2*n:2*n], numbers[2*n:]
	if rules.windowed() {
		r.windows = &windows{limitOf: make([]int32, n), next: make([]int32, n), joined: make([]bool, n), admit: make([]int64, n)}
	}
	for i := range s.members {
		r.parent[i], r.sizes[i] = int32(i), 1
		limit := int32(-1)
		for l := range rules.Limits {
			if r.mere != nil && r.mere[i] {
				break
			}
			if rules.Limits[l].Namespace == PlainNamespace(s.members[i].Namespace) {
				limit = int32(l)
				r.counts[i*limits+l] = 1
				break
			}
		}
		if r.windows != nil {
			r.windows.limitOf[i], r.windows.next[i] = limit, int32(i)
		}
	}
	r.cannots.gather(s)
	return r
}

// representative finds the member that a group is known by, and shortens the way there.
func (r *resolver) representative(i int32) int32 {
	for r.parent[i] != i {
		r.parent[i] = r.parent[r.parent[i]]
		i = r.parent[i]
	}
	return i
}

// item is an entry on its way to being sorted. Links are in the order of their keys already.
//
// It has 16 bytes, half of what an entry has: sorting moves items, and entries are made of them one at a time. The
// ends of a link are in ends.
type item struct {
	time int64 // ascending: negated for latest_wins
	link int32 // in links; above them, in forces
	verb Verb
	last bool
}

// list fills items with what conducts, in order; what does not is noted as refused.
//
// The order is total: the stronger verb, then the earlier time (the later one for latest_wins), then the rank of
// the ends. Links are in the order of their keys, and forces are sorted by theirs, so that an index stands for the
// rank. Nothing in it depends on the order of arrival.
func (r *resolver) list(p *partition) {
	windowed, latest := r.windows != nil, r.rules.Precedence == LatestWins
	bars := gatherBars(r.store)
	r.ends = slices.Grow(r.ends, len(r.links))[:len(r.links)]
	items := slices.Grow(r.items, len(r.links))
	for i := range r.links {
		l := &r.links[i]
		if l.Count == 0 {
			continue
		}
		a, b := 0, r.place(l.B)
		if i > 0 && r.links[i-1].A == l.A && r.links[i-1].Count > 0 {
			a = int(r.ends[i-1][0])
		} else {
			a = r.place(l.A)
		}
		r.ends[i] = [2]int32{int32(a), int32(b)}
		it := item{time: l.First.Stamp.Time, link: int32(i), verb: l.Verb}
		if latest {
			it.time, it.last = -l.Last.Stamp.Time, true
		}
		if kind, by := bars.bar(r.store, int32(a), int32(b)); kind != 0 {
			p.refused = append(p.refused, refusal{r.entry(&it), kind, by})
			continue
		}
		items = append(items, it)
		if windowed && l.First.Stamp.Time != l.Last.Stamp.Time {
			if it.last = !it.last; it.last {
				it.time = l.Last.Stamp.Time
			} else {
				it.time = l.First.Stamp.Time
			}
			if latest {
				it.time = -it.time
			}
			items = append(items, it)
		}
	}
	r.items = r.addForces(items)
	slices.SortFunc(r.items, func(x, y item) int {
		switch {
		case x.verb != y.verb:
			return sign(x.verb > y.verb)
		case x.time != y.time:
			return sign(x.time < y.time)
		case x.link != y.link:
			return sign(x.link < y.link)
		}
		return sign(!x.last)
	})
}

// addForces adds what operators forced, in the order of keys.
func (r *resolver) addForces(items []item) []item {
	for i := range r.assertions {
		s := &r.assertions[i]
		if s.Verb != AssertForce || s.Withdrawn {
			continue
		}
		a, b := r.place(s.A.Key), r.place(s.B.Key)
		if a >= 0 && b >= 0 && r.members[a].Hosted && r.members[b].Hosted {
			r.forces = append(r.forces, entry{verb: VerbForce, time: s.At, a: int32(a), b: int32(b), link: -1, assertion: int32(i)})
		}
	}
	slices.SortFunc(r.forces, func(x, y entry) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	for i := range r.forces {
		at := r.forces[i].time
		if r.rules.Precedence == LatestWins {
			at = -at
		}
		items = append(items, item{time: at, link: int32(len(r.links) + i), verb: VerbForce})
	}
	return items
}

func (r *resolver) entry(it *item) entry {
	if i := int(it.link) - len(r.links); i >= 0 {
		return r.forces[i]
	}
	e := entry{time: it.time, a: r.ends[it.link][0], b: r.ends[it.link][1], link: it.link, assertion: -1, verb: it.verb, last: it.last}
	if r.rules.Precedence == LatestWins {
		e.time = -e.time
	}
	return e
}

// violates is the constraint that joining two groups would break; 0 if it breaks no constraint.
func (r *resolver) violates(e *entry, a, b int32) (kind ConstraintKind, by int32) {
	if by := r.cannots.between(r, a, b); by >= 0 {
		return ConstraintCannot, by
	}
	if e.verb == VerbForce {
		return 0, 0
	}
	if most := r.rules.MaxIdentity; most > 0 && int(r.sizes[a]+r.sizes[b]) > most {
		return ConstraintCap, 0
	}
	limits := r.rules.Limits
	for l := range limits {
		inA, inB := r.counts[int(a)*len(limits)+l], r.counts[int(b)*len(limits)+l]
		// A join that adds none of a namespace can't break its limit.
		if inA == 0 || inB == 0 || int(inA+inB) <= limits[l].Max || r.aliased(e, &limits[l]) {
			continue
		}
		if limits[l].Within == 0 || r.crowded(e, a, b, int32(l)) {
			return ConstraintLimit, int32(l)
		}
	}
	return 0, 0
}

// crowded reports whether two groups together have more identifiers of a limited namespace within
// one window than it allows. An identifier counts at the time it was first joined to another.
//
// With the times sorted, Max+1 identifiers are within a window if and only if some time and the one Max places
// after it are less than the window apart.
func (r *resolver) crowded(e *entry, a, b, limit int32) bool {
	w := r.windows
	var times []int64
	for _, group := range [2]int32{a, b} {
		for m := group; ; {
			if w.limitOf[m] == limit {
				at := e.time
				if w.joined[m] {
					at = w.admit[m]
				}
				times = append(times, at)
			}
			if m = w.next[m]; m == group {
				break
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

func (r *resolver) unite(e *entry, a, b int32) {
	if r.sizes[a] < r.sizes[b] {
		a, b = b, a
	}
	r.parent[b] = a
	r.sizes[a] += r.sizes[b]
	n := len(r.rules.Limits)
	into, from := r.counts[int(a)*n:int(a)*n+n], r.counts[int(b)*n:int(b)*n+n]
	for l, count := range from {
		into[l] += count
	}
	r.cannots.unite(a, b)
	w := r.windows
	if w == nil {
		return
	}
	for _, m := range [2]int32{e.a, e.b} {
		if !w.joined[m] {
			w.joined[m], w.admit[m] = true, e.time
		}
	}
	w.next[a], w.next[b] = w.next[b], w.next[a]
}

// groups lists the identities: all groups but those of members that are hosted elsewhere.
//
// Two passes give all groups memory in one piece: the first numbers the groups by their first member and so in
// descending rank, the second cuts a part of the right size for each. counts serves as memory of the first, as
// nothing is counted any more.
func (r *resolver) groups(p *partition) {
	n := int32(len(r.members))
	of, all := p.of, p.all
	place := r.counts[:0] // by representative, when all is counted: its group and one
	if len(r.rules.Limits) == 0 {
		place = make([]int32, 0, n)
	}
	place = place[:n]
	clear(place)
	count := 0
	for i := range n {
		root := r.representative(i)
		switch {
		case r.sizes[root] == 1 && (!r.members[i].Hosted || r.with != nil && r.with[i] >= 0):
			of[i] = -1
			continue
		case place[root] == 0:
			count++
			place[root] = int32(count)
		}
		of[i] = place[root] - 1
	}
	p.groups = slices.Grow(p.groups, count)[:count]
	groups := p.groups
	for i, at := int32(0), int32(0); i < n; i++ {
		g := of[i]
		if g < 0 {
			continue
		}
		if groups[g] == nil {
			size := r.sizes[r.representative(i)]
			groups[g] = all[at : at : at+size]
			at += size
		}
		groups[g] = append(groups[g], i)
	}
}
