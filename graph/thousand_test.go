package graph_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// One component of 1,618 identifiers, in which cookies went from hand to hand, is divided into the same people in
// whatever order its events come: where a component of 1,000 hosted nothing new, it was not.
func TestSameEventsSamePeopleAboveAThousand(t *testing.T) {
	rng := rand.New(rand.NewPCG(1618, 0))
	const people = 809
	world := oracle.World{}
	see := func(number int, names ...graph.NodeName) {
		at := 1_700_000_000_000 + 1000*rng.Int64N(100_000)
		e := graph.Event{
			ID: fmt.Append(nil, "m", number), Source: []byte("web"), Seen: uint64(number) + 1, Type: graph.TypeTrack,
			Stamp: graph.Stamp{Time: at, Tie: rng.Uint64()},
		}
		if number%3 == 0 {
			e.Type = graph.TypeIdentify
		}
		if names[1].Key.Outranks(names[0].Key) {
			names[0], names[1] = names[1], names[0]
		}
		for _, n := range names {
			e.Identifiers = append(e.Identifiers, graph.Identifier{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)})
		}
		world.Events = append(world.Events, e)
	}
	user := func(i int) graph.NodeName { return oracle.Name("user_id", fmt.Sprint("u", i%people)) }
	cookie := func(i int) graph.NodeName { return oracle.Name("anonymous_id", fmt.Sprint("a", i%people)) }
	for i := range people {
		see(4*i, user(i), cookie(i))
		see(4*i+1, user(i+1), cookie(i)) // the next one takes it over
		see(4*i+2, user(rng.IntN(people)), cookie(i))
		see(4*i+3, cookie(rng.IntN(people)), cookie(i+7))
	}
	for i := len(world.Events) - 1; i >= 0; i-- { // a cookie seen with itself is no link
		if ids := world.Events[i].Identifiers; ids[0].Key == ids[1].Key {
			world.Events = append(world.Events[:i], world.Events[i+1:]...)
		}
	}
	for _, precedence := range []graph.Precedence{graph.KeepFirst, graph.LatestWins} {
		for _, most := range []int{0, 3, 50} {
			rules := graph.DefaultRules()
			rules.Precedence, rules.MaxIdentity, rules.Version = precedence, most, uint64(most)+uint64(precedence)
			if most == 50 { // nothing but the cap divides
				rules.Limits = nil
			}
			world.Rules = rules
			want := oracle.Dump(oracle.Profiles(world.Events, nil, rules))
			for order := range uint64(2) {
				n, err := run(world, order)
				if err != nil {
					t.Fatal(err)
				}
				if got := oracle.Dump(n.profiles()); got != want {
					t.Fatalf("precedence %d, cap %d, order %d:\n%.2000s", precedence, most, order, oracle.Diff(want, got))
				}
				largest := 0
				for _, node := range n.nodes {
					if node.Component != nil {
						largest = max(largest, len(node.Component.Evidence().Members))
					}
				}
				if largest != 2*people {
					t.Fatalf("the largest component has %d identifiers, want %d", largest, 2*people)
				}
			}
		}
	}
}
