package graph

import "slices"

// Component is the evidence hosted by one root: which identifiers are linked, what was folded under each, and what
// operators asserted. Which of its members are one person is computed from that (Resolve) and cached, never stored.
//
// Invariants:
//   - Members are in descending rank, links by LinkKey, assertions by what they are about; no two are equal.
//   - Both ends of every link are members.
//   - Member.neighbours is the number of the member's links, and customers of those that lead to a customer-class
//     member; at a customer-class member, only of those that lead to another namespace.
//   - partition is that of the evidence and partitionRules, or nil. Every change of evidence that could change it sets it
//     to nil, after begin or open has noted who was who.
//
// A message changes evidence in this order: begin or open; members, links and counts; generic values; end. The order
// matters because begin divides the component as it was, and whether a value is generic is asked of complete counts.
//
// The obvious design, a set of people that links merge, cannot take anything back: a retraction, a shared device or
// another rule would need to know which link had joined whom. Here a link is only ever added, and a division costs a
// sort, which a component that breaks no limit does not even need (plain).
//
// A large component (see large) keeps what was added lately beside its lists, so members and links are reached through
// find and findLink, or after settle.
//
// A Component belongs to one goroutine.
type Component struct {
	root       NodeKey
	members    []Member
	links      []Link
	assertions []Assertion

	namespaces []namespaceCount // named members by namespace
	special    int              // members that are generic or not hosted
	readings   int              // links that were seen in aliases only: with none, no member is a mere reading
	active     int              // members with events

	identityCount    int // with events, of countedPartition and countedActive
	countedPartition *partition
	countedActive    int

	partition      *partition // nil: to be computed; &whole: one identity
	partitionRules uint64     // the version that partition was computed under

	large   *large   // nil: the component is small
	opening *opening // nil: no step has changed who is who
}

type namespaceCount struct {
	name  string
	count int
}

func newComponent(root NodeKey) *Component { return &Component{root: root} }

// RestoreComponent builds a component from stored evidence. It takes ownership of the evidence.
func RestoreComponent(root NodeKey, evidence *Evidence) *Component {
	c := &Component{root: root, members: evidence.Members, links: evidence.Links, assertions: evidence.Assertions}
	for i := range c.members {
		m := &c.members[i]
		m.neighbours, m.customers, m.was = 0, 0, 0 // of evidence that was a component's they are set
		c.countNamespace(m.Namespace)
		if m.apart() {
			c.special++
		}
		if m.active() {
			c.active++
		}
	}
	c.grow()
	for i := range c.links {
		c.countNeighbours(c.links[i].LinkKey)
		c.countReading(false, &c.links[i])
	}
	return c
}

// Root is the node that hosts the component.
func (c *Component) Root() NodeKey { return c.root }

// Evidence is what the component holds, to be stored. It shares the component's memory and is
// valid until the next message.
func (c *Component) Evidence() Evidence {
	c.settle()
	return Evidence{Members: c.members, Links: c.links, Assertions: c.assertions}
}

// Size estimates the component's memory in bytes.
func (c *Component) Size() int {
	ev := c.Evidence()
	return 256 + ev.size()
}

// full reports whether the component is at a cap.
func (c *Component) full(rules *Rules) bool {
	return c.memberCount() >= rules.MaxMembers || c.linkCount() >= rules.MaxLinks
}

// Full reports whether the component is at a cap of the rules and hosts nothing new.
func (c *Component) Full(rules *Rules) bool { return c.full(rules) }

func (c *Component) countNamespace(name string) {
	if name == "" {
		return
	}
	name = PlainNamespace(name)
	for i := range c.namespaces {
		if c.namespaces[i].name == name {
			c.namespaces[i].count++
			return
		}
	}
	if c.namespaces == nil {
		c.namespaces = make([]namespaceCount, 0, 4)
	}
	c.namespaces = append(c.namespaces, namespaceCount{name, 1})
}

