package oracle

import (
	"cmp"
	"slices"
	"time"

	"github.com/kindred-id/kindred/graph"
)

// entry is a link at one of its times, on its way to being taken.
type entry struct {
	pair
	verb graph.Verb
	time int64
}

func (e entry) forced() bool { return e.verb == graph.VerbForce }

// refusal is an entry that was refused, and the constraint that it would have broken.
type refusal struct {
	entry
	cannot    bool
	namespace string // of the limit; empty for a cannot
	capped    bool   // the identity would have had too many identifiers
}

// group holds the members of one identity so far.
type group struct{ members []graph.NodeKey }

// resolution is the state of resolving. In the end it holds the identities.
type resolution struct {
	ev       *evidence
	rules    *graph.Rules
	of       map[graph.NodeKey]*group
	admitted map[graph.NodeKey]int64 // when a node was first joined to another
	accepted []entry
	refused  []refusal
	attached map[graph.NodeKey]bool // mere readings that go with an identity
}

// resolve joins nodes to identities with no regard for speed: it takes every entry in the total order (R1) and checks
// it against all cannots and limits (R2). Mere readings come last: they count towards no limit, and each goes with the
// first identity that an entry offers (R5). A reading that no identity takes is an identity of its own.
func resolve(ev *evidence, rules *graph.Rules) *resolution {
	r := &resolution{ev: ev, rules: rules, of: map[graph.NodeKey]*group{}, admitted: map[graph.NodeKey]int64{}, attached: map[graph.NodeKey]bool{}}
	mere := map[graph.NodeKey]bool{}
	for n := range ev.names {
		r.of[n] = &group{members: []graph.NodeKey{n}}
		if mere[n] = ev.mere(n, rules); mere[n] {
			r.of[n] = &group{} // which counts towards no limit
		}
	}
	var late []entry
	for _, e := range entries(ev, rules) {
		if mere[e.a] || mere[e.b] {
			late = append(late, e)
			continue
		}
		r.take(e)
	}
	for _, e := range late {
		r.attach(e, mere)
	}
	for n := range mere {
		if mere[n] && !r.attached[n] {
			r.of[n] = &group{members: []graph.NodeKey{n}}
		}
	}
	return r
}

// attach lets a mere reading go with an identity, unless it goes with one already, or a cannot forbids it (R5).
func (r *resolution) attach(e entry, mere map[graph.NodeKey]bool) {
	reading, with := e.a, e.b
	if !mere[reading] {
		reading, with = with, reading
	}
	if mere[with] || r.attached[reading] {
		return
	}
	if why, ok := r.obstacle(e, r.of[e.a], r.of[e.b]); ok {
		r.refused = append(r.refused, why)
		return
	}
	r.attached[reading] = true
	r.of[reading] = r.of[with]
}

// entries returns all conducting links in their total order (R1, R3).
func entries(ev *evidence, rules *graph.Rules) []entry {
	windowed := slices.ContainsFunc(rules.Limits, func(l graph.Limit) bool { return l.Within > 0 })
	var all []entry
	for _, l := range ev.links {
		if !ev.conducts(l, rules) {
			continue
		}
		first, last := entry{l.pair, l.verb, l.first}, entry{l.pair, l.verb, l.last}
		switch {
		case windowed && l.first != l.last:
			all = append(all, first, last)
		case rules.Precedence == graph.KeepFirst:
			all = append(all, first)
		default:
			all = append(all, last)
		}
	}
	for p, at := range ev.forced {
		all = append(all, entry{p, graph.VerbForce, at})
	}
	slices.SortFunc(all, func(x, y entry) int {
		byTime := cmp.Compare(x.time, y.time)
		if rules.Precedence == graph.LatestWins {
			byTime = -byTime
		}
		return cmp.Or(cmp.Compare(y.verb, x.verb), byTime, y.a.Compare(x.a), y.b.Compare(x.b))
	})
	return all
}

// take joins the groups of an entry's ends, unless they are one group already or a constraint forbids it (R2).
func (r *resolution) take(e entry) {
	x, y := r.of[e.a], r.of[e.b]
	if x == y {
		return
	}
	if why, ok := r.obstacle(e, x, y); ok {
		r.refused = append(r.refused, why)
		return
	}
	r.accepted = append(r.accepted, e)
	r.admit(e.a, e.time)
	r.admit(e.b, e.time)
	x.members = append(x.members, y.members...)
	for _, n := range y.members {
		r.of[n] = x
	}
}

// admit notes when a node was first joined; the windows of limits measure between these times.
func (r *resolution) admit(n graph.NodeKey, at int64) {
	if _, ok := r.admitted[n]; !ok {
		r.admitted[n] = at
	}
}

// obstacle returns the constraint that joining x and y by e would break; ok is false if it would break no constraint.
func (r *resolution) obstacle(e entry, x, y *group) (why refusal, ok bool) {
	for p := range r.ev.cannot {
		if r.of[p.a] == x && r.of[p.b] == y || r.of[p.a] == y && r.of[p.b] == x {
			return refusal{entry: e, cannot: true}, true
		}
	}
	if e.forced() {
		return refusal{}, false
	}
	if r.rules.MaxIdentity > 0 && len(x.members)+len(y.members) > r.rules.MaxIdentity {
		return refusal{entry: e, capped: true}, true
	}
	for _, l := range r.rules.Limits {
		both := r.ev.names[e.a].Namespace == l.Namespace && r.ev.names[e.b].Namespace == l.Namespace
		if both && e.verb == graph.VerbAlias && r.rules.Alias == graph.AliasMerges {
			continue // an alias asserts just this
		}
		if r.exceeds(l, x, y, e.time) {
			return refusal{entry: e, namespace: l.Namespace}, true
		}
	}
	return refusal{}, false
}

// exceeds reports whether x and y together hold more of the limit's namespace than it allows. A node that was never joined to
// another would be admitted now.
func (r *resolution) exceeds(l graph.Limit, x, y *group, now int64) bool {
	mine, theirs := r.within(x, l.Namespace), r.within(y, l.Namespace)
	if len(mine) == 0 || len(theirs) == 0 {
		return false
	}
	all := slices.Concat(mine, theirs)
	if l.Within == 0 {
		return len(all) > l.Max
	}
	var times []int64
	for _, n := range all {
		at, ok := r.admitted[n]
		if !ok {
			at = now
		}
		times = append(times, at)
	}
	slices.Sort(times)
	window := int64(l.Within / time.Millisecond)
	for i := 0; i+l.Max < len(times); i++ {
		if times[i+l.Max]-times[i] < window {
			return true
		}
	}
	return false
}

// within returns the members of g in a namespace.
func (r *resolution) within(g *group, namespace string) []graph.NodeKey {
	var found []graph.NodeKey
	for _, n := range g.members {
		if is := r.ev.names[n].Namespace; is == namespace || hashOf[is] == namespace {
			found = append(found, n)
		}
	}
	return found
}

// partition returns the groups in ascending order of their heads, each with its members in descending rank.
func (r *resolution) partition() [][]graph.NodeKey {
	done := map[*group]bool{}
	var all [][]graph.NodeKey
	for _, g := range r.of {
		if done[g] {
			continue
		}
		done[g] = true
		members := slices.Clone(g.members)
		descending(members)
		all = append(all, members)
	}
	slices.SortFunc(all, func(x, y []graph.NodeKey) int { return x[0].Compare(y[0]) })
	return all
}
