package graph

import "slices"

// Member is an identifier of a component.
type Member struct {
	NodeName           // Namespace is empty as long as only the key is known
	Raw      string    // as last sent, when it differs from Value
	RawStamp Stamp     // of the event that carried it last
	Fragment *Fragment // events routed to it; nil without any

	// Hosted says that this component has claimed the node: its Join was sent, or it came here.
	// A member that is not hosted is known only from links and belongs to another component.
	Hosted bool
	// Generic says that the node is a generic value: its observed links do not conduct.
	Generic bool
	// Refused says that the component which hosts the node is full.
	Refused bool
	// Here says that the node was a root, and that its component is this one or came to it. A claim
	// alone does not make it so.
	Here bool

	neighbours int32 // members linked to it
	customers  int32 // of these, of class customer; at a customer, only those of other namespaces

	// Of a large component, while a step is under way: the number of the identity that it was of when the step began
	// to change the component; below 0 the number of the Absorb that it came with; 0 for what is new.
	was int32
}

// apart reports whether the member keeps the component off the fast path.
func (m *Member) apart() bool { return m.Generic || !m.Hosted }

// active reports whether the member has events of its own.
func (m *Member) active() bool { return m.Fragment != nil && m.Fragment.Events > 0 }

// unclaimed reports whether a link may ask for the member to be hosted here.
func (m *Member) unclaimed() bool { return !m.Hosted && !m.Generic && !m.Refused }

// noteRaw keeps the raw form of the event with the highest stamp.
func (m *Member) noteRaw(id *Identifier, e *Event) {
	order := e.Stamp.Compare(m.RawStamp)
	if order < 0 || order == 0 && m.Raw >= string(id.Raw) {
		return
	}
	m.RawStamp = e.Stamp
	if m.Raw != string(id.Raw) {
		m.Raw = string(id.Raw)
	}
}

// LinkKey names a link by its ends. A outranks B.
type LinkKey struct{ A, B NodeKey }

// linkKey is the key of the link between two nodes.
func linkKey(a, b NodeKey) LinkKey {
	if b.Outranks(a) {
		a, b = b, a
	}
	return LinkKey{a, b}
}

// Compare orders link keys by rank, the highest first.
func (k LinkKey) Compare(other LinkKey) int {
	if c := other.A.Compare(k.A); c != 0 {
		return c
	}
	return other.B.Compare(k.B)
}

// Link is the observed evidence that two identifiers belong together.
type Link struct {
	LinkKey
	Verb Verb // the strongest seen; 0 while only a Neighbour message told of the link
	// Reading says that the link was seen in aliases only, as that between userId and a reading of previousId;
	// Likely, that the form of a previousId spoke for this reading.
	Reading bool
	Likely  bool
	Count   uint64 // distinct events
	First   Mark
	Last    Mark
}

// Mark is an event that a link remembers.
type Mark struct {
	Stamp  Stamp
	ID     []byte // message id
	Source []byte
}

// Evidence is all or a part of what a component holds: what an Absorb carries.
type Evidence struct {
	Members    []Member    // in descending rank
	Links      []Link      // by LinkKey
	Assertions []Assertion // by what they are about
	// Part says that this is one of several messages that together bring all evidence of a component, in any order.
	Part bool
	// Heads are the identities with events, by their highest-ranked members, each in the part that has the member: without
	// the links of other parts it could not be told which they were. Evidence in one piece has none, for they are computed.
	Heads []NodeKey
	// Told is what was told of the audiences of identities whose highest-ranked members are among these, where the evidence comes from.
	Told []ToldPerson
}

// observe adds one more distinct event to the link: that between its route and another of its identifiers.
func (l *Link) observe(e *Event, other int) {
	l.Verb = max(l.Verb, e.verb(other))
	role := e.aliasRole(other)
	l.Reading = role&AliasCarried == 0 && (l.Reading || l.Count == 0)
	l.Likely = l.Likely || role&AliasLikely != 0
	if l.Count == 0 && l.First.ID == nil && l.Last.ID == nil {
		room := make([]byte, 2*(len(e.ID)+len(e.Source))) // at once, for a link begins with both marks
		room = l.First.take(room, e)
		l.Last.take(room, e)
	}
	if l.Count == 0 || e.Stamp.Compare(l.First.Stamp) < 0 {
		l.First.set(e)
	}
	if l.Count == 0 || e.Stamp.Compare(l.Last.Stamp) > 0 {
		l.Last.set(e)
	}
	l.Count++
}

