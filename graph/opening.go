package graph

import (
	"slices"
)

// opening is what a component remembers of the moment before a step changed who is who in it, until Close compares.
//
//   - A component has no opening as long as nothing can have changed: an event that adds to a known link costs nothing here.
//   - A component that is one identity and stays one needs no opening either, whatever links come: see begin and end.
//   - Where somebody reads the feed, the shard makes it with the first message (Watch), with profiles.
//
// The calls in a step; a component that nothing changes meets none of them:
//
//	Watch ──► (begin ──► evidence changes ──► end)* for every message ──► Close: resolve, compare ──► Diff
//	  │          └─ of an Absorb: open and arrive, and no end
//	  └─ if the feed is read
//
// The obvious design, to compare before and after each message, would divide the component once a message, and tell
// of identities that exist only inside a step.
type opening struct {
	before    []Identity // as they stood, and those that arrived since
	told      []Identity // the same as readers of the feed know them; only while sweeping
	partition *partition // as it was; nil where identities have arrived since
	causes    []LinkKey  // links that may have decided a merge, the last one last; of a small component
	arrivals  int32      // how many Absorbs came; of a large component
	labelled  bool       // Member.was is set: of a large component
	watched   bool       // the feed is read
	sweeping  bool       // the feed may have told identities under other rules, or not at all
}

// Told lists the identities that readers of the feed are told of under some rules: those that have events, with their
// profiles. It shares no memory that a message changes.
func (c *Component) Told(rules *Rules) []Identity {
	told, _ := c.identities(c.resolve(rules), withProfiles, nil, nil, nil)
	for i := range told {
		p := told[i].Profile
		p.Orders = nil // the feed tells of their sums
		p.ownTraits()
	}
	return told
}

// Watch makes the next Close tell all that readers of the feed need. It is called before a step's first message, with
// the identities that there are, and while sweeping with those that readers were told of (Told).
func (c *Component) Watch(before, told []Identity, sweeping bool) {
	c.opening = &opening{before: before, told: told, partition: c.cached(), watched: true, sweeping: sweeping}
}

// Watched reports whether the next Close tells what readers of the feed need.
func (c *Component) Watched() bool { return c.opening != nil && c.opening.watched }

// Unclosed reports whether Close has something to compare, or Identities to count.
func (c *Component) Unclosed() bool {
	if c.opening != nil || c.large == nil {
		return c.opening != nil
	}
	p := c.cached()
	return p == nil || p != whole && !c.counted(p, c.active)
}

// begin is called before a message changes evidence in a way that may change identities. It reports whether the
// component is one identity; then nothing is noted yet, and end is to be called.
func (h handler) begin() (plain bool) {
	if o := h.opening; o != nil && (o.labelled || h.large == nil) {
		return false
	}
	if h.large == nil && h.resolve(h.rules) == whole {
		return true
	}
	h.open()
	return false
}

// end is called when the message has changed the evidence; plain is what begin reported. Only here does a component
// that was one identity note it: with members that no message but this one can have added.
func (h handler) end(plain bool) {
	if plain && !h.plain(h.rules) {
		h.note(whole)
	}
}

// open notes the identities before a message that may change them, even those of a component that is one identity.
func (h handler) open() {
	if h.opening == nil {
		h.note(h.resolve(h.rules))
	}
	if h.large != nil && !h.opening.labelled {
		h.opening.label(&h.store, h.resolve(h.rules))
	}
}

// openingRoom is an opening with all that an ordinary merge notes in it.
type openingRoom struct {
	opening
	identities [2]Identity
	nodes      [3]NodeKey // an arriving identity uses what is left
	causes     [1]LinkKey
}

// note lists the identities of a partition.
func (h handler) note(p *partition) {
	room := h.out.openings.next()
	o := &room.opening
	o.partition, o.causes = p, room.causes[:0]
	h.settle()
	if p != whole {
		o.before, _ = h.identities(p, withNodes, room.identities[:0], nil, room.nodes[:0])
	} else if h.active > 0 {
		o.before = append(room.identities[:0], summarise(h.members, nil, room.nodes[:0], h.Active()))
	}
	h.Component.opening = o
}

