package graph

import "slices"

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
			handler{high, rules, &out}.absorb(&ev)
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
	handler{home, rules, &out}.assert(&a)
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
