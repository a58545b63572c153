package graph

import "slices"

// Component is one root's evidence, with who is who by it. Evidence says which identifiers are linked, what was folded under
// each, and what operators asserted. Which of its members are one person is computed from that, and cached, never stored.
//
//	message ──► handler ──► store ──► division ──► fold ──► Profile
//	            (observe,   (members,  (resolve:     │
//	             absorb …)   links …)   partition)   └─► explainer ──► Reason
//	                │                      │
//	                └► opening ── Close ───┴──► Diff
//
// Its parts depend in this direction only: the store knows nothing of identities, and neither a division nor a fold
// changes evidence. A handler, which takes one message, is the only writer.
//
// A message changes evidence in this order: begin or open; members, links and counts; generic values; end. The order
// matters because begin divides the component as it was, and because a value is generic by complete counts.
//
// The obvious design, a set of people that links merge, cannot take anything back: a retraction, a shared device or
// another rule would need to know which link had joined whom. Here a link is only ever added, and a division costs a
// sort, which a component that breaks no limit does not even need (plain).
//
// A Component belongs to one goroutine.
type Component struct {
	store
	division
	opening *opening // nil: no step has changed who is who
}

func newComponent(root NodeKey) *Component { return &Component{store: store{root: root}} }

// RestoreComponent builds a component from stored evidence. It takes ownership of the evidence.
func RestoreComponent(root NodeKey, evidence *Evidence) *Component {
	c := newComponent(root)
	c.members, c.links, c.assertions = evidence.Members, evidence.Links, evidence.Assertions
	for i := range c.members {
		m := &c.members[i]
		m.neighbours, m.customers, m.was = 0, 0, 0 // set where the evidence was another component's
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

// Clone copies the component with everything that a message can change in place.
func (c *Component) Clone() *Component {
	c.settle()
	ev := Evidence{Members: slices.Clone(c.members), Links: slices.Clone(c.links), Assertions: slices.Clone(c.assertions)}
	for i := range ev.Members {
		if f := ev.Members[i].Fragment; f != nil {
			ev.Members[i].Fragment = f.clone()
		}
	}
	for i := range ev.Links {
		ev.Links[i].First, ev.Links[i].Last = ev.Links[i].First.clone(), ev.Links[i].Last.clone()
	}
	return RestoreComponent(c.root, &ev)
}
