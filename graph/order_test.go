package graph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// network delivers messages between nodes in any order, each once: hosting has to come out right
// (H1 to H5) without any order between messages.
type network struct {
	rng     *rand.Rand
	rules   *graph.Rules
	nodes   map[graph.NodeKey]*graph.Node
	pending []graph.Message
	out     graph.Outbox
}

func (n *network) deliverOne() error {
	i := n.rng.IntN(len(n.pending))
	m := n.pending[i]
	n.pending[i] = n.pending[len(n.pending)-1]
	n.pending = n.pending[:len(n.pending)-1]
	node := n.nodes[m.To]
	if node == nil {
		node = &graph.Node{Key: m.To}
		n.nodes[m.To] = node
	}
	wasForward := !node.Parent.IsZero()
	n.out.Reset()
	if err := node.Handle(&m, n.rules, &n.out); err != nil {
		return fmt.Errorf("%s to %s: %w", m.Kind, m.To, err)
	}
	if node.Component != nil && !node.Parent.IsZero() {
		return fmt.Errorf("%s is a root and a forward", m.To)
	}
	if wasForward && node.Component != nil {
		return fmt.Errorf("H4: forward %s became a root", m.To)
	}
	if !node.Parent.IsZero() && !node.Parent.Outranks(node.Key) {
		return fmt.Errorf("H1: %s forwards to %s", node.Key, node.Parent)
	}
	n.pending = append(n.pending, n.out.Messages...)
	return nil
}

// run feeds a world in random order and returns what the roots hold once all is quiet.
func run(world oracle.World, seed uint64) (*network, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := &network{rng: rng, rules: world.Rules, nodes: make(map[graph.NodeKey]*graph.Node)}
	seen := make(map[uint64]bool)
	var inputs []graph.Message
	for i := range world.Events {
		if e := world.Events[i]; !seen[e.Seen] {
			seen[e.Seen] = true
			inputs = append(inputs, graph.Message{Kind: graph.KindObserve, To: e.Route(), Event: &e})
		}
	}
	for i := range world.Assertions {
		a := world.Assertions[i]
		inputs = append(inputs, graph.Message{Kind: graph.KindAssert, To: a.A.Key, Assertion: &a})
	}
	rng.Shuffle(len(inputs), func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
	for len(inputs) > 0 || len(n.pending) > 0 {
		if len(inputs) > 0 && (len(n.pending) == 0 || rng.IntN(3) == 0) {
			n.pending = append(n.pending, inputs[0])
			inputs = inputs[1:]
		}
		if err := n.deliverOne(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *network) profiles() []graph.Profile {
	var all []graph.Profile
	for _, node := range n.nodes {
		if node.Component != nil {
			all = append(all, node.Component.Profiles(n.rules, false)...)
		}
	}
	slices.SortFunc(all, func(a, b graph.Profile) int { return a.ID.Compare(b.ID) })
	return all
}

// checkHosting asserts H3 and H5 when all is quiet: every hosted member's forwards lead to its
// root, and the root is the highest of them.
func (n *network) checkHosting() error {
	for _, node := range n.nodes {
		if node.Component == nil {
			continue
		}
		ev := node.Component.Evidence()
		for _, m := range ev.Members {
			// Two components that each found a value generic before their Joins met both keep their
			// claim on it: it conducts nothing, and only one holds its fragment.
			if !m.Hosted || m.Generic {
				continue
			}
			if m.Key.Outranks(node.Key) {
				return fmt.Errorf("H5: %s hosts %s, which outranks it", node.Key, m.Key)
			}
			at := n.nodes[m.Key]
			for at != nil && at.Component == nil {
				at = n.nodes[at.Parent]
			}
			if at != node {
				return fmt.Errorf("H3: %s is a member at %s and leads elsewhere", m.Key, node.Key)
			}
		}
	}
	return nil
}

func TestSameEventsSamePeople(t *testing.T) {
	seeds := uint64(20000)
	if testing.Short() {
		seeds = 1000
	}
	sameEventsSamePeople(t, seeds)
}

// The separate path of large components yields the same people.
func TestSameEventsSamePeopleInLargeComponents(t *testing.T) {
	seeds := uint64(10000)
	if testing.Short() {
		seeds = 1000
	}
	for overlay := range 3 {
		t.Run(fmt.Sprintf("overlay=%d", overlay), func(t *testing.T) {
			defer graph.SetLarge(1+overlay, 2+overlay, overlay)()
			sameEventsSamePeople(t, seeds)
		})
	}
}

func sameEventsSamePeople(t *testing.T, seeds uint64) {
	for seed := range seeds {
		world := oracle.RandomWorld(rand.New(rand.NewPCG(seed, 0)))
		want := oracle.Dump(oracle.Profiles(world.Events, world.Assertions, world.Rules))
		for order := range uint64(3) {
			n, err := run(world, seed*3+order)
			if err != nil {
				t.Fatalf("seed %d, order %d: %v", seed, order, err)
			}
			if got := oracle.Dump(n.profiles()); got != want {
				t.Fatalf("seed %d, order %d:\n%s", seed, order, oracle.Diff(want, got))
			}
			if err := n.checkHosting(); err != nil {
				t.Fatalf("seed %d, order %d: %v", seed, order, err)
			}
		}
	}
}

func TestCases(t *testing.T) {
	for _, c := range oracle.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			for seed := range uint64(200) {
				n, err := run(c.World(), seed)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Check(n.profiles()); err != nil {
					t.Fatalf("order %d: %v", seed, err)
				}
			}
		})
	}
}
