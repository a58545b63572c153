package graph

import "slices"

// Reason is one piece of evidence in an answer: an observed link, or an operator's force.
type Reason struct {
	A, B      NodeName
	Verb      Verb
	Count     uint64 // distinct events; 0 for an assertion
	First     Mark
	Last      Mark
	Assertion *Assertion // for a force
	Refused   *Constraint
}

// Explanation answers whether and why two identifiers are one person.
type Explanation struct {
	Same bool
	// Path leads from the one to the other. When Same, every reason on it was admitted. Otherwise it
	// is the path that comes nearest: its refused reasons say what keeps the two apart. It is empty
	// when no evidence connects them.
	Path []Reason
}

// Why explains whether two identifiers of this component are one person. It returns false if either
// is not a member.
func (c *Component) Why(a, b NodeKey, rules *Rules) (Explanation, bool) {
	c.settle()
	from, to := c.place(a), c.place(b)
	if from < 0 || to < 0 {
		return Explanation{}, false
	}
	x := newExplainer(c, rules)
	// Admitted evidence costs nothing and refused evidence costs one: a breadth-first search by
	// number of refusals finds the path with the fewest, of those the one with the fewest reasons.
	path, cost := x.shortest(int32(from), int32(to))
	return Explanation{Same: (path != nil || from == to) && cost == 0, Path: path}, true
}

// How lists the evidence that made one identity of a node's component, in the order in which it
// was admitted. It returns false if the node is not hosted here.
func (c *Component) How(node NodeKey, rules *Rules) ([]Reason, bool) {
	group, ok := c.identityOf(node, rules)
	if !ok {
		return nil, false
	}
	x := newExplainer(c, rules)
	var steps []Reason
	for i := range x.tree {
		_, in := slices.BinarySearch(group, x.tree[i].a)
		if !in { // but for a mere reading, both ends are of the group
			_, in = slices.BinarySearch(group, x.tree[i].b)
		}
		if in {
			steps = append(steps, x.reason(&x.tree[i], nil))
		}
	}
	return steps, true
}

// An explainer finds the evidence that answers a question about identities. Its entries are of one division, in the order
// of Resolve.
type explainer struct {
	*store
	rules   *Rules
	tree    []entry // admitted
	refused []refusal
}

// newExplainer lists the evidence that was admitted and refused. It divides a whole component, too: the fast path shows that
// nothing is refused, and not which links make the tree.
func newExplainer(c *Component, rules *Rules) explainer {
	p := c.resolve(rules)
	if p == whole || p.reordered {
		c.settle()
		p = divide(&c.store, rules)
	}
	return explainer{store: &c.store, rules: rules, tree: p.accepted, refused: p.refused}
}

func (x explainer) reason(e *entry, refused *Constraint) Reason {
	r := Reason{A: x.members[e.a].NodeName, B: x.members[e.b].NodeName, Verb: e.verb, Refused: refused}
	if e.assertion >= 0 {
		a := x.assertions[e.assertion]
		r.Assertion = &a
		return r
	}
	l := &x.links[e.link]
	r.Count, r.First, r.Last = l.Count, l.First.clone(), l.Last.clone()
	return r
}

// shortest finds the path with the fewest refusals, and of those the fewest steps.
//
// The edges of all members are one list. ends is counted two places ahead, so that filling the list moves each
// count to where the member's edges end, which is where those of the next one begin:
//
//	ends after counting    0  0  n0  n0+n1 …      the edges of member i would begin at ends[i+1]
//	ends after filling     0  n0  n0+n1 …         the edges of member i are all[ends[i]:ends[i+1]]
//
// The search holds two lists, of members at the number of refusals that is looked at and at one more, in place of a
// heap. A member that is found again by fewer steps enters a list again: its edges are then looked at once more.
func (x explainer) shortest(from, to int32) (path []Reason, cost int) {
	type edge struct {
		to     int32
		reason int // index in tree; from len(x.tree) on in refused
	}
	// Edges of member i are all[ends[i]:ends[i+1]].
	entryAt := func(i int) *entry {
		if i < len(x.tree) {
			return &x.tree[i]
		}
		return &x.refused[i-len(x.tree)].entry
	}
	ends := make([]int, len(x.members)+2)
	for i := range len(x.tree) + len(x.refused) {
		e := entryAt(i)
		ends[e.a+2]++
		ends[e.b+2]++
	}
	for i := 2; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	all := make([]edge, ends[len(ends)-1])
	for i := range len(x.tree) + len(x.refused) {
		e := entryAt(i)
		all[ends[e.a+1]] = edge{e.b, i}
		ends[e.a+1]++
		all[ends[e.b+1]] = edge{e.a, i}
		ends[e.b+1]++
	}
	type visit struct{ refusals, steps, via, reason int }
	best := make([]visit, len(x.members))
	for i := range best {
		best[i].refusals = -1
	}
	best[from] = visit{via: -1}
	// Members whose distance is known, the nearest first: a list for this number of refusals and
	// one for the next.
	now, next := []int32{from}, []int32(nil)
	for len(now) > 0 {
		for i := 0; i < len(now); i++ {
			at := now[i]
			for _, ed := range all[ends[at]:ends[at+1]] {
				v := visit{best[at].refusals, best[at].steps + 1, int(at), ed.reason}
				if ed.reason >= len(x.tree) {
					v.refusals++
				}
				old := &best[ed.to]
				if old.refusals >= 0 && (old.refusals < v.refusals || old.refusals == v.refusals && old.steps <= v.steps) {
					continue
				}
				*old = v
				if v.refusals == best[at].refusals {
					now = append(now, ed.to)
				} else {
					next = append(next, ed.to)
				}
			}
		}
		now, next = next, nil
	}
	if best[to].refusals < 0 {
		return nil, 0
	}
	for at := int(to); best[at].via >= 0; at = best[at].via {
		if r := best[at].reason; r < len(x.tree) {
			path = append(path, x.reason(&x.tree[r], nil))
		} else {
			constraint := x.constraint(&x.refused[r-len(x.tree)])
			path = append(path, x.reason(&x.refused[r-len(x.tree)].entry, &constraint))
		}
	}
	slices.Reverse(path)
	return path, best[to].refusals
}

// constraint is what refused an entry, in full.
func (x explainer) constraint(r *refusal) Constraint {
	k := Constraint{Kind: r.kind}
	switch r.kind {
	case ConstraintLimit:
		k.Limit = x.rules.Limits[r.by]
	case ConstraintCannot, ConstraintRetract, ConstraintForget:
		k.Assertion = x.assertions[r.by]
	case ConstraintGeneric, ConstraintFull, ConstraintElsewhere, ConstraintReading:
		k.Node = x.members[r.by].NodeName
	case ConstraintCap:
		k.Cap = x.rules.MaxIdentity
	}
	return k
}
