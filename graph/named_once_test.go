package graph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// No identity is named after an identifier that an alias asks for, as long as the identifier has its own root: it
// would be told of in two places at once, and in no order. That holds also where the root that asks outranks it.
func TestNamedOnceWhileAnAliasAsks(t *testing.T) {
	names := []graph.NodeName{oracle.Name("user_id", "a"), oracle.Name("user_id", "b"), oracle.Name("user_id", "c")}
	slices.SortFunc(names, func(a, b graph.NodeName) int { return b.Key.Compare(a.Key) })
	high, previous, user := names[0], names[1], names[2]
	cookie := oracle.Name("anonymous_id", "x")
	alias := oracle.Sighting("m4", 4, user, previous)
	slices.Reverse(alias.Identifiers) // its route is userId
	alias.Type, alias.Alias = graph.TypeAlias, []graph.AliasRole{graph.AliasCarried, graph.AliasPrevious | graph.AliasLikely}
	n := &network{
		rng: rand.New(rand.NewPCG(1, 1)), nodes: make(map[graph.NodeKey]*graph.Node),
		rules: &graph.Rules{Limits: []graph.Limit{{Namespace: "user_id", Max: 1}}, Alias: graph.AliasMerges, MaxMembers: 100, MaxLinks: 100},
	}
	var asked []graph.Message
	settle := func() {
		for {
			n.pending = slices.DeleteFunc(n.pending, func(m graph.Message) bool {
				held := m.Kind == graph.KindJoin && m.To == previous.Key
				if held {
					asked = append(asked, m)
				}
				return held
			})
			if len(n.pending) == 0 {
				return
			}
			if err := n.deliverOne(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, e := range []graph.Event{
		oracle.Sighting("m1", 1, high, cookie),
		oracle.Sighting("m2", 2, user, cookie), // the limit keeps them two people, under one root
		oracle.Sighting("m3", 3, previous),
		alias,
	} {
		n.pending = append(n.pending, graph.Message{Kind: graph.KindObserve, To: e.Route(), Event: &e})
		settle()
	}
	if len(asked) == 0 {
		t.Fatal("nobody asked for the previous id")
	}
	ids := func() (ids []string) {
		for _, p := range n.profiles() {
			for i, name := range names {
				if p.ID == name.Key {
					ids = append(ids, fmt.Sprintf("%d: %d", i, p.Events))
				}
			}
		}
		return ids
	}
	if got, want := ids(), []string{"2: 2", "1: 1", "0: 1"}; !slices.Equal(got, want) {
		t.Errorf("while the alias asks, identities and events are %q, want %q", got, want)
	}
	n.pending = asked
	for len(n.pending) > 0 {
		if err := n.deliverOne(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := ids(), []string{"1: 3", "0: 1"}; !slices.Equal(got, want) {
		t.Errorf("in the end identities and events are %q, want %q", got, want)
	}
}
