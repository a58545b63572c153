package graph

// A handler takes one message for the component that it is addressed to. It is the only writer of evidence, and lives as
// long as the message; it is passed by value, so it costs no allocation.
//
// The consequences of a message are written to out, and nothing is asked back: a claim stands until a refusal comes.
//
//	observe.go   an event: folded at its route, linked to its other identifiers
//	mention.go   an identifier that an event names but may have made up
//	absorb.go    the evidence of a component that came under this one; this one's, when it goes
//	generic.go   values that too many share
//	handle.go    claims on nodes elsewhere and their refusals; assertions; other rules
type handler struct {
	*Component
	rules *Rules
	out   *Outbox
}

// claim asks for the node at the far end of an observed link to be hosted here, unless it is already, or the link
// cannot conduct. The near end is the route of the event that made the link, and hosted here. The far end outranks
// it only where the event is an alias, whose route is userId. Then it is asked for and not yet claimed, and its name
// asks for an answer: an identity with events would be named after it, which it may be where it is still, too. Where
// it outranks the root as well, its root asks back and this component goes there. Of a link at a generic value the
// other end is told, so that its neighbours are counted whole (I3): once, with the event that made the link, or
// again where told.
func (h handler) claim(near, far NodeKey, again bool) {
	m := h.find(far)
	if !m.unclaimed() {
		return
	}
	if a := h.find(near); a.Generic {
		if h.findLink(linkKey(near, far)).Count == 1 || again {
			h.out.send(Message{Kind: KindNeighbour, To: far, Node: m.NodeName, Neighbour: a.NodeName})
		}
		return
	}
	join := Message{Kind: KindJoin, To: far, Via: far, Root: h.root}
	if far.Outranks(h.root) || far.Outranks(near) {
		join.Node = m.NodeName
	} else {
		h.set(m, true, false)
	}
	h.out.send(join)
}

// tellName tells the component that refused a claim how the node is called, where that may not know more than its hash: else
// the name would depend on which of the two was seen where (I4). It repeats the claim, and will be refused again. A claim
// alone does not show that the node is here: where the refusal overtook the Absorb with the claim, the claim stands.
func (h handler) tellName(m *Member) {
	if !m.Here && hasHash(m.Namespace) {
		h.out.send(Message{Kind: KindJoin, To: m.Key, Via: m.Key, Root: h.root, Node: m.NodeName})
	}
}

// refused notes that a node this component had claimed stays where it is.
func (h handler) refused(m *Message) {
	// Where the root that refused is a member, the two have been united since: then it is hosted here.
	if r := h.find(m.Root); r != nil && r.Here {
		return
	}
	plain := h.begin()
	// The refusal may overtake the Absorb with the claim that it answers: then it waits here, as a
	// member known by its key alone.
	via := h.member(NodeName{Key: m.Via}, false)
	claimed := via.Hosted
	switch m.Reason {
	case RefusedGeneric:
		h.set(via, false, true)
	case RefusedFull:
		via.Refused = true
		h.set(via, false, via.Generic)
		h.out.LeftOut++
	}
	if claimed {
		h.tellName(via)
	}
	h.end(plain)
}

// assert takes an operator's assertion. The first node's road leads here.
func (h handler) assert(a *Assertion) {
	h.open()
	h.member(a.A, true)
	h.uniteAssertion(a)
	if a.Verb == AssertForce && !a.Withdrawn {
		// Also where B is claimed already: that claim may yet be refused, this one can't be.
		b := h.member(a.B, false)
		h.set(b, true, b.Generic)
		h.out.send(Message{Kind: KindJoin, To: a.B.Key, Via: a.B.Key, Root: h.root, Force: true})
	}
	h.touch()
}

// recheck judges again, under other rules, what is otherwise judged once, when it comes: which
// values are generic, and which claims were refused. Claims are made anew, and so is what is told of
// generic values; the root that hosts their subject judges by the same rules. Identities need no
// recheck: they are computed.
func (h handler) recheck() {
	h.open()
	h.settle()
	for i := range h.members {
		m := &h.members[i]
		h.set(m, m.Hosted, m.Hosted && h.overGeneric(m, h.rules))
		m.Refused = false
	}
	for i := range h.links {
		l := &h.links[i]
		if l.Count > 0 {
			h.claim(l.A, l.B, true)
		}
		if h.find(l.B).Hosted && l.Count > 0 && h.find(l.A).unclaimed() { // the route of an alias may be the lower end
			h.claim(l.B, l.A, true)
		}
	}
	h.touch()
}