// label notes at each member of a large component the identity that it belongs to.
//
// Member.was is then the member's identity, for decisive:
//
//	above 0    its group when the step began, and one
//	0          it was in no identity, or was first seen since
//	below 0    it arrived with an Absorb: minus the number of that Absorb
func (o *opening) label(s *store, p *partition) {
	s.settle()
	o.labelled = true
	for i := range s.members {
		s.members[i].was = 1
		if p != whole {
			s.members[i].was = p.of[i] + 1
		}
	}
}

// arrive notes the identities that come with an Absorb.
//
// The partition from before is worth nothing then. A component that was whole and is whole again has the same
// partition, and Close would take that for no change, although two identities have become one.
func (o *opening) arrive(s *store, ev *Evidence, rules *Rules) {
	o.arrivals++
	if s.large == nil {
		if by, found := crossing(s, ev); found {
			o.causes = append(o.causes, by)
		}
	}
	arrived := len(o.before)
	var room []NodeKey
	if arrived == 1 {
		room = o.before[0].Nodes[len(o.before[0].Nodes):]
	}
	o.before = ev.appendIdentities(o.before, room, rules, o.watched && !o.sweeping)
	if o.sweeping {
		o.told = append(o.told, o.before[arrived:]...)
	}
	o.partition = nil
}

// Close ends a step: it divides the component anew if the step changed it, and fills d with what became of its
// identities. A caller that never closes misses that, and nothing else.
func (c *Component) Close(rules *Rules, d *Diff) {
	d.reset()
	o := c.opening
	if o == nil {
		return
	}
	c.opening = nil
	p := c.resolve(rules)
	if !o.watched && (p == o.partition || p == whole && len(o.before) < 2) {
		return
	}
	var room [2]Identity
	var placesRoom [2]int32
	what := summaries
	if o.watched {
		what = withProfiles
	}
	after, places := c.identities(p, what, room[:0], placesRoom[:0], nil)
	home := func(node NodeKey) int {
		at := c.place(node)
		switch {
		case at < 0:
			return -1
		case p == whole:
			return len(after) - 1
		case p.of[at] < 0:
			return -1
		}
		return int(places[p.of[at]])
	}
	d.compare(o.before, after, home, o.watched)
	k := closing{&c.store, o, p}
	k.explain(d, home)
	if o.sweeping {
		d.Told = &Diff{}
		d.Told.compare(o.told, after, home, true)
		k.explain(d.Told, home)
	}
}

// detail is how much is listed of identities.
type detail uint8

const (
	summaries detail = iota
	withNodes
	withProfiles
)

// identities lists the identities of a partition that have events, in descending rank. places has the place of each
// group in that list, -1 for one without events. Their memory is what the caller gives, empty, as far as it is large enough.
func (c *Component) identities(p *partition, what detail, list []Identity, places []int32, nodes []NodeKey) ([]Identity, []int32) {
	most := 0 // nodes of an identity that are listed
	if what == withNodes {
		most = c.Active()
	}
	c.settle()
	add := func(group []int32) bool {
		if what == withProfiles {
			profile := fold{&c.store, group}.profile(false) // the feed does not tell of dealings
			if profile.Events == 0 {
				return false
			}
			list = append(list, Identity{Summary: Summary{profile.Identifiers[0].NodeName, profile.Events}, Profile: &profile})
			return true
		}
		identity := summarise(c.members, group, nodes, most)
		if n := len(identity.Nodes); p != whole && n <= cap(nodes) {
			identity.Nodes, nodes = slices.Clip(identity.Nodes), nodes[n:n]
		}
		if identity.Events > 0 {
			list = append(list, identity)
		}
		return identity.Events > 0
	}
	if p == whole {
		var group []int32
		if what == withProfiles {
			group = c.everyone()
		}
		add(group)
		return list, nil
	}
	list, places = slices.Grow(list, len(p.groups)), slices.Grow(places, len(p.groups))[:len(p.groups)]
	for g, group := range p.groups {
		places[g] = -1
		if add(group) {
			places[g] = int32(len(list)) - 1
		}
	}
	return list, places
}

