package graph

// observe takes an event. Its route leads here.
func (h handler) observe(e *Event) {
	if h.readings == 0 {
		h.take(e)
		return
	}
	if m := h.find(e.Route()); m != nil && m.active() {
		h.take(e)
		return
	}
	// An event of its own may show that the route is more than a reading of somebody's previousId.
	h.open()
	h.touch()
	h.take(e)
}

// take folds an event and links its identifiers.
func (h handler) take(e *Event) {
	if len(h.members) == 0 {
		h.reserve(len(e.Identifiers))
	}
	route := h.eventMember(&e.Identifiers[0], e)
	f := route.Fragment
	if f == nil {
		f = &Fragment{}
		route.Fragment = f
	}
	if f.Events == 0 {
		h.active++
	}
	f.fold(e)
	if len(e.Identifiers) == 1 {
		return
	}
	routeKey := e.Identifiers[0].Key
	for i := range e.Identifiers[1:] {
		id := &e.Identifiers[1+i]
		key := linkKey(routeKey, id.Key)
		at, l := 0, (*Link)(nil)
		if h.large != nil {
			l = h.findLink(key)
		} else if place, found := searchLink(h.links, key); found {
			l = &h.links[place]
		} else {
			at = place
		}
		if l != nil {
			h.linkSeen(l, e, 1+i)
			other := h.find(id.Key)
			if other.Namespace != id.Namespace {
				h.rename(routeKey, other, id)
			}
			other.noteRaw(id, e)
			if other.unclaimed() {
				h.claim(routeKey, id.Key, false)
			}
			continue
		}
		if h.Full(h.rules) {
			h.out.LeftOut++
			continue // the event counts, the link does not
		}
		h.newLink(at, e, 1+i)
	}
}

// linkSeen adds an event to a link that is there. That matters to the partition only where
// something was refused, and only if it moves what the rules order links by.
func (h handler) linkSeen(l *Link, e *Event, other int) {
	if h.cached() != whole && h.moves(l, e, other) {
		key := l.LinkKey
		h.open() // it may settle the link
		h.touch()
		l = h.findLink(key)
	}
	reading := l.Reading
	l.observe(e, other)
	h.countReading(reading, l)
}

// moves reports whether an event gives its link another place in the order of links, after or before one that was
// refused. An admitted link may change places: it is admitted in any order, unless limits have windows.
func (h handler) moves(l *Link, e *Event, other int) bool {
	p := h.cached()
	if p == nil && h.large == nil {
		return false
	}
	if l.Count == 0 || e.verb(other) > l.Verb {
		return true
	}
	if h.readings > 0 { // which go with the first that links them, and are seen or not
		role := e.aliasRole(other)
		return l.Reading && role&AliasCarried != 0 || !l.Likely && role&AliasLikely != 0 ||
			e.Stamp.Time < l.First.Stamp.Time || e.Stamp.Time > l.Last.Stamp.Time
	}
	from, to := l.First.Stamp.Time, e.Stamp.Time
	if h.rules.Precedence == LatestWins {
		from = l.Last.Stamp.Time
	}
	switch {
	case h.rules.windowed():
		return to < l.First.Stamp.Time || to > l.Last.Stamp.Time
	case h.rules.Precedence == KeepFirst && to >= from, h.rules.Precedence == LatestWins && to <= from:
		return false
	case p == nil || p.refusedBetween(l.Verb, from, to):
		return true
	}
	p.reordered = true
	return false
}

// newLink adds the event's link from its route to another of its identifiers; at is its place where the component is
// small.
func (h handler) newLink(at int, e *Event, other int) {
	plain := h.begin()
	route, id := e.Identifiers[0].Key, &e.Identifiers[other]
	key := linkKey(route, id.Key)
	if !plain && divides(h.Component, route, id.Key, h.rules) {
		h.opening.causes = append(h.opening.causes, key)
	}
	if n := len(h.members); n == cap(h.members) && n <= 2 && len(h.links) == n-1 {
		h.reserve(2 * n)
	}
	h.eventMember(id, e)
	l := h.addLink(at, Link{LinkKey: key})
	l.observe(e, other)
	h.countReading(false, l)
	h.touch()
	h.countNeighbours(key)
	h.detectGeneric(route)
	h.claim(route, id.Key, false)
	h.detectGeneric(id.Key)
	h.end(plain)
}

// eventMember finds or adds the member of an identifier that an event carries. A route that is not
// a member yet is hosted: its forwards lead here. Any other is claimed separately.
func (h handler) eventMember(id *Identifier, e *Event) *Member {
	m := h.find(id.Key)
	if m == nil {
		m = h.member(NodeName{id.Key, id.Namespace, string(id.Value)}, id.Key == e.Identifiers[0].Key)
	} else if m.Namespace != id.Namespace {
		h.rename(e.Identifiers[0].Key, m, id)
	}
	m.noteRaw(id, e)
	return m
}

// rename gives a member that was known by its hash the value, and tells the component that hosts it.
func (h handler) rename(route NodeKey, m *Member, id *Identifier) {
	was := m.Namespace
	h.name(m, NodeName{id.Key, id.Namespace, string(id.Value)})
	if was == m.Namespace {
		return
	}
	switch upper := h.find(route); {
	case m.Hosted && !m.Generic: // it is here, or the answer to the claim is under way
	case m.unclaimed() && upper.Generic:
		h.out.send(Message{Kind: KindNeighbour, To: m.Key, Node: m.NodeName, Neighbour: upper.NodeName})
	default:
		h.tellName(m)
	}
}