// take gives the mark buffers for an event, from the front of room, and returns the rest.
func (m *Mark) take(room []byte, e *Event) []byte {
	n, end := len(e.ID), len(e.ID)+len(e.Source)
	m.ID, m.Source = room[:0:n], room[n:n:end]
	return room[end:]
}

// set copies the event into the mark, into its own buffers where they are large enough.
func (m *Mark) set(e *Event) {
	m.Stamp = e.Stamp
	m.ID = append(m.ID[:0], e.ID...)
	m.Source = append(m.Source[:0], e.Source...)
}

// merge adds what another component saw of the same link: other events.
func (l *Link) merge(o *Link) {
	l.Verb = max(l.Verb, o.Verb)
	if o.Count == 0 {
		return
	}
	l.Reading = o.Reading && (l.Reading || l.Count == 0)
	l.Likely = l.Likely || o.Likely
	if l.Count == 0 || o.First.Stamp.Compare(l.First.Stamp) < 0 {
		l.First = o.First
	}
	if l.Count == 0 || o.Last.Stamp.Compare(l.Last.Stamp) > 0 {
		l.Last = o.Last
	}
	l.Count += o.Count
}

// partBytes bounds one Absorb message.
const partBytes = 256 << 10

// parts cuts evidence into pieces of bounded size. Uniting evidence is commutative, so the pieces
// may be united one by one; a fragment of very much is itself cut, which a merge of fragments undoes.
//
// REQUIRES: the evidence does not fit into one; heads are in descending rank
func (ev *Evidence) parts(heads []NodeKey) []*Evidence {
	var parts []*Evidence
	part, size := &Evidence{Part: true}, 0
	room := func(need int) {
		if size > 0 && size+need > partBytes {
			parts = append(parts, part)
			part, size = &Evidence{Part: true}, 0
		}
		size += need
	}
	for _, m := range ev.Members {
		room(m.size())
		if m.Fragment != nil && m.size() > partBytes {
			rest := *m.Fragment
			m.Fragment = &rest
			for _, piece := range rest.cut() {
				carrier := m
				carrier.Fragment = piece
				parts = append(parts, &Evidence{Part: true, Members: []Member{carrier}})
			}
			size = 0
		}
		part.Members = append(part.Members, m)
		if len(heads) > 0 && heads[0] == m.Key {
			part.Heads, heads = append(part.Heads, m.Key), heads[1:]
		}
	}
	for i := range ev.Links {
		room(ev.Links[i].size())
		part.Links = append(part.Links, ev.Links[i])
	}
	for i := range ev.Assertions {
		room(ev.Assertions[i].size())
		part.Assertions = append(part.Assertions, ev.Assertions[i])
	}
	return append(parts, part)
}

// fits reports whether evidence is no larger than one part.
func (ev *Evidence) fits() bool { return ev.size() <= partBytes }

// size estimates the memory of members, links and assertions in bytes.
func (ev *Evidence) size() int {
	size := 0
	for i := range ev.Members {
		size += ev.Members[i].size()
	}
	for i := range ev.Links {
		size += ev.Links[i].size()
	}
	for i := range ev.Assertions {
		size += ev.Assertions[i].size()
	}
	return size
}

func (m *Member) size() int {
	size := 144 + len(m.Namespace) + len(m.Value) + len(m.Raw)
	if m.Fragment != nil {
		size += m.Fragment.Size()
	}
	return size
}

func (l *Link) size() int {
	return 208 + cap(l.First.ID) + cap(l.First.Source) + cap(l.Last.ID) + cap(l.Last.Source)
}

func (a *Assertion) size() int {
	return 160 + len(a.A.Value) + len(a.B.Value) + len(a.ID) + len(a.By) + len(a.Note)
}

// searchMember finds a member by key in descending rank.
func searchMember(members []Member, key NodeKey) (int, bool) {
	if len(members) <= 8 {
		for i := range members {
			if members[i].Key == key {
				return i, true
			}
			if key.Outranks(members[i].Key) {
				return i, false
			}
		}
		return len(members), false
	}
	return slices.BinarySearchFunc(members, key, func(m Member, k NodeKey) int { return k.Compare(m.Key) })
}

// searchLink finds a link by its key.
func searchLink(links []Link, key LinkKey) (int, bool) {
	lo, hi := 0, len(links)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if links[mid].LinkKey.Compare(key) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(links) && links[lo].LinkKey == key
}
