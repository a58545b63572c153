package graph

// An observation takes one event for the component that the event's route leads to: it folds the event at the route and
// links the route to the event's other identifiers. Like its handler it is passed by value.
type observation struct {
	handler
	event *Event
}

// observe takes the event.
func (o observation) observe() {
	if o.readings == 0 {
		o.take()
		return
	}
	if m := o.find(o.event.Route()); m != nil && m.active() {
		o.take()
		return
	}
	// An event of its own may show that the route is more than a reading of somebody's previousId.
	o.open()
	o.touch()
	o.take()
}

// take folds an event and links its identifiers.
func (o observation) take() {
	e := o.event
	if len(o.members) == 0 {
		o.reserve(len(e.Identifiers))
	}
	route := o.eventMember(&e.Identifiers[0])
	f := route.Fragment
	if f == nil {
		f = &Fragment{}
		route.Fragment = f
	}
	if f.Events == 0 {
		o.active++
	}
	f.fold(e, &o.out.names)
	if len(e.Identifiers) > 1 {
		o.link()
	}
	for i := range e.Mentions {
		o.out.send(Message{Kind: KindMention, To: e.Mentions[i].Key, Event: e.toMentioned(i)})
	}
}

// link links the event's route, which is a member, to its other identifiers.
func (o observation) link() {
	e := o.event
	routeKey := e.Identifiers[0].Key
	for i := range e.Identifiers[1:] {
		id := &e.Identifiers[1+i]
		key := linkKey(routeKey, id.Key)
		at, l := 0, (*Link)(nil)
		if o.large != nil {
			l = o.findLink(key)
		} else if place, found := searchLink(o.links, key); found {
			l = &o.links[place]
		} else {
			at = place
		}
		if l != nil {
			o.linkSeen(l, 1+i)
			other := o.find(id.Key)
			if other.Namespace != id.Namespace {
				o.rename(other, id)
			}
			other.noteRaw(id, e)
			if other.unclaimed() {
				o.claim(routeKey, id.Key, false)
			}
			continue
		}
		if o.Full(o.rules) {
			o.out.LeftOut++
			continue // the event counts, the link does not
		}
		o.newLink(at, 1+i)
	}
}

// linkSeen adds an event to a link that is there. That matters to the partition only where
// something was refused, and only if it moves what the rules order links by.
func (o observation) linkSeen(l *Link, other int) {
	e := o.event
	if o.cached() != whole && o.moves(l, other) {
		key := l.LinkKey
		o.open() // it may settle the link
		o.touch()
		l = o.findLink(key)
	}
	reading := l.Reading
	l.observe(e, other)
	o.countReading(reading, l)
}

// moves reports whether an event gives its link another place in the order of links, after or before one that was
// refused. An admitted link may change places: it is admitted in any order, unless limits have windows.
func (o observation) moves(l *Link, other int) bool {
	e := o.event
	p := o.cached()
	if p == nil && o.large == nil {
		return false
	}
	if l.Count == 0 || e.verb(other) > l.Verb {
		return true
	}
	if o.readings > 0 { // which go with the first that links them, and are seen or not
		role := e.aliasRole(other)
		return l.Reading && role&AliasCarried != 0 || !l.Likely && role&AliasLikely != 0 ||
			e.Stamp.Time < l.First.Stamp.Time || e.Stamp.Time > l.Last.Stamp.Time
	}
	from, to := l.First.Stamp.Time, e.Stamp.Time
	if o.rules.Precedence == LatestWins {
		from = l.Last.Stamp.Time
	}
	switch {
	case o.rules.windowed():
		return to < l.First.Stamp.Time || to > l.Last.Stamp.Time
	case o.rules.Precedence == KeepFirst && to >= from, o.rules.Precedence == LatestWins && to <= from:
		return false
	case p == nil || p.refusedBetween(l.Verb, from, to):
		return true
	}
	p.reordered = true
	return false
}

// newLink adds the event's link from its route to another of its identifiers; at is its place where the component is
// small.
func (o observation) newLink(at, other int) {
	e := o.event
	plain := o.begin()
	route, id := e.Identifiers[0].Key, &e.Identifiers[other]
	key := linkKey(route, id.Key)
	if !plain && divides(o.Component, route, id.Key, o.rules) {
		o.opening.causes = append(o.opening.causes, key)
	}
	if n := len(o.members); n == cap(o.members) && n <= 2 && len(o.links) == n-1 {
		o.reserve(2 * n)
	}
	o.eventMember(id)
	l := o.addLink(at, Link{LinkKey: key})
	l.observe(e, other)
	o.countReading(false, l)
	o.touch()
	o.countNeighbours(key)
	o.detectGeneric(route)
	o.claim(route, id.Key, false)
	o.detectGeneric(id.Key)
	o.end(plain)
}

// eventMember finds or adds the member of an identifier that an event carries. A route that is not
// a member yet is hosted: its forwards lead here. Any other is claimed separately.
func (o observation) eventMember(id *Identifier) *Member {
	e := o.event
	m := o.find(id.Key)
	if m == nil {
		m = o.member(NodeName{id.Key, id.Namespace, string(id.Value)}, id.Key == e.Identifiers[0].Key)
	} else if m.Namespace != id.Namespace {
		o.rename(m, id)
	}
	m.noteRaw(id, e)
	return m
}

// rename gives a member that was known by its hash the value, and tells the component that hosts it.
func (o observation) rename(m *Member, id *Identifier) {
	was := m.Namespace
	o.name(m, NodeName{id.Key, id.Namespace, string(id.Value)})
	if was == m.Namespace {
		return
	}
	switch upper := o.find(o.event.Route()); {
	case m.Hosted && !m.Generic: // it is here, or the answer to the claim is under way
	case m.unclaimed() && upper.Generic:
		o.out.send(Message{Kind: KindNeighbour, To: m.Key, Node: m.NodeName, Neighbour: upper.NodeName})
	default:
		o.tellName(m)
	}
}
