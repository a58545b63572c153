package graph

import "slices"

// snapshot is who was who before a component's evidence changed.
type snapshot struct {
	whole      bool // one identity; identities is empty until it is asked for
	identities []Summary
}

func (c *Component) snapshot(rules *Rules) snapshot {
	p := c.resolve(rules)
	if p == whole {
		return snapshot{whole: true}
	}
	return snapshot{identities: c.summaries(p)}
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
	after := c.resolve(rules)
	if before.whole {
		if after == whole {
			return
		}
		// Only evidence was added, no events: the members with events are those of before.
		before.materialise(c)
	}
	if len(before.identities) == 0 {
		return
	}
	if after == whole {
		if len(before.identities) > 1 {
			c.merged(c.summarise(nil, nil), before.identities, by, out)
		}
		return
	}
	now := c.summaries(after)
	owner := make(map[NodeKey]int, len(now))
	for i := range now {
		for _, node := range now[i].Nodes {
			owner[node] = i
		}
	}
	from := make([][]Summary, len(now))
	for _, was := range before.identities {
		var parts []Summary
		seen := make(map[int]bool, 1)
		for _, node := range was.Nodes {
			if i, ok := owner[node]; ok && !seen[i] {
				seen[i] = true
				parts = append(parts, now[i])
				from[i] = append(from[i], was)
			}
		}
		if len(parts) > 1 {
			out.Changes = append(out.Changes, Change{Kind: ChangeSplit, Into: was, From: parts})
		}
	}
	for i := range now {
		if len(from[i]) > 1 {
			c.merged(now[i], from[i], by, out)
		}
	}
}

// merged reports a merge with the link or the assertion that decided it.
func (c *Component) merged(into Summary, from []Summary, by LinkKey, out *Outbox) {
	change := Change{Kind: ChangeMerged, Into: into, From: from}
	if at, found := searchLink(c.links, by); found {
		l := &c.links[at]
		a, _ := searchMember(c.members, l.A)
		b, _ := searchMember(c.members, l.B)
		change.By = [2]NodeName{c.members[a].NodeName, c.members[b].NodeName}
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
