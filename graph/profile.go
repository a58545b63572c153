package graph

import (
	"slices"

	"github.com/kindred-id/kindred/graph/score"
)

// Profile is the fold of an identity's fragments: the identifiers of a person, and what the person did.
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
		groups = [][]int32{c.everyone()}
	}
	profiles := make([]Profile, 0, len(groups))
	for _, group := range groups {
		if profile := (fold{&c.store, group}).profile(true); profile.Events > 0 || empty {
			profile.own()
			profiles = append(profiles, profile)
		}
	}
	return profiles
}

// Profile folds the identity that holds a node. It returns false when the node is not hosted here.
// The profile owns its memory: it stays as it is when the component takes its next message.
func (c *Component) Profile(node NodeKey, rules *Rules) (Profile, bool) {
	return c.profile(node, rules, true)
}

// Outline is Profile without dealings: offers, interests and visits, which only scores are computed from.
func (c *Component) Outline(node NodeKey, rules *Rules) (Profile, bool) {
	return c.profile(node, rules, false)
}

func (c *Component) profile(node NodeKey, rules *Rules, dealings bool) (Profile, bool) {
	group, ok := c.identityOf(node, rules)
	if !ok {
		return Profile{}, false
	}
	profile := fold{&c.store, group}.profile(dealings)
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

func (p *Profile) identifier(key NodeKey) (int, bool) {
	return slices.BinarySearchFunc(p.Identifiers, key, func(id ProfileIdentifier, k NodeKey) int { return k.Compare(id.Key) })
}
