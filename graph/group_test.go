package graph

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// groupEvent is an event that sets traits of a group.
func groupEvent(at int64, tie uint64, route NodeKey, traits ...Trait) *Event {
	return &Event{
		ID: fmt.Appendf(nil, "m%d", tie), Source: []byte("crm"), Stamp: Stamp{Time: at, Tie: tie}, Type: TypeGroup, Identifiers: []Identifier{{Key: route}},
		Group: &GroupCall{Key: NodeKey{Lo: 1}, ID: []byte("acme"), Traits: traits},
	}
}

// foldGroup folds events in an order.
func foldGroup(events []*Event) (Group, map[NodeKey]Membership) {
	var g Group
	members := map[NodeKey]Membership{}
	for _, e := range events {
		m := members[e.Route()]
		g.Fold(e, &m)
		members[e.Route()] = m
	}
	return g, members
}

// A group and its memberships do not depend on the order of events (G1), also where traits give way (G2).
func TestGroupIsOrderFree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var events []*Event
		for n := range rapid.IntRange(1, 8).Draw(rt, "events") {
			var traits []Trait
			from := rapid.IntRange(0, 2).Draw(rt, "from") * GroupTraitsMax / 2
			for i := range rapid.SampledFrom([]int{1, 3, GroupTraitsMax / 2, GroupTraitsMax - 1}).Draw(rt, "traits") {
				traits = append(traits, Trait{Name: fmt.Appendf(nil, "t%03d", from+i), Value: []byte(rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "value"))})
			}
			if rapid.Bool().Draw(rt, "deletes one") {
				traits[0].Value = nil
			}
			route := MakeNodeKey(ClassCookie, 0, uint64(rapid.IntRange(1, 2).Draw(rt, "route")))
			events = append(events, groupEvent(rapid.Int64Range(0, 3).Draw(rt, "time"), uint64(n), route, traits...))
		}
		want, wantMembers := foldGroup(events)
		got, members := foldGroup(rapid.Permutation(events).Draw(rt, "another order"))
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(members, wantMembers) {
			rt.Fatalf("in another order\n got %+v\nwant %+v", got, want)
		}
		if len(want.Traits) > GroupTraitsMax || want.Members != uint64(len(members)) {
			rt.Fatalf("%d traits, %d members of %d", len(want.Traits), want.Members, len(members))
		}
	})
}

// Of too many traits those that were set the latest stay; a group shares no memory with events.
func TestGroupTraitsGiveWay(t *testing.T) {
	var old []Trait
	for n := range GroupTraitsMax {
		old = append(old, Trait{Name: fmt.Appendf(nil, "old%03d", n), Value: []byte("1")})
	}
	route := MakeNodeKey(ClassCookie, 0, 1)
	value := []byte("2")
	newer := groupEvent(2, 2, route, Trait{Name: []byte("new"), Value: value})
	for _, events := range [][]*Event{{groupEvent(1, 1, route, old...), newer}, {newer, groupEvent(1, 1, route, old...)}} {
		g, _ := foldGroup(events)
		last := g.Traits[len(g.Traits)-1].Name
		if len(g.Traits) != GroupTraitsMax || !g.LeftOut || g.Traits[0].Name != "new" || last != "old298" {
			t.Errorf("%d traits, left out %t, from %s to %s", len(g.Traits), g.LeftOut, g.Traits[0].Name, last)
		}
		value[0] = '9'
		if string(g.Traits[0].Value) != "2" {
			t.Error("the group shares memory with its event")
		}
		value[0] = '2'
	}
}
