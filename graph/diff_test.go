package graph

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// identityFor is an identity of some nodes, headed by the first.
func identityFor(nodes []NodeKey) Identity {
	return Identity{Summary: Summary{Name: NodeName{Key: nodes[0]}, Events: uint64(len(nodes))}, Nodes: nodes}
}

// drawIdentities divides nodes among identities.
func drawIdentities(t *rapid.T, nodes []NodeKey) []Identity {
	groups := make([][]NodeKey, len(nodes))
	for _, node := range nodes {
		g := rapid.IntRange(0, len(nodes)-1).Draw(t, "group")
		groups[g] = append(groups[g], node)
	}
	var identities []Identity
	for _, group := range groups {
		if len(group) > 0 {
			identities = append(identities, identityFor(group))
		}
	}
	slices.SortFunc(identities, func(a, b Identity) int { return b.ID().Compare(a.ID()) })
	return identities
}

// A Diff is what a naive comparison of all pairs finds, and of equal sides it is empty.
func TestDiff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var nodes []NodeKey
		for lo := rapid.IntRange(1, 24).Draw(t, "nodes"); lo > 0; lo-- {
			nodes = append(nodes, NodeKey{1, uint64(lo)})
		}
		before, after := drawIdentities(t, nodes), drawIdentities(t, nodes)
		home := func(node NodeKey) int {
			return slices.IndexFunc(after, func(k Identity) bool { return slices.Contains(k.Nodes, node) })
		}
		var got Diff
		got.compare(before, after, home, false)
		shares := func(a, b *Identity) bool {
			return slices.ContainsFunc(a.Nodes, func(node NodeKey) bool { return slices.Contains(b.Nodes, node) })
		}
		var want Diff
		for i := range before {
			var into []NodeKey
			for j := range after {
				if shares(&before[i], &after[j]) {
					into = append(into, after[j].ID())
				}
			}
			if len(into) > 1 {
				want.Splits = append(want.Splits, Split{ID: before[i].ID(), Into: into, Divided: true})
			}
		}
		for j := range after {
			var from []Summary
			for i := range before {
				if shares(&before[i], &after[j]) {
					from = append(from, before[i].Summary)
				}
			}
			if len(from) > 1 {
				want.Merges = append(want.Merges, Merge{Into: after[j].Summary, From: from})
			}
		}
		if got, want := fmt.Sprint(got.Splits, got.Merges, got.Updates), fmt.Sprint(want.Splits, want.Merges, want.Updates); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		var same Diff
		same.compare(after, after, home, false)
		if len(same.Splits)+len(same.Merges) > 0 {
			t.Fatalf("of equal sides: %v", same)
		}
	})
}

// A step that changes no identity allocates nothing for its Diff, whatever it adds to what is known.
func TestDiffCostsNothingWhereNothingChanges(t *testing.T) {
	rules := DefaultRules()
	key := MakeNodeKey(ClassCustomer, 1, 1)
	n := &Node{Key: key}
	e := &Event{
		Identifiers: []Identifier{{Key: key, Namespace: "user_id", Value: []byte("u")}, {Key: MakeNodeKey(ClassCookie, 1, 2), Namespace: "anonymous_id", Value: []byte("c")}},
		Type:        TypePage, ID: []byte("m"),
	}
	var out Outbox
	var d Diff
	step := func() {
		e.Stamp.Time++
		out.Reset()
		if err := n.Handle(&Message{Kind: KindObserve, To: key, Event: e}, rules, &out); err != nil {
			t.Fatal(err)
		}
		n.Component.Close(rules, &d)
	}
	step()
	if n.Component.opening != nil || n.Component.Unclosed() {
		t.Error("a step is open")
	}
	if allocs := testing.AllocsPerRun(100, step); allocs > 0 {
		t.Errorf("%v allocations a step", allocs)
	}
}
