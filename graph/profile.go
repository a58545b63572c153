package graph

import (
	"slices"
	"sort"
	"strings"

	"github.com/kindred-id/kindred/graph/score"
)

// Profile is the fold of an identity's fragments: who they are and what they did.
type Profile struct {
	ID          NodeKey             // the highest-ranked identifier of the identity
	Identifiers []ProfileIdentifier // in descending rank
	Events      uint64              // distinct message ids
	Counts      [EventTypes]uint64  // events by type
	First, Last int64               // event times of the first and last event, ms since 1970 UTC
	Traits      []TraitValue        // by name; deleted ones are left out
	Orders      []OrderState        // by placement, then id
	Money       []Money             // by currency code
	Offers      score.OfferBook
	Interests   score.InterestCounts
	Visits      score.VisitDays
}

// ProfileIdentifier is an identifier of an identity. First and Last are the event times between
// which it was seen as part of this identity: in events of its own fragment, and in links to the
// identity's other identifiers.
type ProfileIdentifier struct {
	NodeName
	Raw         string // as last sent, when it differs from Value
	First, Last int64
	Generic     bool

	active bool // it has events of its own
}

// TraitValue is a trait as it stands: the value with the highest stamp.
type TraitValue struct {
	Name  string
	Value []byte // JSON text
	Stamp Stamp
}

// Profiles folds every identity of the component that has an event; with empty, the others too.
// They are in descending rank, and own their memory.
func (c *Component) Profiles(rules *Rules, empty bool) []Profile {
	c.settle()
	p := c.resolve(rules)
	groups := p.groups
	if p == whole {
		groups = [][]int32{c.all()}
	}
	profiles := make([]Profile, 0, len(groups))
	for _, group := range groups {
		if profile := c.fold(group, true); profile.Events > 0 || empty {
			profile.own()
			profiles = append(profiles, profile)
		}
	}
	return profiles
}

// Profile folds the identity that holds a node. It returns false when the node is not hosted here.
// The profile owns its memory: it stays as it is when the component takes its next message.
func (c *Component) Profile(node NodeKey, rules *Rules) (Profile, bool) {
	group, ok := c.identityOf(node, rules)
	if !ok {
		return Profile{}, false
	}
	profile := c.fold(group, true)
	profile.own()
	return profile, true
}

// own gives the profile memory of its own, where fold left it that of the only fragment that had something: values of
// traits, which the next event overwrites in place, and dealings.
func (p *Profile) own() {
	p.ownTraits()
	p.Offers, p.Interests, p.Visits = p.Offers.Clone(), p.Interests.Clone(), p.Visits.Clone()
}

// ownTraits copies the values of all traits, in one piece.
func (p *Profile) ownTraits() {
	size := 0
	for i := range p.Traits {
		size += len(p.Traits[i].Value)
	}
	values := make([]byte, 0, size)
	for i := range p.Traits {
		start := len(values)
		values = append(values, p.Traits[i].Value...)
		p.Traits[i].Value = values[start:len(values):len(values)]
	}
}

// identityOf is the group of members that a node's identity holds.
func (c *Component) identityOf(node NodeKey, rules *Rules) ([]int32, bool) {
	c.settle()
	at := c.place(node)
	if at < 0 || !c.members[at].Hosted {
		return nil, false
	}
	p := c.resolve(rules)
	if p == whole {
		return c.all(), true
	}
	g := p.of[at]
	if g < 0 {
		g = p.groupOfReading(int32(at))
	}
	if g >= 0 {
		return p.groups[g], true
	}
	return nil, false
}

func (c *Component) all() []int32 {
	all := make([]int32, len(c.members))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// fold sums up the fragments of an identity's members, which are in descending rank. What only one fragment has, the
// profile shares with it: own parts them.
func (c *Component) fold(group []int32, dealings bool) Profile {
	p := Profile{ID: c.members[group[0]].Key}
	var orders orderFold
	traits, ownTraits := []Register(nil), false
	for _, i := range group {
		m := &c.members[i]
		id := ProfileIdentifier{NodeName: m.NodeName, Raw: m.Raw, Generic: m.Generic, First: noTime, Last: noTime}
		if f := m.Fragment; f != nil {
			if f.Events > 0 {
				p.seen(f)
				id.seen(f.First, f.Last)
				id.active = true
			}
			for t := range f.Counts {
				p.Counts[t] += f.Counts[t]
			}
			// The first fragment's own slices serve as long as nothing has to be merged into them.
			switch {
			case len(f.Traits) == 0:
			case traits == nil:
				traits = f.Traits
			default:
				if !ownTraits {
					traits, ownTraits = slices.Clone(traits), true
				}
				traits = mergeSorted(traits, slices.Clone(f.Traits),
					func(a, b *Register) int { return strings.Compare(a.Name, b.Name) },
					func(a, b *Register) {
						if compareRegister(a.Stamp, a.Value, b.Stamp, b.Value) < 0 {
							*a = *b
						}
					})
			}
			orders.add(f)
			if dealings {
				p.mergeDealings(f)
			}
		}
		p.Identifiers = append(p.Identifiers, id)
	}
	c.seenTogether(&p, group)
	for i := range traits {
		if traits[i].Value != nil {
			p.Traits = append(p.Traits, TraitValue(traits[i]))
		}
	}
	p.addOrders(orders.all)
	return p
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

// seen adds a fragment's events to the sums.
func (p *Profile) seen(f *Fragment) {
	if p.Events == 0 {
		p.First, p.Last = f.First, f.Last
	}
	p.First, p.Last = min(p.First, f.First), max(p.Last, f.Last)
	p.Events += f.Events
}

func (id *ProfileIdentifier) seen(first, last int64) {
	id.First, id.Last = earliest(id.First, first), max(id.Last, last)
}

// seenTogether widens the times of a group's identifiers by the links between them, and settles those that
// were never seen. Links and identifiers are in one order, so that the links of each upper end are one range, which is
// found from the last one on.
func (c *Component) seenTogether(p *Profile, group []int32) {
	at := 0
	for a := range p.Identifiers {
		upper := p.Identifiers[a].Key
		if len(group) == len(c.members) {
			for at < len(c.links) && c.links[at].A.Outranks(upper) {
				at++
			}
		} else {
			at += sort.Search(len(c.links)-at, func(i int) bool { return !c.links[at+i].A.Outranks(upper) })
		}
		for ; at < len(c.links) && c.links[at].A == upper; at++ {
			l := &c.links[at]
			if l.Count == 0 {
				continue
			}
			if b, in := c.inGroup(p, group, l.B); in {
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

// inGroup finds an identifier of a group's profile.
func (c *Component) inGroup(p *Profile, group []int32, key NodeKey) (int, bool) {
	if c.large == nil {
		return p.identifier(key)
	}
	i := c.place(key)
	if len(group) == len(c.members) {
		return i, true
	}
	return slices.BinarySearch(group, int32(i))
}

func (p *Profile) identifier(key NodeKey) (int, bool) {
	return slices.BinarySearchFunc(p.Identifiers, key, func(id ProfileIdentifier, k NodeKey) int { return k.Compare(id.Key) })
}
