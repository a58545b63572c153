package graph

// overGeneric reports whether a member's neighbours make it a generic value. Those of a contact, device or
// cookie are counted. A customer number is what its own cookies, devices and contacts lead to, however many:
// only customers of other unique namespaces, of which one person has one each, make it generic.
func (s *store) overGeneric(m *Member, rules *Rules) bool {
	over := rules.GenericCustomers > 0 && int(m.customers) > rules.GenericCustomers
	if m.Key.Class() != ClassCustomer || rules.Former {
		return over || rules.GenericNeighbours > 0 && int(m.neighbours) > rules.GenericNeighbours
	}
	return over && s.uniqueCustomers(m, rules) > rules.GenericCustomers
}

// uniqueCustomers counts the neighbours of a customer-class member that are of another unique namespace. Both
// ends of their links are customers, so they are among the first links of each upper end.
func (s *store) uniqueCustomers(m *Member, rules *Rules) (count int) {
	lists := [2][]Link{s.links}
	if s.large != nil { // not settled: the caller holds members
		lists[1] = s.large.links
	}
	for _, links := range lists {
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
			if o := s.find(other); o.Namespace != m.Namespace && rules.unique(o.Namespace) {
				count++
			}
		}
	}
	return count
}

// detectGeneric marks a member whose neighbours make it a generic value. Only where it is hosted:
// there they are counted whole (I3).
func (h handler) detectGeneric(key NodeKey) {
	if m := h.find(key); m.Hosted && !m.Generic && h.overGeneric(m, h.rules) {
		h.set(m, true, true)
		h.out.Generic = append(h.out.Generic, m.NodeName)
	}
}

// stillGeneric reports whether a member is generic. One that is hosted here is judged again: it may
// have been found generic under other rules.
func (h handler) stillGeneric(m *Member) bool {
	if m.Generic && m.Hosted && !h.overGeneric(m, h.rules) {
		h.set(m, true, false)
	}
	return m.Generic
}

// neighbour notes that a generic value elsewhere is linked to a node hosted here.
func (h handler) neighbour(node, generic NodeName) {
	if h.member(node, true).Generic { // so no more of them need be counted
		h.out.send(Message{Kind: KindRefuse, To: generic.Key, Via: node.Key, Root: h.root, Reason: RefusedGeneric})
		return
	}
	key := linkKey(generic.Key, node.Key)
	if h.findLink(key) != nil || h.Full(h.rules) {
		return
	}
	plain := h.begin()
	m := h.member(generic, false)
	h.set(m, m.Hosted, true)
	at, _ := searchLink(h.links, key)
	h.addLink(at, Link{LinkKey: key})
	h.countNeighbours(key)
	h.touch()
	h.detectGeneric(node.Key)
	h.end(plain)
}