// countNeighbours counts a new link at both ends.
func (c *Component) countNeighbours(key LinkKey) {
	a, b := c.find(key.A), c.find(key.B)
	for _, ends := range [2][2]*Member{{a, b}, {b, a}} {
		m, other := ends[0], ends[1]
		m.neighbours++
		if other.Key.Class() == ClassCustomer && (m.Key.Class() != ClassCustomer || m.Namespace != other.Namespace) {
			m.customers++
		}
	}
}

// overGeneric reports whether a member's neighbours make it a generic value. Those of a contact, device or
// cookie are counted. A customer number is what its own cookies, devices and contacts lead to, however many:
// only customers of other unique namespaces, of which one person has one each, make it generic.
func (c *Component) overGeneric(m *Member, rules *Rules) bool {
	over := rules.GenericCustomers > 0 && int(m.customers) > rules.GenericCustomers
	if m.Key.Class() != ClassCustomer || rules.Former {
		return over || rules.GenericNeighbours > 0 && int(m.neighbours) > rules.GenericNeighbours
	}
	return over && c.uniqueCustomers(m, rules) > rules.GenericCustomers
}

// uniqueCustomers counts the neighbours of a customer-class member that are of another unique namespace. Both
// ends of their links are customers, so they are among the first links of each upper end.
func (c *Component) uniqueCustomers(m *Member, rules *Rules) int {
	count := c.uniqueCustomersIn(c.links, m, rules)
	if c.large != nil { // not settled: the caller holds members
		count += c.uniqueCustomersIn(c.large.links, m, rules)
	}
	return count
}

func (c *Component) uniqueCustomersIn(links []Link, m *Member, rules *Rules) (count int) {
	for i := range links {
		l := &links[i]
		if l.A.Class() != ClassCustomer {
			break
		}
		if l.A != m.Key && l.B != m.Key {
			continue
		}
		other := l.A
		if other == m.Key {
			other = l.B
		}
		if other.Class() != ClassCustomer {
			continue
		}
		if o := c.find(other); o.Namespace != m.Namespace && rules.unique(o.Namespace) {
			count++
		}
	}
	return count
}

// apart reports whether the member keeps the component off the fast path.
func (m *Member) apart() bool { return m.Generic || !m.Hosted }

// active reports whether the member has events of its own.
func (m *Member) active() bool { return m.Fragment != nil && m.Fragment.Events > 0 }

// Breadth grows whenever the component's evidence widens: members, links and assertions together.
func (c *Component) Breadth() int { return c.memberCount() + c.linkCount() + len(c.assertions) }

// Active is how many identifiers of the component have events of their own: such as came in under them.
func (c *Component) Active() int { return c.active }

// Identities is how many identities of the component have an event.
func (c *Component) Identities(rules *Rules) int {
	p := c.resolve(rules)
	if p == whole {
		return min(c.active, 1)
	}
	if c.counted(p) {
		return c.identityCount
	}
	c.settle()
	c.countedPartition, c.countedActive, c.identityCount = p, c.active, 0
	for _, group := range p.groups {
		if slices.ContainsFunc(group, func(i int32) bool { return c.members[i].active() }) {
			c.identityCount++
		}
	}
	return c.identityCount
}

// counted reports whether the identities of a partition are counted.
func (c *Component) counted(p *partition) bool {
	return p == c.countedPartition && c.active == c.countedActive
}

// set changes how a member stands and keeps the count of those apart.
func (c *Component) set(m *Member, hosted, generic bool) {
	if m.Hosted == hosted && m.Generic == generic {
		return
	}
	if m.apart() {
		c.special--
	}
	m.Hosted, m.Generic = hosted, generic
	if m.apart() {
		c.special++
	}
	c.partition = nil
}

// member finds or adds a member; an added one is hosted as told.
func (c *Component) member(name NodeName, hosted bool) *Member {
	at := 0
	if c.large == nil {
		i, found := searchMember(c.members, name.Key)
		if found {
			c.name(&c.members[i], name)
			return &c.members[i]
		}
		at = i
	} else if m := c.find(name.Key); m != nil {
		c.name(m, name)
		return m
	}
	return c.addMember(at, c.newMember(name, hosted))
}

