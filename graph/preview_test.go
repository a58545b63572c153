package graph_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// root is the component that a node's forwards lead to; nil when the node was never seen.
func (n *network) root(key graph.NodeKey) *graph.Component {
	node := n.nodes[key]
	for node != nil && node.Component == nil {
		node = n.nodes[node.Parent]
	}
	if node == nil {
		return nil
	}
	return node.Component
}

// holders dumps the identities that hold any of the nodes, each once.
func (n *network) holders(keys []graph.NodeKey) string {
	var all []graph.Profile
	for _, key := range keys {
		if c := n.root(key); c != nil {
			p, ok := c.Profile(key, n.rules)
			if ok && !slices.ContainsFunc(all, func(q graph.Profile) bool { return q.ID == p.ID }) {
				all = append(all, p)
			}
		}
	}
	return dumpSorted(all)
}

func dumpSorted(profiles []graph.Profile) string {
	slices.SortFunc(profiles, func(a, b graph.Profile) int { return a.ID.Compare(b.ID) })
	return oracle.Dump(profiles)
}

// The preview of an assertion equals its effect: for every verb, made or withdrawn, wherever the components are hosted.
func TestPreviewIsWhatFollows(t *testing.T) {
	seeds := uint64(20000)
	if testing.Short() {
		seeds = 1500
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 7))
		world := oracle.RandomWorld(rng)
		if len(world.Assertions) == 0 {
			continue
		}
		last := world.Assertions[len(world.Assertions)-1]
		world.Assertions = world.Assertions[:len(world.Assertions)-1]
		last.At, last.ID = 1<<41, "z"
		n, err := run(world, seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		keys := []graph.NodeKey{last.A.Key}
		if last.Verb != graph.AssertForget {
			keys = append(keys, last.B.Key)
		}
		if b := n.nodes[last.B.Key]; b != nil && b.Mention != nil {
			continue // the assertion speaks for the mention, whose route may be in a third component
		}
		before, after := graph.Preview(n.copies(last), last, keys, n.rules)
		if got, want := dumpSorted(before), n.holders(keys); got != want {
			t.Fatalf("seed %d: %+v: before\n%s", seed, last, oracle.Diff(want, got))
		}
		n.pending = append(n.pending, graph.Message{Kind: graph.KindAssert, To: last.A.Key, Assertion: &last})
		for len(n.pending) > 0 {
			if err := n.deliverOne(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if got, want := dumpSorted(after), n.holders(keys); got != want {
			t.Fatalf("seed %d: %+v: after\n%s", seed, last, oracle.Diff(want, got))
		}
	}
}

// copies are the components that an assertion is about, as an engine gathers them.
func (n *network) copies(a graph.Assertion) []*graph.Component {
	var copies []*graph.Component
	for _, key := range []graph.NodeKey{a.A.Key, a.B.Key} {
		if c := n.root(key); c != nil && !slices.ContainsFunc(copies, func(o *graph.Component) bool { return o.Root() == c.Root() }) {
			copies = append(copies, c.Clone())
		}
	}
	return copies
}
