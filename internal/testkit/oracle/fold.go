package oracle

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// fold computes the profile of an identity; members are in descending rank.
func fold(ev *evidence, rules *graph.Rules, members []graph.NodeKey) graph.Profile {
	p := graph.Profile{ID: members[0]}
	var events []graph.Event
	for _, n := range members {
		events = append(events, ev.fragments[n]...)
		p.Identifiers = append(p.Identifiers, identifier(ev, rules, n, members))
	}
	var seen span
	for _, e := range events {
		p.Events++
		p.Counts[e.Type]++
		seen.add(e.Stamp.Time)
	}
	p.First, p.Last = seen.first, seen.last
	p.Traits = traits(events)
	p.Orders = orders(events)
	p.Money = money(p.Orders)
	p.Offers, p.Interests, p.Visits = offers(events), interests(events), visits(events)
	return p
}

// span is the time from the first to the last of the times added; it is zero without any.
type span struct {
	first, last int64
	started     bool
}

func (s *span) add(at int64) {
	if !s.started {
		*s = span{at, at, true}
	}
	s.first, s.last = min(s.first, at), max(s.last, at)
}

// identifier is n as a member of an identity: seen in the events of its own fragment, and in the
// observed links, conducting or not, to the identity's other members.
func identifier(ev *evidence, rules *graph.Rules, n graph.NodeKey, members []graph.NodeKey) graph.ProfileIdentifier {
	var seen span
	for _, e := range ev.fragments[n] {
		seen.add(e.Stamp.Time)
	}
	for _, l := range ev.links {
		if l.a == n && slices.Contains(members, l.b) || l.b == n && slices.Contains(members, l.a) {
			seen.add(l.first)
			seen.add(l.last)
		}
	}
	return graph.ProfileIdentifier{
		NodeName: ev.names[n],
		First:    seen.first, Last: seen.last,
		Generic: ev.generic(n, rules),
	}
}

// traits returns for each trait the value with the highest stamp, and at equal stamps the larger value; a deletion counts as
// the smallest. Deleted traits are omitted.
func traits(events []graph.Event) []graph.TraitValue {
	newest := map[string]graph.TraitValue{}
	for _, e := range events {
		for _, t := range e.Traits {
			v := graph.TraitValue{Name: string(t.Name), Value: t.Value, Stamp: e.Stamp}
			old, ok := newest[v.Name]
			if !ok || cmp.Or(v.Stamp.Compare(old.Stamp), bytes.Compare(v.Value, old.Value)) > 0 {
				newest[v.Name] = v
			}
		}
	}
	var standing []graph.TraitValue
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		if newest[name].Value != nil {
			standing = append(standing, newest[name])
		}
	}
	return standing
}