// newMember is a member that is about to be added, counted already.
func (c *Component) newMember(name NodeName, hosted bool) Member {
	if !hosted {
		c.special++
	}
	c.countNamespace(name.Namespace)
	c.partition = nil
	return Member{NodeName: name, Hosted: hosted, Here: name.Key == c.root}
}

// name gives a member that was known by its key alone its name.
func (c *Component) name(m *Member, name NodeName) {
	switch {
	case m.Namespace == name.Namespace || name.Namespace == "":
	case m.Namespace == "":
		m.NodeName = name
		c.countNamespace(name.Namespace)
		c.partition = nil
	case PlainNamespace(m.Namespace) == name.Namespace:
		m.NodeName = name
		c.partition = nil // it tells by name what it refused
	}
}

// observe takes an event. Its route leads here.
func (c *Component) observe(e *Event, rules *Rules, out *Outbox) {
	if c.readings == 0 {
		c.take(e, rules, out)
		return
	}
	if m := c.find(e.Route()); m != nil && m.active() {
		c.take(e, rules, out)
		return
	}
	// An event of its own may show that the route is more than a reading of somebody's previousId.
	c.open(rules)
	c.partition = nil
	c.take(e, rules, out)
}

// take folds an event and links its identifiers.
func (c *Component) take(e *Event, rules *Rules, out *Outbox) {
	route := c.eventMember(&e.Identifiers[0], e, out)
	f := route.Fragment
	if f == nil {
		f = &Fragment{}
		route.Fragment = f
	}
	if f.Events == 0 {
		c.active++
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
		if c.large != nil {
			l = c.findLink(key)
		} else if place, found := searchLink(c.links, key); found {
			l = &c.links[place]
		} else {
			at = place
		}
		if l != nil {
			c.linkSeen(l, e, 1+i, rules)
			other := c.find(id.Key)
			if other.Namespace != id.Namespace {
				c.rename(routeKey, other, id, out)
			}
			c.noteRaw(other, id, e)
			if other.unclaimed() {
				c.claim(routeKey, id.Key, false, out)
			}
			continue
		}
		if c.full(rules) {
			out.LeftOut++
			continue // the event counts, the link does not
		}
		c.newLink(at, e, 1+i, rules, out)
	}
}

// linkSeen adds an event to a link that is there. That matters to the partition only where
// something was refused, and only if it moves what the rules order links by.
func (c *Component) linkSeen(l *Link, e *Event, other int, rules *Rules) {
	if c.partition != whole && c.moves(l, e, other, rules) {
		key := l.LinkKey
		c.open(rules) // it may settle the link
		c.partition, l = nil, c.findLink(key)
	}
	reading := l.Reading
	l.observe(e, other)
	c.countReading(reading, l)
}

// moves reports whether an event gives its link another place in the order of links, after or before one that was
// refused. What was admitted may change places: it is admitted in any order, unless limits have windows.
func (c *Component) moves(l *Link, e *Event, other int, rules *Rules) bool {
	if c.partition == nil && c.large == nil {
		return false
	}
	if l.Count == 0 || e.verb(other) > l.Verb {
		return true
	}
	if c.readings > 0 { // which go with the first that links them, and are seen or not
		role := e.aliasRole(other)
		return l.Reading && role&AliasCarried != 0 || !l.Likely && role&AliasLikely != 0 ||
			e.Stamp.Time < l.First.Stamp.Time || e.Stamp.Time > l.Last.Stamp.Time
	}
	from, to := l.First.Stamp.Time, e.Stamp.Time
	if rules.Precedence == LatestWins {
		from = l.Last.Stamp.Time
	}
	switch {
	case rules.windowed():
		return to < l.First.Stamp.Time || to > l.Last.Stamp.Time
	case rules.Precedence == KeepFirst && to >= from, rules.Precedence == LatestWins && to <= from:
		return false
	case c.partition == nil || c.partition.refusedBetween(l.Verb, from, to):
		return true
	}
	c.partition.reordered = true
	return false
}

