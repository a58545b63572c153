package graph

import (
	"slices"
	"sort"
	"strings"
)

// A fold sums up the fragments of one identity: of the members of a group, by index, in descending rank.
//
// It leaves the fragments as they are. Where only one of them has something, the result shares it with the fragment
// instead of copying it, since most people have one fragment; Profile.own parts the two.
//
// Every sum is commutative, associative and idempotent per event (I2). Therefore a fold starts from the fragments
// each time, and no total is kept: a merge, a split or an erasure would have to correct it.
//
// REQUIRES: settled, and so until the fold is done
//
// The cost is the size of the group, and of links for seenTogether. A fragment that shares its lists with the
// result must not change before the result was used or given lists of its own.
type fold struct {
	*store
	group []int32
}

// profile sums up all that the fragments hold; dealings only if asked for.
func (f fold) profile(dealings bool) Profile {
	p := Profile{ID: f.members[f.group[0]].Key, Identifiers: make([]ProfileIdentifier, 0, len(f.group))}
	var orders orderFold
	traits, ownTraits := []Register(nil), false
	for _, i := range f.group {
		m := &f.members[i]
		id := ProfileIdentifier{NodeName: m.NodeName, Raw: m.Raw, Generic: m.Generic, First: noTime, Last: noTime}
		if g := m.Fragment; g != nil {
			if g.Events > 0 {
				p.seen(g)
				id.seen(g.First, g.Last)
				id.active = true
			}
			for t := range g.Counts {
				p.Counts[t] += g.Counts[t]
			}
			// The first fragment's own slices serve as long as nothing has to be merged into them.
			switch {
			case len(g.Traits) == 0:
			case traits == nil:
				traits = g.Traits
			default:
				if !ownTraits {
					traits, ownTraits = slices.Clone(traits), true
				}
				traits = mergeSorted(traits, slices.Clone(g.Traits),
					func(a, b *Register) int { return strings.Compare(a.Name, b.Name) },
					func(a, b *Register) {
						if compareRegister(a.Stamp, a.Value, b.Stamp, b.Value) < 0 {
							*a = *b
						}
					})
			}
			orders.add(g)
			if dealings {
				p.mergeDealings(g)
			}
		}
		p.Identifiers = append(p.Identifiers, id)
	}
	f.seenTogether(&p)
	for i := range traits {
		if traits[i].Value != nil {
			if p.Traits == nil {
				p.Traits = make([]TraitValue, 0, len(traits)-i)
			}
			p.Traits = append(p.Traits, TraitValue(traits[i]))
		}
	}
	p.addOrders(orders.all)
	return p
}

// scoring sums up what scores are computed from, and nothing else.
func (f fold) scoring() Scoring {
	var p Profile
	var orders orderFold
	for _, i := range f.group {
		g := f.members[i].Fragment
		if g == nil {
			continue
		}
		if g.Events > 0 {
			p.seen(g)
		}
		orders.add(g)
		p.mergeDealings(g)
	}
	p.addOrders(orders.all)
	return p.Scoring()
}

// seenTogether widens the times of the identifiers by the links between them, and sets those of identifiers that
// were never seen to zero. Links and identifiers are in one order, so that the links of each upper end are one range, which is
// found from the last one on.
//
// If the component is one identity, every link is looked at once, and at moves over all of them. If it is several,
// most links belong to others: a binary search in what is left passes those over.
func (f fold) seenTogether(p *Profile) {
	at := 0
	for a := range p.Identifiers {
		upper := p.Identifiers[a].Key
		if len(f.group) == len(f.members) {
			for at < len(f.links) && f.links[at].A.Outranks(upper) {
				at++
			}
		} else {
			at += sort.Search(len(f.links)-at, func(i int) bool { return !f.links[at+i].A.Outranks(upper) })
		}
		for ; at < len(f.links) && f.links[at].A == upper; at++ {
			l := &f.links[at]
			if l.Count == 0 {
				continue
			}
			if b, in := f.inGroup(p, l.B); in {
				p.Identifiers[a].seen(l.First.Stamp.Time, l.Last.Stamp.Time)
				p.Identifiers[b].seen(l.First.Stamp.Time, l.Last.Stamp.Time)
			}
		}
	}
	for i := range p.Identifiers {
		if p.Identifiers[i].First == noTime {
			p.Identifiers[i].First, p.Identifiers[i].Last = 0, 0
		}
	}
}

// inGroup finds an identifier of the group's profile.
func (f fold) inGroup(p *Profile, key NodeKey) (int, bool) {
	if f.large == nil {
		return p.identifier(key)
	}
	i := f.place(key)
	if len(f.group) == len(f.members) {
		return i, true
	}
	return slices.BinarySearch(f.group, int32(i))
}

// orderFold gathers the orders of fragments. It leaves the fragments as they are: the first one's own orders
// serve as long as nothing has to be merged into them.
type orderFold struct {
	all []OrderEvidence // by id
	own bool
}

func (o *orderFold) add(f *Fragment) {
	switch {
	case len(f.Orders) == 0:
	case o.all == nil:
		o.all = f.Orders
	default:
		if !o.own {
			o.all, o.own = slices.Clone(o.all), true
		}
		o.all = mergeSorted(o.all, slices.Clone(f.Orders),
			func(a, b *OrderEvidence) int { return strings.Compare(a.ID, b.ID) },
			func(a, b *OrderEvidence) { a.merge(b) })
	}
}

// everyone lists all members, once they are settled.
func (s *store) everyone() []int32 {
	all := make([]int32, len(s.members))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}
