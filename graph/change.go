package graph

import "slices"

// snapshot is who was who before a component's evidence changed.
type snapshot struct {
	whole      bool // one identity; identities is empty until it is asked for
	deferred   bool // what became of it is told by Close
	identities []Summary
}

// snapshot is taken before each change of a small component, and before the first of a step to a large one.
func (c *Component) snapshot(rules *Rules) snapshot {
	if c.large != nil {
		c.open(rules)
		return snapshot{deferred: true}
	}
	p := c.resolve(rules)
	if p == whole {
		return snapshot{whole: true}
	}
	return snapshot{identities: c.summaries(p)}
}

// open notes who is who, before a step changes a large component for the first time.
func (c *Component) open(rules *Rules) {
	l := c.large
	if l == nil || l.before != nil {
		return
	}
	p := c.resolve(rules)
	c.settle()
	l.before, l.arrivals = &snapshot{}, 0
	if p == whole {
		for i := range c.members {
			c.members[i].was = 1
		}
		if summary := c.summarise(nil, nil); summary.Events > 0 {
			l.before.identities = []Summary{summary}
		}
		return
	}
	for i := range c.members {
		c.members[i].was = p.of[i] + 1
	}
	l.before.identities = c.summaries(p)
}

// arrive notes what comes to a large component with an Absorb.
func (c *Component) arrive(ev *Evidence) {
	l := c.large
	l.arrivals++
	if ev.More {
		return
	}
	l.before.add(ev.Identities)
	if len(ev.Members) > 0 {
		return
	}
	for i := range ev.Identities { // the end of what came in parts
		for _, node := range ev.Identities[i].Nodes {
			if m := c.find(node); m != nil && m.was <= 0 {
				m.was = -l.arrivals
			}
		}
	}
}

// Unclosed reports whether Close has something to tell, or Identities to count.
func (c *Component) Unclosed() bool {
	return c.large != nil && (c.large.before != nil || c.partition == nil || c.partition != whole && !c.counted(c.partition))
}

// Close ends a step: of a large component, it divides it anew if the step changed it, and tells what became of
// identities since its first change. A small component has told that with every message. So a step tells of a
// large one that it merged and split only what is otherwise than before it; and who calls no Close misses the report,
// and nothing else.
func (c *Component) Close(rules *Rules, out *Outbox) {
	l := c.large
	if l == nil || l.before == nil {
		return
	}
	before := l.before
	l.before = nil
	c.report(before, LinkKey{}, rules, out)
}

// materialise lists the identity of a whole component, before events of others are added.
func (s *snapshot) materialise(c *Component) {
	if !s.whole {
		return
	}
	s.whole = false
	room := &struct {
		identities [2]Summary // a merge adds one, as a rule
		nodes      summaryNodes
	}{}
	if summary := c.summarise(nil, &room.nodes); summary.Events > 0 {
		s.identities = append(room.identities[:0], summary)
	}
}

// add takes in the identities that come with an Absorb.
func (s *snapshot) add(identities []Summary) { s.identities = append(s.identities, identities...) }

// summaries lists the identities of a component that is divided, of those that have events.
//
// REQUIRES: settled
func (c *Component) summaries(p *partition) []Summary {
	var all []Summary
	for _, group := range p.groups {
		if summary := c.summarise(group, nil); summary.Events > 0 {
			all = append(all, summary)
		}
	}
	return all
}

// summaryNodes has room for the nodes of an ordinary identity.
type summaryNodes [2]NodeKey

// summarise sums up the identity of some members, in descending rank; nil is all of them. Its nodes are in room where
// there is some, and enough.
//
// REQUIRES: settled
func (c *Component) summarise(group []int32, room *summaryNodes) Summary {
	var s Summary
	n := len(group)
	if group == nil {
		n = len(c.members)
	}
	for i := range n {
		m := &c.members[i]
		if group != nil {
			m = &c.members[group[i]]
		}
		if i == 0 {
			s.ID, s.Name = m.Key, m.NodeName
		}
		if m.Fragment != nil && m.Fragment.Events > 0 {
			s.Events += m.Fragment.Events
			if s.Nodes == nil {
				if most := min(n-i, c.active); room != nil && most <= len(room) {
					s.Nodes = room[:0]
				} else {
					s.Nodes = make([]NodeKey, 0, most)
				}
			}
			s.Nodes = append(s.Nodes, m.Key)
		}
	}
	return s
}

// changed reports what became of the identities there were. by is the link that decided, if one did.
func (c *Component) changed(before *snapshot, by LinkKey, rules *Rules, out *Outbox) {
	if !before.deferred {
		c.report(before, by, rules, out)
	}
}

func (c *Component) report(before *snapshot, by LinkKey, rules *Rules, out *Outbox) {
	after := c.resolve(rules)
	if before.whole {
		if after == whole {
			return
		}
		c.settle()
		// Only evidence was added, no events: the members with events are those of before.
		before.materialise(c)
	}
	if len(before.identities) == 0 {
		return
	}
	c.settle()
	if after == whole {
		if len(before.identities) > 1 {
			if c.large != nil && by == (LinkKey{}) {
				by = c.decisive(whole)[0]
			}
			c.merged(c.summarise(nil, nil), before.identities, by, out)
		}
		return
	}
	c.reportDivided(before, by, after, out)
}