// newLink adds the event's link from its route to another of its identifiers; at is its place where the component is
// small.
func (c *Component) newLink(at int, e *Event, other int, rules *Rules, out *Outbox) {
	plain := c.begin(rules)
	route, id := e.Identifiers[0].Key, &e.Identifiers[other]
	key := linkKey(route, id.Key)
	if !plain && c.divides(route, id.Key, rules) {
		c.opening.causes = append(c.opening.causes, key)
	}
	c.eventMember(id, e, out)
	l := c.addLink(at, Link{LinkKey: key})
	l.observe(e, other)
	c.countReading(false, l)
	c.partition = nil
	c.countNeighbours(key)
	c.detectGeneric(route, rules, out)
	c.claim(route, id.Key, false, out)
	c.detectGeneric(id.Key, rules, out)
	c.end(plain, rules)
}

// countReading counts a link that was one of aliases only, or was not, and what it is now.
func (c *Component) countReading(was bool, l *Link) {
	switch {
	case was && !l.Reading:
		c.readings--
	case !was && l.Reading:
		c.readings++
	}
}

// eventMember finds or adds the member of an identifier that an event carries. A route that is not
// a member yet is hosted: its forwards lead here. Any other is claimed separately.
func (c *Component) eventMember(id *Identifier, e *Event, out *Outbox) *Member {
	m := c.find(id.Key)
	if m == nil {
		m = c.member(NodeName{id.Key, id.Namespace, string(id.Value)}, id.Key == e.Identifiers[0].Key)
	} else if m.Namespace != id.Namespace {
		c.rename(e.Identifiers[0].Key, m, id, out)
	}
	c.noteRaw(m, id, e)
	return m
}

// noteRaw keeps the raw form of the event with the highest stamp.
func (c *Component) noteRaw(m *Member, id *Identifier, e *Event) {
	order := e.Stamp.Compare(m.RawStamp)
	if order < 0 || order == 0 && m.Raw >= string(id.Raw) {
		return
	}
	m.RawStamp = e.Stamp
	if m.Raw != string(id.Raw) {
		m.Raw = string(id.Raw)
	}
}

// rename gives a member that was known by its hash the value, and tells the component that hosts it.
func (c *Component) rename(route NodeKey, m *Member, id *Identifier, out *Outbox) {
	was := m.Namespace
	c.name(m, NodeName{id.Key, id.Namespace, string(id.Value)})
	if was == m.Namespace {
		return
	}
	switch upper := c.find(route); {
	case m.Hosted && !m.Generic: // it is here, or the answer to the claim is under way
	case m.unclaimed() && upper.Generic:
		out.send(Message{Kind: KindNeighbour, To: m.Key, Node: m.NodeName, Neighbour: upper.NodeName})
	default:
		c.tellName(m, out)
	}
}

// tellName tells the component that refused a claim how the node is called, where that may not know more than its hash: else
// the name would depend on which of the two was seen where (I4). It repeats the claim, and will be refused again. A claim
// alone does not show that the node is here: where the refusal overtook the Absorb with the claim, the claim stands.
func (c *Component) tellName(m *Member, out *Outbox) {
	if !m.Here && hasHash(m.Namespace) {
		out.send(Message{Kind: KindJoin, To: m.Key, Via: m.Key, Root: c.root, Node: m.NodeName})
	}
}

// claim asks for the node at the far end of an observed link to be hosted here, unless it is already, or the link
// cannot conduct. The near end is the route of the event that made the link, and hosted here. The far end outranks
// it only where the event is an alias, whose route is userId. Then it is asked for and not yet claimed, and its name
// asks for an answer: an identity with events would be named after it, which it may be where it is still, too. Where
// it outranks the root as well, its root asks back and this component goes there. Of a link at a generic value the
// other end is told, so that its neighbours are counted whole (I3): once, with the event that made the link, or
// again where told.
func (c *Component) claim(near, far NodeKey, again bool, out *Outbox) {
	m := c.find(far)
	if !m.unclaimed() {
		return
	}
	if a := c.find(near); a.Generic {
		if c.findLink(linkKey(near, far)).Count == 1 || again {
			out.send(Message{Kind: KindNeighbour, To: far, Node: m.NodeName, Neighbour: a.NodeName})
		}
		return
	}
	join := Message{Kind: KindJoin, To: far, Via: far, Root: c.root}
	if far.Outranks(c.root) || far.Outranks(near) {
		join.Node = m.NodeName
	} else {
		c.set(m, true, false)
	}
	out.send(join)
}

