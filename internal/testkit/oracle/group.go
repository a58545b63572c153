package oracle

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// Group is what events say of a group, and who is in it.
type Group struct {
	graph.Group                    // Members is how many identifiers are in it
	People      []graph.Membership // by identity, in ascending order of its id
}

// Rules for groups:
//   - T1: a group is what all events say that name its type and its id, each event once (E1).
//   - T2: of each of its traits the value with the highest stamp counts, and at equal stamps the larger value. Of more than
//     graph.GroupTraitsMax names the newest count, and of equally new ones the smaller names.
//   - T3: its people are the identities that hold the routes of these events.

// Groups returns the groups in ascending order of type and id; people are the profiles of all who have events. Sources are
// left empty: of an event that comes again another way, which source counts is open.
func Groups(events []graph.Event, people []graph.Profile) []Group {
	of := map[[2]string][]graph.Event{}
	seen := map[[2]string]bool{}
	for _, e := range events {
		message := [2]string{string(e.ID), content(&e)}
		if e.Group == nil || seen[message] {
			continue
		}
		seen[message] = true
		name := [2]string{string(e.Group.Type), string(e.Group.ID)}
		of[name] = append(of[name], e)
	}
	holder := map[graph.NodeKey]graph.NodeKey{}
	for _, p := range people {
		for _, id := range p.Identifiers {
			holder[id.Key] = p.ID
		}
	}
	var groups []Group
	for _, name := range slices.SortedFunc(maps.Keys(of), func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) {
		groups = append(groups, foldGroup(of[name], holder))
	}
	return groups
}

// foldGroup folds the events that name one group.
func foldGroup(events []graph.Event, holder map[graph.NodeKey]graph.NodeKey) Group {
	call := events[0].Group
	g := Group{Group: graph.Group{Key: call.Key, Type: string(call.Type), ID: string(call.ID), Events: uint64(len(events))}}
	var all span
	routes := map[graph.NodeKey]bool{}
	people := map[graph.NodeKey][]int64{}
	newest := map[string]graph.GroupTrait{}
	for _, e := range events {
		all.add(e.Stamp.Time)
		routes[e.Route()] = true
		who := holder[e.Route()]
		people[who] = append(people[who], e.Stamp.Time)
		for _, t := range e.Group.Traits {
			v := graph.GroupTrait{Register: graph.Register{Name: string(t.Name), Value: t.Value, Stamp: e.Stamp}, EventID: e.ID}
			old, ok := newest[v.Name]
			if !ok || cmp.Or(v.Stamp.Compare(old.Stamp), bytes.Compare(v.Value, old.Value)) > 0 {
				newest[v.Name] = v
			}
		}
	}
	g.First, g.Last, g.Members = all.first, all.last, uint64(len(routes))
	traits := slices.SortedFunc(maps.Values(newest), func(a, b graph.GroupTrait) int {
		return cmp.Or(b.Stamp.Compare(a.Stamp), strings.Compare(a.Name, b.Name))
	})
	if len(traits) > graph.GroupTraitsMax {
		g.LeftOut, traits = true, traits[:graph.GroupTraitsMax]
	}
	slices.SortFunc(traits, func(a, b graph.GroupTrait) int { return strings.Compare(a.Name, b.Name) })
	g.Traits = traits
	for _, who := range slices.SortedFunc(maps.Keys(people), graph.NodeKey.Compare) {
		times := people[who]
		g.People = append(g.People, graph.Membership{Member: who, Events: uint64(len(times)), First: slices.Min(times), Last: slices.Max(times)})
	}
	return g
}

// DumpGroups writes groups as text, in the order given, with every field except sources.
func DumpGroups(groups []Group) string {
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "%sgroup %q of type %q, %s\n  events %d, %d..%d, identifiers %d, traits left out %t\n",
			blockStart, g.ID, g.Type, g.Key, g.Events, g.First, g.Last, g.Members, g.LeftOut)
		for _, t := range g.Traits {
			fmt.Fprintf(&b, "  trait %q = %s, at %d rank %d tie %016x by %q\n", t.Name, t.Value, t.Stamp.Time, t.Stamp.Rank, t.Stamp.Tie, t.EventID)
		}
		for _, m := range g.People {
			fmt.Fprintf(&b, "  person %s, events %d, %d..%d\n", m.Member, m.Events, m.First, m.Last)
		}
	}
	return b.String()
}

// group lets the group events of some worlds name one of three groups, and say something of it. A retry does as its event
// does.
func (w *World) group(choose chooser) {
	if choose.oneIn(3, "no groups at all") {
		return
	}
	many := choose.oneIn(8, "groups with many traits")
	said := map[uint64]*graph.GroupCall{}
	for i := range w.Events {
		e := &w.Events[i]
		if e.Type == graph.TypeAlias {
			continue
		}
		g, known := said[e.Seen]
		if !known {
			if e.Type == graph.TypeGroup || choose.oneIn(3, "a group event instead") {
				g = makeGroupCall(choose, many)
			}
			said[e.Seen] = g
		}
		if g != nil {
			e.Type, e.Group = graph.TypeGroup, g
			seal(e)
		}
	}
}

func makeGroupCall(choose chooser, many bool) *graph.GroupCall {
	types := [...]string{"", "", "team"}
	ids := [...]string{"acme", "blue", "acme"}
	g := &graph.GroupCall{ID: []byte(ids[choose(len(ids), "group")])}
	if typ := types[choose(len(types), "type of group")]; typ != "" {
		g.Type = []byte(typ)
	}
	hi, lo := hash("group", string(g.Type), string(g.ID))
	g.Key = graph.MakeNodeKey(0, hi, lo)
	if many && choose.oneIn(2, "many traits") { // more than a group keeps, with those of another such event
		from := 100 * choose(3, "first of many traits")
		for n := range 2 * graph.GroupTraitsMax / 3 {
			g.Traits = append(g.Traits, graph.Trait{Name: fmt.Appendf(nil, "t%03d", from+n), Value: []byte(`1`)})
		}
		return g
	}
	for range choose(3, "traits of a group") {
		t := makeTrait(choose)
		if !slices.ContainsFunc(g.Traits, func(o graph.Trait) bool { return bytes.Equal(o.Name, t.Name) }) {
			g.Traits = append(g.Traits, t)
		}
	}
	return g
}