// summarise sums up the identity of some members, in descending rank; a nil group is all of them. At most so many nodes
// with events are listed: in room, or in memory of their own.
func summarise(members []Member, group []int32, room []NodeKey, most int) Identity {
	var s Identity
	n := len(group)
	if group == nil {
		n = len(members)
	}
	for i := range n {
		m := &members[i]
		if group != nil {
			m = &members[group[i]]
		}
		if i == 0 {
			s.Name = m.NodeName
		}
		if m.active() {
			s.Events += m.Fragment.Events
			if most == 0 {
				continue
			}
			if s.Nodes == nil {
				if s.Nodes = room[:0]; min(n-i, most) > cap(room) {
					s.Nodes = make([]NodeKey, 0, min(n-i, most))
				}
			}
			s.Nodes = append(s.Nodes, m.Key)
		}
	}
	return s
}

// appendIdentities appends the identities that come with an Absorb. Of a part of a component's evidence, the parts
// that bring their links may still be on the way, so of its identities only the ids are known.
func (ev *Evidence) appendIdentities(list []Identity, room []NodeKey, rules *Rules, profiles bool) []Identity {
	switch {
	case ev.Part:
		for _, head := range ev.Heads {
			if i, found := searchMember(ev.Members, head); found {
				one := summarise(ev.Members[i:i+1], nil, nil, 0)
				one.Nodes = []NodeKey{head}
				list = append(list, one)
			}
		}
		return list
	case !profiles && ev.plain(rules):
		active := 0
		for i := range ev.Members {
			if ev.Members[i].active() {
				active++
			}
		}
		one := summarise(ev.Members, nil, room, active)
		if one.Events == 0 {
			return list
		}
		return append(list, one)
	}
	c := RestoreComponent(NodeKey{}, &Evidence{Members: slices.Clone(ev.Members), Links: ev.Links, Assertions: ev.Assertions})
	if profiles {
		return append(list, c.Told(rules)...)
	}
	divided, _ := c.identities(c.resolve(rules), withNodes, nil, nil, nil)
	return append(list, divided...)
}

// closing is what Close knows when it looks for causes: the evidence, how it is divided now, and the opening.
type closing struct {
	*store
	opening *opening
	after   *partition
}

// explain names what decided each merge, and what brought each identifier.
func (k closing) explain(d *Diff, home func(NodeKey) int) {
	var decisive []LinkKey
	for i := range d.Merges {
		m := &d.Merges[i]
		if len(m.From) == 0 {
			continue
		}
		at := home(m.Into.ID())
		by, found := LinkKey{}, false
		for j := len(k.opening.causes) - 1; j >= 0 && !found; j-- {
			by, found = k.opening.causes[j], home(k.opening.causes[j].A) == at && home(k.opening.causes[j].B) == at
		}
		if !found && k.opening.labelled {
			if decisive == nil {
				decisive = k.decisive()
			}
			g := 0
			if k.after != whole {
				g = int(k.after.of[k.place(m.Into.ID())])
			}
			by = decisive[g]
		}
		m.Cause = k.cause(by, d)
	}
	for i := range d.Updates {
		for j := range d.Updates[i].Joined {
			joined := &d.Updates[i].Joined[j]
			joined.Cause = k.causeOf(joined.Name.Key, d)
		}
	}
}

// cause returns the link, or without one the newest force that holds.
func (k closing) cause(by LinkKey, d *Diff) Cause {
	if l := k.findLink(by); l != nil {
		return k.causeLink(l, d)
	}
	if a := k.lastForce(); a != nil {
		return Cause{By: [2]NodeName{a.A, a.B}, Verb: VerbForce, Assertion: a.ID}
	}
	return Cause{}
}