// unclaimed reports whether a link may ask for the member to be hosted here.
func (m *Member) unclaimed() bool { return !m.Hosted && !m.Generic && !m.Refused }

// detectGeneric marks a member whose neighbours make it a generic value. Only where it is hosted:
// there they are counted whole (I3).
func (c *Component) detectGeneric(key NodeKey, rules *Rules, out *Outbox) {
	if m := c.find(key); m.Hosted && !m.Generic && c.overGeneric(m, rules) {
		c.set(m, true, true)
		out.Generic = append(out.Generic, m.NodeName)
	}
}

// neighbour notes that a generic value elsewhere is linked to a node hosted here.
func (c *Component) neighbour(node, generic NodeName, rules *Rules, out *Outbox) {
	if c.member(node, true).Generic { // so no more of them need be counted
		out.send(Message{Kind: KindRefuse, To: generic.Key, Via: node.Key, Root: c.root, Reason: RefusedGeneric})
		return
	}
	key := linkKey(generic.Key, node.Key)
	if c.findLink(key) != nil || c.full(rules) {
		return
	}
	plain := c.begin(rules)
	m := c.member(generic, false)
	c.set(m, m.Hosted, true)
	at, _ := searchLink(c.links, key)
	c.addLink(at, Link{LinkKey: key})
	c.countNeighbours(key)
	c.partition = nil
	c.detectGeneric(node.Key, rules, out)
	c.end(plain, rules)
}

// refused notes that a node this component had claimed stays where it is.
func (c *Component) refused(m *Message, rules *Rules, out *Outbox) {
	// Where the root that refused is a member, the two have been united since: then it is hosted here.
	if r := c.find(m.Root); r != nil && r.Here {
		return
	}
	plain := c.begin(rules)
	// The refusal may overtake the Absorb with the claim that it answers: then it waits here, as a
	// member known by its key alone.
	via := c.member(NodeName{Key: m.Via}, false)
	claimed := via.Hosted
	switch m.Reason {
	case RefusedGeneric:
		c.set(via, false, true)
	case RefusedFull:
		via.Refused = true
		c.set(via, false, via.Generic)
		out.LeftOut++
	}
	if claimed {
		c.tellName(via, out)
	}
	c.end(plain, rules)
}

// absorb unites evidence of a component that came under this root.
func (c *Component) absorb(ev *Evidence, rules *Rules, out *Outbox) {
	c.open(rules)
	c.arrive(ev, rules)
	var members []Member // new ones, of a large component
	for i := range ev.Members {
		members = c.uniteMember(&ev.Members[i], members, out)
	}
	if len(members) > 0 {
		c.large.addAll(c, members, nil)
	}
	var links []Link
	for i := range ev.Links {
		links = c.uniteLink(&ev.Links[i], links)
	}
	if len(links) > 0 {
		c.large.addAll(c, nil, links)
		for i := range links {
			c.countNeighbours(links[i].LinkKey)
			c.countReading(false, &links[i])
		}
	}
	c.detectArrived(ev, rules, out)
	for i := range ev.Assertions {
		c.uniteAssertion(&ev.Assertions[i])
	}
	c.partition = nil
}

// detectArrived marks members that arrived evidence makes generic values. In a large component only those are asked
// that it is about.
func (c *Component) detectArrived(ev *Evidence, rules *Rules, out *Outbox) {
	if c.large == nil {
		for i := range c.members {
			c.detectGeneric(c.members[i].Key, rules, out)
		}
		return
	}
	for i := range ev.Members {
		c.detectGeneric(ev.Members[i].Key, rules, out)
	}
	for i := range ev.Links {
		c.detectGeneric(ev.Links[i].A, rules, out)
		c.detectGeneric(ev.Links[i].B, rules, out)
	}
}

