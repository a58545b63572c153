package graph

// absorb unites evidence of a component that came under this root.
func (h handler) absorb(ev *Evidence) {
	h.open()
	h.opening.arrive(&h.store, ev, h.rules)
	var members []Member // new ones, of a large component
	for i := range ev.Members {
		members = h.uniteMember(&ev.Members[i], members)
	}
	if len(members) > 0 {
		h.addAll(members, nil)
	}
	var links []Link
	for i := range ev.Links {
		links = h.uniteLink(&ev.Links[i], links)
	}
	if len(links) > 0 {
		h.addAll(nil, links)
		for i := range links {
			h.countNeighbours(links[i].LinkKey)
			h.countReading(false, &links[i])
		}
	}
	h.detectArrived(ev)
	for i := range ev.Assertions {
		h.uniteAssertion(&ev.Assertions[i])
	}
	h.touch()
}

// detectArrived marks members that arrived evidence makes generic values. In a large component only those are asked
// that it is about.
func (h handler) detectArrived(ev *Evidence) {
	if h.large == nil {
		for i := range h.members {
			h.detectGeneric(h.members[i].Key)
		}
		return
	}
	for i := range ev.Members {
		h.detectGeneric(ev.Members[i].Key)
	}
	for i := range ev.Links {
		h.detectGeneric(ev.Links[i].A)
		h.detectGeneric(ev.Links[i].B)
	}
}

// uniteMember adds a member with its fragment, or what is new of it. A new one of a large component is appended to
// added, for all of them to be added at once.
func (h handler) uniteMember(m *Member, added []Member) []Member {
	mine := h.find(m.Key)
	overtaken := mine != nil && mine.Namespace == "" && mine.Refused
	was, known, generic := "", mine != nil, false
	if known {
		was, generic = mine.Namespace, mine.Generic
	}
	switch {
	case mine != nil:
		h.name(mine, m.NodeName)
	case h.large == nil:
		mine = h.member(m.NodeName, false)
	default:
		added = append(added, h.newMember(m.NodeName, false))
		mine = &added[len(added)-1]
	}
	h.set(mine, (mine.Hosted || m.Hosted) && !overtaken, mine.Generic || m.Generic)
	mine.Here = mine.Here || m.Here
	mine.Refused = (mine.Refused || m.Refused) && !mine.Hosted
	if (mine.Generic || mine.Refused) && (m.Hosted || overtaken || known && (was != mine.Namespace || generic != mine.Generic)) {
		h.tellName(mine)
	}
	if h.large != nil && mine.was == 0 {
		mine.was = -h.opening.arrivals
	}
	if order := m.RawStamp.Compare(mine.RawStamp); order > 0 || order == 0 && m.Raw > mine.Raw {
		mine.Raw, mine.RawStamp = m.Raw, m.RawStamp
	}
	wasActive := mine.active()
	switch {
	case m.Fragment == nil:
	case mine.Fragment == nil:
		mine.Fragment = m.Fragment
	default:
		mine.Fragment.merge(m.Fragment)
	}
	if !wasActive && mine.active() {
		h.active++
	}
	return added
}

// uniteLink adds a link, or what is new of it. A new one of a large component is appended to added.
func (h handler) uniteLink(l *Link, added []Link) []Link {
	if mine := h.findLink(l.LinkKey); mine != nil {
		reading := mine.Reading
		mine.merge(l)
		h.countReading(reading, mine)
		return added
	}
	// In a large component cut into parts, a link may come ahead of its members.
	h.member(NodeName{Key: l.A}, false)
	h.member(NodeName{Key: l.B}, false)
	if h.large != nil {
		return append(added, *l)
	}
	at, _ := searchLink(h.links, l.LinkKey)
	h.countReading(false, h.addLink(at, *l))
	h.countNeighbours(l.LinkKey)
	return added
}

// leave sends all evidence to the root that the component comes under, in parts where it is large (H2).
func (h handler) leave(root NodeKey) {
	evidence := h.out.evidence.next()
	*evidence = h.Evidence()
	if evidence.fits() {
		h.out.send(Message{Kind: KindAbsorb, To: root, Evidence: evidence})
		return
	}
	for _, part := range evidence.parts(heads(h.Component, h.rules)) {
		h.out.send(Message{Kind: KindAbsorb, To: root, Evidence: part})
	}
}

// heads are the highest-ranked members of the identities with events, in descending rank.
func heads(c *Component, rules *Rules) []NodeKey {
	identities, _ := c.identities(c.resolve(rules), summaries, nil, nil, nil)
	heads := make([]NodeKey, len(identities))
	for i := range identities {
		heads[i] = identities[i].ID()
	}
	return heads
}
