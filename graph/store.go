package graph

import "slices"

// A store holds the evidence of one component: who was seen with whom, and what operators asserted. It knows nothing of
// identities.
//
// Invariants:
//   - Both ends of every link are members.
//   - Assertions are in the order of what they are about, and no two are about the same thing.
//   - Member.neighbours is the number of the member's links, and customers of those that lead to a customer-class
//     member; at a customer-class member, only of those that lead to another namespace.
//   - namespaces, special, readings and active count what the members and links are at any moment, so that plain
//     answers without a look at them.
//   - edition grows with every change that may divide the evidence differently. A caller that computes something from
//     the evidence notes the edition; nobody has to be told that it is out of date.
type store struct {
	lists
	root       NodeKey
	assertions []Assertion

	namespaces namespaceCounts // of named members
	special    int32           // members that are generic or not hosted
	readings   int32           // links that were seen in aliases only: with none, no member is a mere reading
	active     int32           // members with events
	edition    uint32          // wraps round after more changes than fit between two divisions
}

// namespaceCounts counts members by namespace. Nearly every person has identifiers of three namespaces or fewer, and so
// needs no memory but this.
type namespaceCounts struct {
	few  [3]namespaceCount // from the front; a place without a name is free
	more *[]namespaceCount // the others; nil without any
}

type namespaceCount struct {
	name  string
	count int
}

// add counts one more member.
func (n *namespaceCounts) add(name string) {
	for i := range n.few {
		if c := &n.few[i]; c.name == name || c.name == "" {
			c.name = name
			c.count++
			return
		}
	}
	if n.more == nil {
		room := &struct {
			list []namespaceCount
			few  [2]namespaceCount
		}{}
		room.list, n.more = room.few[:0], &room.list
	}
	for i := range *n.more {
		if c := &(*n.more)[i]; c.name == name {
			c.count++
			return
		}
	}
	*n.more = append(*n.more, namespaceCount{name, 1})
}

// exceed reports whether there are more members of a namespace than its limit allows.
func (n *namespaceCounts) exceed(rules *Rules) bool {
	over := func(c namespaceCount) bool {
		if c.count <= 1 { // as nearly always, and a limit is 1 at least
			return false
		}
		l, ok := rules.limit(c.name)
		return ok && c.count > l.Max
	}
	return slices.ContainsFunc(n.few[:], over) || n.more != nil && slices.ContainsFunc(*n.more, over)
}

// Root is the node that hosts the component.
func (s *store) Root() NodeKey { return s.root }

// Evidence is what the component holds, to be stored. It shares the component's memory and is
// valid until the next message.
func (s *store) Evidence() Evidence {
	s.settle()
	return Evidence{Members: s.members, Links: s.links, Assertions: s.assertions}
}

// Size estimates the component's memory in bytes.
func (s *store) Size() int {
	ev := s.Evidence()
	return 208 + ev.size()
}

// Breadth grows whenever the component's evidence widens: members, links and assertions together.
func (s *store) Breadth() int { return s.memberCount() + s.linkCount() + len(s.assertions) }

// Outgrew reports whether the component is worth being measured again since it had so many members, links and
// assertions: a small one whenever it has others, a large one when it grew by an eighth.
func (s *store) Outgrew(breadth int) bool {
	return s.large == nil || s.Breadth() > breadth+breadth/8
}

// Active is how many identifiers of the component have events of their own: such as came in under them.
func (s *store) Active() int { return int(s.active) }

// Full reports whether the component is at a cap of the rules and hosts nothing new.
func (s *store) Full(rules *Rules) bool {
	return s.memberCount() >= rules.MaxMembers || s.linkCount() >= rules.MaxLinks
}

// touch notes a change that may divide the evidence differently.
func (s *store) touch() { s.edition++ }

// set changes how a member stands and keeps the count of those apart.
func (s *store) set(m *Member, hosted, generic bool) {
	if m.Hosted == hosted && m.Generic == generic {
		return
	}
	if m.apart() {
		s.special--
	}
	m.Hosted, m.Generic = hosted, generic
	if m.apart() {
		s.special++
	}
	s.touch()
}

// member finds or adds a member; an added one is hosted as told.
func (s *store) member(name NodeName, hosted bool) *Member {
	at := 0
	if s.large == nil {
		i, found := searchMember(s.members, name.Key)
		if found {
			s.name(&s.members[i], name)
			return &s.members[i]
		}
		at = i
	} else if m := s.find(name.Key); m != nil {
		s.name(m, name)
		return m
	}
	return s.addMember(at, s.newMember(name, hosted))
}

// newMember is a member that is about to be added, counted already.
func (s *store) newMember(name NodeName, hosted bool) Member {
	if !hosted {
		s.special++
	}
	s.countNamespace(name.Namespace)
	s.touch()
	return Member{NodeName: name, Hosted: hosted, Here: name.Key == s.root}
}

// name gives a member that was known by its key alone its name.
func (s *store) name(m *Member, name NodeName) {
	switch {
	case m.Namespace == name.Namespace || name.Namespace == "":
	case m.Namespace == "":
		m.NodeName = name
		s.countNamespace(name.Namespace)
		s.touch()
	case PlainNamespace(m.Namespace) == name.Namespace:
		m.NodeName = name
		s.touch() // it tells by name what it refused
	}
}

func (s *store) countNamespace(name string) {
	if name != "" {
		s.namespaces.add(PlainNamespace(name))
	}
}

// countNeighbours counts a new link at both ends.
func (s *store) countNeighbours(key LinkKey) {
	a, b := s.find(key.A), s.find(key.B)
	for _, ends := range [2][2]*Member{{a, b}, {b, a}} {
		m, other := ends[0], ends[1]
		m.neighbours++
		if other.Key.Class() == ClassCustomer && (m.Key.Class() != ClassCustomer || m.Namespace != other.Namespace) {
			m.customers++
		}
	}
}

// countReading counts a link that was one of aliases only, or was not, and what it is now.
func (s *store) countReading(was bool, l *Link) {
	switch {
	case was && !l.Reading:
		s.readings--
	case !was && l.Reading:
		s.readings++
	}
}

// uniteAssertion keeps the newer of two assertions about the same thing.
func (s *store) uniteAssertion(a *Assertion) {
	at, found := slices.BinarySearchFunc(s.assertions, a, func(mine Assertion, a *Assertion) int { return mine.about(a) })
	switch {
	case !found:
		s.assertions = slices.Insert(s.assertions, at, *a)
	case a.newer(&s.assertions[at]):
		s.assertions[at] = *a
	}
}

// plain is the fast path: nothing in the component could divide it. All members are hosted, so a
// path of conducting links joins them, or is on its way here.
func (s *store) plain(rules *Rules) bool {
	if s.special > 0 || len(s.assertions) > 0 || s.readings > 0 {
		return false
	}
	if rules.MaxIdentity > 0 && s.memberCount() > rules.MaxIdentity {
		return false
	}
	return !s.namespaces.exceed(rules)
}
