package graph

import (
	"bytes"
	"slices"
)

// Clone copies the component with everything that a message can change in place.
func (c *Component) Clone() *Component {
	c.settle()
	ev := Evidence{Members: slices.Clone(c.members), Links: slices.Clone(c.links), Assertions: slices.Clone(c.assertions)}
	for i := range ev.Members {
		if f := ev.Members[i].Fragment; f != nil {
			clone := *f
			clone.Traits, clone.Orders = slices.Clone(f.Traits), slices.Clone(f.Orders)
			for t := range clone.Traits {
				clone.Traits[t].Value = bytes.Clone(clone.Traits[t].Value)
			}
			for o := range clone.Orders {
				clone.Orders[o].Refunds = slices.Clone(clone.Orders[o].Refunds)
			}
			if f.Offers != nil {
				offers := f.Offers.Clone()
				clone.Offers = &offers
			}
			if f.Interests != nil {
				interests := f.Interests.Clone()
				clone.Interests = &interests
			}
			clone.Visits = f.Visits.Clone()
			ev.Members[i].Fragment = &clone
		}
	}
	for i := range ev.Links {
		ev.Links[i].First, ev.Links[i].Last = ev.Links[i].First.clone(), ev.Links[i].Last.clone()
	}
	return RestoreComponent(c.root, &ev)
}

// Preview is what an assertion would do to the identities that hold some nodes, given copies of
// the components that do. It uses the copies up.
func Preview(components []*Component, a Assertion, nodes []NodeKey, rules *Rules) (before, after []Profile) {
	for _, c := range components {
		before = appendHolders(before, c, nodes, rules)
	}
	var out Outbox
	var home *Component
	for _, c := range components {
		if home == nil {
			home = c
			continue
		}
		if a.Verb == AssertForce && !a.Withdrawn { // the force would bring them together
			high, low := home, c
			if low.root.Outranks(high.root) {
				high, low = low, high
			}
			ev := low.Evidence()
			high.absorb(&ev, rules, &out)
			home = high
		}
	}
	if home == nil {
		home = newComponent(a.A.Key)
	}
	for _, c := range components {
		if c.find(a.A.Key) != nil && (a.Verb != AssertForce || a.Withdrawn) {
			home = c
		}
	}
	home.assert(&a, rules, &out)
	after = appendHolders(nil, home, nodes, rules)
	for _, c := range components {
		if c != home && (a.Verb != AssertForce || a.Withdrawn) {
			after = appendHolders(after, c, nodes, rules)
		}
	}
	return before, after
}

// appendHolders adds the profiles of the identities that hold any of the nodes, each once.
func appendHolders(profiles []Profile, c *Component, nodes []NodeKey, rules *Rules) []Profile {
	for _, node := range nodes {
		p, ok := c.Profile(node, rules)
		if ok && !slices.ContainsFunc(profiles, func(q Profile) bool { return q.ID == p.ID }) {
			profiles = append(profiles, p)
		}
	}
	return profiles
}