func (k closing) causeLink(l *Link, d *Diff) Cause {
	return Cause{By: [2]NodeName{k.find(l.A).NodeName, k.find(l.B).NodeName}, Verb: l.Verb, Mark: d.copyMark(&l.Last)}
}

// causeOf is the newest observed link of a member.
func (k closing) causeOf(node NodeKey, d *Diff) Cause {
	var newest *Link
	k.settle()
	for i := range k.links {
		l := &k.links[i]
		if l.Count > 0 && (l.A == node || l.B == node) && (newest == nil || l.Last.Stamp.Compare(newest.Last.Stamp) > 0) {
			newest = l
		}
	}
	if newest == nil {
		return Cause{}
	}
	return k.causeLink(newest, d)
}

// lastForce is the newest force that holds.
func (k closing) lastForce() *Assertion {
	var last *Assertion
	for i := range k.assertions {
		a := &k.assertions[i]
		if a.Verb == AssertForce && !a.Withdrawn && (last == nil || a.newer(last)) {
			last = a
		}
	}
	return last
}

// decisive finds, by identity of now, the link that brought it together in a large component: the newest observed
// one between what was several identities when the step began.
//
// A link between two members that both were in identities is preferred: it joins people. One with an end that was
// in no identity comes second: it joins a person and an identifier. Both searches are one pass over all links, so
// decisive is called at most once for a diff, and only if a merge needs it.
func (k closing) decisive() []LinkKey {
	newest, between := make([]*Link, max(1, len(k.after.groups))), make([]*Link, max(1, len(k.after.groups)))
	newer := func(best **Link, l *Link) {
		if *best == nil || l.First.Stamp.Compare((*best).First.Stamp) > 0 {
			*best = l
		}
	}
	for i := range k.links {
		l := &k.links[i]
		a, b := k.place(l.A), k.place(l.B)
		x, y := k.members[a].was, k.members[b].was
		if l.Count == 0 || x == y {
			continue
		}
		g := int32(0)
		if k.after != whole {
			if g = k.after.of[a]; g < 0 || k.after.of[b] != g {
				continue
			}
		}
		newer(&newest[g], l)
		if x != 0 && y != 0 {
			newer(&between[g], l)
		}
	}
	keys := make([]LinkKey, len(newest))
	for g := range keys {
		switch {
		case between[g] != nil:
			keys[g] = between[g].LinkKey
		case newest[g] != nil:
			keys[g] = newest[g].LinkKey
		}
	}
	return keys
}

// crossing is the newest observed link between what arrives and what is here: it brought them together.
func crossing(s *store, ev *Evidence) (by LinkKey, found bool) {
	var newest *Stamp
	arrives := func(key NodeKey) bool {
		i, found := searchMember(ev.Members, key)
		return found && ev.Members[i].Hosted
	}
	consider := func(l *Link, cross bool) {
		if cross && l.Count > 0 && (newest == nil || l.First.Stamp.Compare(*newest) > 0) {
			by, newest = l.LinkKey, &l.First.Stamp
		}
	}
	for i := range s.links {
		l := &s.links[i]
		consider(l, arrives(l.A) != arrives(l.B))
	}
	here := func(key NodeKey) bool {
		i, found := searchMember(s.members, key)
		return found && s.members[i].Hosted
	}
	for i := range ev.Links {
		l := &ev.Links[i]
		consider(l, here(l.A) != here(l.B))
	}
	return by, newest != nil
}

func (m *Mark) clone() Mark { return m.copyInto(make([]byte, 0, len(m.ID)+len(m.Source))) }

// copyInto copies the mark into memory that has room for its bytes.
func (m *Mark) copyInto(room []byte) Mark {
	room = append(append(room, m.ID...), m.Source...)
	n := len(m.ID)
	return Mark{Stamp: m.Stamp, ID: room[:n:n], Source: room[n:]}
}