// reportDivided is report where the component is several identities.
func (c *Component) reportDivided(before *snapshot, by LinkKey, after *partition, out *Outbox) {
	now := make([]Summary, len(after.groups))
	for g, group := range after.groups {
		now[g] = c.summarise(group, nil)
	}
	from := make([][]Summary, len(now))
	last := make([]int, len(now)) // by identity of now: the last one of before that it is a part of, and one
	for i, was := range before.identities {
		var parts []Summary
		for _, node := range was.Nodes {
			at := c.place(node)
			if at < 0 || after.of[at] < 0 {
				continue
			}
			if g := after.of[at]; last[g] != i+1 && now[g].Events > 0 {
				last[g] = i + 1
				parts = append(parts, now[g])
				from[g] = append(from[g], was)
			}
		}
		if len(parts) > 1 {
			out.Changes = append(out.Changes, Change{Kind: ChangeSplit, Into: was, From: parts})
		}
	}
	var decisive []LinkKey
	for g := range now {
		if len(from[g]) < 2 {
			continue
		}
		if c.large != nil && by == (LinkKey{}) {
			if decisive == nil {
				decisive = c.decisive(after)
			}
			c.merged(now[g], from[g], decisive[g], out)
			continue
		}
		c.merged(now[g], from[g], by, out)
	}
}

// decisive finds, by identity of now, the link that brought it together in a large component: the newest observed
// one between what was several identities when the step began.
func (c *Component) decisive(after *partition) []LinkKey {
	newest, known := make([]*Link, max(1, len(after.groups))), make([]*Link, max(1, len(after.groups)))
	newer := func(best **Link, l *Link) {
		if *best == nil || l.First.Stamp.Compare((*best).First.Stamp) > 0 {
			*best = l
		}
	}
	for i := range c.links {
		l := &c.links[i]
		a, b := c.place(l.A), c.place(l.B)
		x, y := c.members[a].was, c.members[b].was
		if l.Count == 0 || x == y {
			continue
		}
		g := int32(0)
		if after != whole {
			if g = after.of[a]; g < 0 || after.of[b] != g {
				continue
			}
		}
		newer(&newest[g], l)
		if x != 0 && y != 0 {
			newer(&known[g], l)
		}
	}
	keys := make([]LinkKey, len(newest))
	for g := range keys {
		switch {
		case known[g] != nil:
			keys[g] = known[g].LinkKey
		case newest[g] != nil:
			keys[g] = newest[g].LinkKey
		}
	}
	return keys
}

// merged reports a merge with the link or the assertion that decided it.
func (c *Component) merged(into Summary, from []Summary, by LinkKey, out *Outbox) {
	change := Change{Kind: ChangeMerged, Into: into, From: from}
	if l := c.findLink(by); l != nil {
		change.By = [2]NodeName{c.find(l.A).NodeName, c.find(l.B).NodeName}
		change.Verb, change.Mark = l.Verb, l.Last.clone()
	} else if a := c.lastForce(); a != nil {
		change.By = [2]NodeName{a.A, a.B}
		change.Verb, change.Assertion = VerbForce, a.ID
	}
	out.Changes = append(out.Changes, change)
}

// lastForce is the newest force that holds.
func (c *Component) lastForce() *Assertion {
	var last *Assertion
	for i := range c.assertions {
		a := &c.assertions[i]
		if a.Verb == AssertForce && !a.Withdrawn && (last == nil || a.newer(last)) {
			last = a
		}
	}
	return last
}

// crossing is the newest observed link between what arrives and what is here: it brought them together.
func (c *Component) crossing(ev *Evidence) LinkKey {
	var by LinkKey
	var newest *Stamp
	arrives := func(key NodeKey) bool {
		if len(ev.Members) == 0 { // the end of what came in parts
			return slices.ContainsFunc(ev.Identities, func(s Summary) bool { return slices.Contains(s.Nodes, key) })
		}
		i, found := searchMember(ev.Members, key)
		return found && ev.Members[i].Hosted
	}
	consider := func(l *Link, cross bool) {
		if cross && l.Count > 0 && (newest == nil || l.First.Stamp.Compare(*newest) > 0) {
			by, newest = l.LinkKey, &l.First.Stamp
		}
	}
	for i := range c.links {
		l := &c.links[i]
		consider(l, arrives(l.A) != arrives(l.B))
	}
	here := func(key NodeKey) bool {
		i, found := searchMember(c.members, key)
		return found && c.members[i].Hosted
	}
	for i := range ev.Links {
		l := &ev.Links[i]
		consider(l, here(l.A) != here(l.B))
	}
	return by
}

func (m *Mark) clone() Mark {
	room := append(append(make([]byte, 0, len(m.ID)+len(m.Source)), m.ID...), m.Source...)
	n := len(m.ID)
	return Mark{Stamp: m.Stamp, ID: room[:n:n], Source: room[n:]}
}
