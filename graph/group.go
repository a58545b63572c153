package graph

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// GroupCall is what a group event says: that the person belongs to a group, such as a company, and what the group is like.
type GroupCall struct {
	Key    NodeKey // of no class: it names no node
	Type   []byte  // what kind of group it is; mostly empty
	ID     []byte  // groupId, as it was sent
	Traits []Trait // of the group, each name once
}

// Bounds of a group.
const (
	// GroupTraitsMax bounds the traits of a group: those that were set the latest stay.
	GroupTraitsMax = 300
	// GroupTraitBytesMax bounds the name and the value of one trait.
	GroupTraitBytesMax = 2 << 10
)

// Group is what the events that name a group say of it. Everything in it folds, as in a Fragment:
//
//   - G1: a group and its memberships depend on the set of events, not on their order, and each distinct event is folded
//     once. Nothing here could tell: the memory of duplicates and the channels see to it.
//   - G2: of more than GroupTraitsMax names those stay that were set the latest. A name that gave way comes back only
//     with a later event, so that the names which stay do not depend on the order.
//
// A group is hosted where its key belongs, apart from the people in it, and says nothing of identities. Its members are the
// routes of its events, so that merges, splits and undo move memberships along with the evidence: the people are those that
// hold these routes when a reader asks.
type Group struct {
	Key         NodeKey
	Type, ID    string
	Events      uint64
	First, Last int64        // event times, ms since 1970 UTC
	Members     uint64       // routes of these events
	Traits      []GroupTrait // by name; a nil value says that the trait was deleted
	LeftOut     bool         // traits gave way
}

// GroupTrait is a trait of a group, with the event that set it.
type GroupTrait struct {
	Register
	EventID []byte
	Source  []byte // which system sent the event
}

// Membership is what the events of one route say of one group.
type Membership struct {
	Member      NodeKey // the route
	Events      uint64
	First, Last int64 // event times, ms since 1970 UTC
}

// toGroup returns what the group is told of an event that names it. It shares the event's memory.
func (e *Event) toGroup() *Event {
	return &Event{
		ID: e.ID, Source: e.Source, Stamp: e.Stamp, Type: TypeGroup, Identifiers: []Identifier{{Key: e.Route()}}, Group: e.Group,
	}
}

// GroupMessage is what the group is told of an event that names it.
func (e *Event) GroupMessage() Message {
	return Message{Kind: KindGroup, To: e.Group.Key, Event: e.toGroup()}
}

// Fold adds an event that names the group and was never folded before, to the group and to what its route says of it. It
// keeps no reference to the event's bytes.
func (g *Group) Fold(e *Event, m *Membership) {
	if m.Events == 0 {
		m.Member = e.Route()
		g.Members++
	}
	observe(&m.Events, &m.First, &m.Last, e.Stamp.Time)
	if g.Events == 0 {
		g.Key, g.Type, g.ID = e.Group.Key, string(e.Group.Type), string(e.Group.ID)
	}
	observe(&g.Events, &g.First, &g.Last, e.Stamp.Time)
	for i := range e.Group.Traits {
		g.set(&e.Group.Traits[i], e)
	}
}

// observe counts an event, and its time.
func observe(events *uint64, first, last *int64, at int64) {
	if *events == 0 {
		*first, *last = at, at
	}
	*first, *last = min(*first, at), max(*last, at)
	*events++
}

// set sets a trait, unless a later event has set it. Where there are too many, the one that was set the earliest gives way.
func (g *Group) set(t *Trait, e *Event) {
	said := GroupTrait{Register{string(t.Name), t.Value, e.Stamp}, e.ID, e.Source}
	at, found := slices.BinarySearchFunc(g.Traits, said.Name, func(t GroupTrait, name string) int { return strings.Compare(t.Name, name) })
	switch {
	case found:
		if said.compare(&g.Traits[at]) > 0 {
			g.Traits[at] = said.clone()
		}
		return
	case len(g.Traits) >= GroupTraitsMax:
		g.LeftOut = true
		first := g.earliest()
		if said.outlasts(&g.Traits[first]) <= 0 {
			return
		}
		g.Traits = slices.Delete(g.Traits, first, first+1)
		if first < at {
			at--
		}
	}
	g.Traits = slices.Insert(g.Traits, at, said.clone())
}

// earliest is the trait that gives way first.
func (g *Group) earliest() int {
	first := 0
	for i := range g.Traits {
		if g.Traits[i].outlasts(&g.Traits[first]) < 0 {
			first = i
		}
	}
	return first
}

// compare orders what events say of one trait: as for people, and then by the event, so that the order is total.
func (t *GroupTrait) compare(other *GroupTrait) int {
	return cmp.Or(compareRegister(t.Stamp, t.Value, other.Stamp, other.Value), bytes.Compare(t.EventID, other.EventID), bytes.Compare(t.Source, other.Source))
}

// outlasts orders traits of different names by which of them stays: negative when t gives way before other.
func (t *GroupTrait) outlasts(other *GroupTrait) int {
	return cmp.Or(t.Stamp.Compare(other.Stamp), strings.Compare(other.Name, t.Name))
}

func (t *GroupTrait) clone() GroupTrait {
	c := *t
	c.Value, c.EventID, c.Source = bytes.Clone(t.Value), bytes.Clone(t.EventID), bytes.Clone(t.Source)
	return c
}

// GroupRoutes are the identifiers of the identity that holds a node under which group events came in, in descending rank,
// and its id. It reports false if the component does not host the node.
func (c *Component) GroupRoutes(node NodeKey, rules *Rules) (id NodeKey, routes []NodeKey, ok bool) {
	identity, ok := c.identityOf(node, rules)
	if !ok {
		return NodeKey{}, nil, false
	}
	for _, i := range identity {
		if f := c.members[i].Fragment; f != nil && f.Counts[TypeGroup] > 0 {
			routes = append(routes, c.members[i].Key)
		}
	}
	return c.members[identity[0]].Key, routes, true
}