// uniteMember adds a member with its fragment, or what is new of it. A new one of a large component is appended to
// added, for all of them to be added at once.
func (c *Component) uniteMember(m *Member, added []Member, out *Outbox) []Member {
	mine := c.find(m.Key)
	overtaken := mine != nil && mine.Namespace == "" && mine.Refused
	was, known, generic := "", mine != nil, false
	if known {
		was, generic = mine.Namespace, mine.Generic
	}
	switch {
	case mine != nil:
		c.name(mine, m.NodeName)
	case c.large == nil:
		mine = c.member(m.NodeName, false)
	default:
		added = append(added, c.newMember(m.NodeName, false))
		mine = &added[len(added)-1]
	}
	c.set(mine, (mine.Hosted || m.Hosted) && !overtaken, mine.Generic || m.Generic)
	mine.Here = mine.Here || m.Here
	mine.Refused = (mine.Refused || m.Refused) && !mine.Hosted
	if (mine.Generic || mine.Refused) && (m.Hosted || overtaken || known && (was != mine.Namespace || generic != mine.Generic)) {
		c.tellName(mine, out)
	}
	if c.large != nil && mine.was == 0 {
		mine.was = -c.opening.arrivals
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
		c.active++
	}
	return added
}

// uniteLink adds a link, or what is new of it. A new one of a large component is appended to added.
func (c *Component) uniteLink(l *Link, added []Link) []Link {
	if mine := c.findLink(l.LinkKey); mine != nil {
		reading := mine.Reading
		mine.merge(l)
		c.countReading(reading, mine)
		return added
	}
	// In a large component cut into parts, a link may come ahead of its members.
	c.member(NodeName{Key: l.A}, false)
	c.member(NodeName{Key: l.B}, false)
	if c.large != nil {
		return append(added, *l)
	}
	at, _ := searchLink(c.links, l.LinkKey)
	c.countReading(false, c.addLink(at, *l))
	c.countNeighbours(l.LinkKey)
	return added
}

// assert takes an operator's assertion. The first node's road leads here.
func (c *Component) assert(a *Assertion, rules *Rules, out *Outbox) {
	c.open(rules)
	c.member(a.A, true)
	c.uniteAssertion(a)
	if a.Verb == AssertForce && !a.Withdrawn {
		// Also where B is claimed already: that claim may yet be refused, this one can't be.
		b := c.member(a.B, false)
		c.set(b, true, b.Generic)
		out.send(Message{Kind: KindJoin, To: a.B.Key, Via: a.B.Key, Root: c.root, Force: true})
	}
	c.partition = nil
}

// uniteAssertion keeps the newer of two assertions about the same thing.
func (c *Component) uniteAssertion(a *Assertion) {
	at, found := slices.BinarySearchFunc(c.assertions, a, func(mine Assertion, a *Assertion) int { return mine.about(a) })
	switch {
	case !found:
		c.assertions = slices.Insert(c.assertions, at, *a)
	case a.newer(&c.assertions[at]):
		c.assertions[at] = *a
	}
}

// recheck judges again, under other rules, what is otherwise judged once, when it comes: which
// values are generic, and which claims were refused. Claims are made anew, and so is what is told of
// generic values; whoever hosts what they are about judges by the same rules. Identities need no
// recheck: they are computed.
func (c *Component) recheck(rules *Rules, out *Outbox) {
	c.open(rules)
	c.settle()
	for i := range c.members {
		m := &c.members[i]
		c.set(m, m.Hosted, m.Hosted && c.overGeneric(m, rules))
		m.Refused = false
	}
	for i := range c.links {
		l := &c.links[i]
		if l.Count > 0 {
			c.claim(l.A, l.B, true, out)
		}
		if c.find(l.B).Hosted && l.Count > 0 && c.find(l.A).unclaimed() { // the route of an alias may be the lower end
			c.claim(l.B, l.A, true, out)
		}
	}
	c.partition = nil
}

// stillGeneric reports whether a member is generic. One that is hosted here is judged again: it may
// have been found generic under other rules.
func (c *Component) stillGeneric(m *Member, rules *Rules) bool {
	if m.Generic && m.Hosted && !c.overGeneric(m, rules) {
		c.set(m, true, false)
	}
	return m.Generic
}
