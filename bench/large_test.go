package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/graph"
)

// The cost of large components (docs/decisions/0015): go test -run '^$' -bench Large ./bench
var (
	largeSizes  = []int{100, 1_000, 10_000, 100_000}
	largeShapes = []string{"chain", "star", "mesh"}
)

// largeEvents links n identifiers: a chain of people who share devices, one customer with many cookies, or people who each
// share with three others.
func largeEvents(shape string, n int) []graph.Event {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	key := func(class graph.Class, i int) graph.NodeKey {
		h := uint64(i)*0x9e3779b97f4a7c15 + 0xabcdef
		h ^= h >> 29
		return graph.MakeNodeKey(class, h*0xbf58476d1ce4e5b9, h*0x94d049bb133111eb^h>>17)
	}
	node := func(i int) graph.Identifier {
		class, namespace := graph.ClassCookie, "anonymous_id"
		switch {
		case shape == "star" && i == 0, shape != "star" && i%2 == 0:
			class, namespace = graph.ClassCustomer, "user_id"
		}
		return graph.Identifier{Key: key(class, i), Namespace: namespace, Value: fmt.Append(nil, "value-", i)}
	}
	var events []graph.Event
	link := func(i, j int) {
		a, b := node(i), node(j)
		if b.Key.Outranks(a.Key) {
			a, b = b, a
		}
		at := int64(len(events))*1000 + 1_700_000_000_000
		events = append(events, graph.Event{
			ID: fmt.Append(nil, "event-", len(events)), Source: []byte("web"), Type: graph.TypeTrack,
			Stamp: graph.Stamp{Time: at, Tie: uint64(len(events))}, Identifiers: []graph.Identifier{a, b},
		})
	}
	for i := 1; i < n; i++ {
		switch shape {
		case "chain":
			link(i-1, i)
		case "star":
			link(0, i)
		case "mesh":
			link(i&^1, i|1)
			if i%2 == 1 {
				for range 3 {
					link(2*rng.IntN(n/2), i)
				}
			}
		}
	}
	return events
}

// largeNode returns a root that hosts the identifiers of the events, as if it had claimed all of them.
func largeNode(b *testing.B, events []graph.Event, rules *graph.Rules) *graph.Node {
	b.Helper()
	root := events[0].Identifiers[0].Key
	for i := range events {
		if k := events[i].Identifiers[0].Key; k.Outranks(root) {
			root = k
		}
	}
	n := &graph.Node{Key: root}
	var out graph.Outbox
	var diff graph.Diff
	for i := range events {
		largeHandle(b, n, &graph.Message{Kind: graph.KindObserve, To: root, Event: &events[i]}, rules, &out)
	}
	n.Component.Close(rules, &diff)
	return n
}

func largeHandle(b *testing.B, n *graph.Node, m *graph.Message, rules *graph.Rules, out *graph.Outbox) {
	out.Reset()
	if err := n.Handle(m, rules, out); err != nil {
		b.Fatal(err)
	}
}

// curve runs fn for each shape and size, under rules that divide a component (default, without generic values) and rules
// that do not.
func curve(b *testing.B, fn func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules)) {
	divide := graph.DefaultRules()
	divide.GenericCustomers, divide.GenericNeighbours = 0, 0
	for _, shape := range largeShapes {
		for _, size := range largeSizes {
			b.Run(fmt.Sprintf("%s/n=%d", shape, size), func(b *testing.B) {
				rules := *divide
				rules.MaxMembers, rules.MaxLinks = 1<<30, 1<<30
				events := largeEvents(shape, size)
				node := largeNode(b, events, &rules)
				before := trial.ProcessorTime()
				fn(b, node, events, &rules)
				b.ReportMetric(float64(trial.ProcessorTime()-before)/float64(max(1, b.N)), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkLargeObserve takes an event that adds no link and is the newest, cycling through 32 links.
func BenchmarkLargeObserve(b *testing.B) {
	curve(b, func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules) {
		var out graph.Outbox
		var again []graph.Event
		for i := range 32 {
			e := events[i*(len(events)-1)/31]
			e.Stamp.Time += 1 << 40
			again = append(again, e)
		}
		m := graph.Message{Kind: graph.KindObserve, To: n.Key}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			m.Event = &again[i%len(again)]
			m.Event.Stamp.Time++
			largeHandle(b, n, &m, rules, &out)
			i++
		}
	})
}

// BenchmarkLargeBatch is a commit with 50 events, each with an earlier first sight of a link or with a new member. The
// commit divides the component anew, once.
func BenchmarkLargeBatch(b *testing.B) {
	for _, what := range []string{"earlier", "new"} {
		b.Run(what, func(b *testing.B) {
			curve(b, func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules) {
				var out graph.Outbox
				var diff graph.Diff
				rng := rand.New(rand.NewPCG(3, 3))
				number, before := 0, int64(1_600_000_000_000)
				b.ReportAllocs()
				for b.Loop() {
					for range 50 {
						e := events[rng.IntN(len(events))]
						number++
						if what == "earlier" {
							before--
							e.Stamp.Time = before
						} else {
							e.Identifiers = []graph.Identifier{e.Identifiers[0], {
								Key:       graph.MakeNodeKey(graph.ClassCookie, rng.Uint64(), rng.Uint64()),
								Namespace: "anonymous_id", Value: fmt.Append(nil, "new-", number),
							}}
						}
						largeHandle(b, n, &graph.Message{Kind: graph.KindObserve, To: n.Key, Event: &e}, rules, &out)
					}
					n.Component.Close(rules, &diff)
					n.Component.Identities(rules)
				}
			})
		})
	}
}

// BenchmarkLargeResolve divides a component anew, as a commit or a read does after a change.
func BenchmarkLargeResolve(b *testing.B) {
	curve(b, func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules) {
		b.ReportAllocs()
		for b.Loop() {
			rules.Version++
			n.Component.Identities(rules)
		}
	})
}

// BenchmarkLargeJoin adds the evidence of a visitor to a component, and closes the step.
func BenchmarkLargeJoin(b *testing.B) {
	curve(b, func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules) {
		var out graph.Outbox
		var diff graph.Diff
		rng := rand.New(rand.NewPCG(5, 5))
		for b.Loop() {
			key := graph.MakeNodeKey(graph.ClassCookie, rng.Uint64(), rng.Uint64())
			ev := &graph.Evidence{
				Members: []graph.Member{{
					NodeName: graph.NodeName{Key: key, Namespace: "anonymous_id", Value: "joined"}, Hosted: true, Here: true,
					Fragment: &graph.Fragment{Events: 1},
				}},
			}
			largeHandle(b, n, &graph.Message{Kind: graph.KindAbsorb, To: n.Key, Evidence: ev}, rules, &out)
			n.Component.Close(rules, &diff)
		}
	})
}

// BenchmarkLargeAbsorb hands a whole component to another root, in parts.
func BenchmarkLargeAbsorb(b *testing.B) {
	curve(b, func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules) {
		var out, parts graph.Outbox
		var diff graph.Diff
		top := graph.MakeNodeKey(graph.ClassCustomer, ^uint64(0), ^uint64(0)) // above every key, so the other root joins it
		for b.Loop() {
			b.StopTimer()
			leaving := &graph.Node{Key: n.Key, Component: n.Component.Clone()}
			upper := &graph.Node{Key: top}
			first := graph.Event{Identifiers: []graph.Identifier{{Key: top, Namespace: "user_id", Value: []byte("top")}}, Type: graph.TypeTrack}
			largeHandle(b, upper, &graph.Message{Kind: graph.KindObserve, To: top, Event: &first}, rules, &out)
			b.StartTimer()
			largeHandle(b, leaving, &graph.Message{Kind: graph.KindJoin, To: n.Key, Root: top}, rules, &parts)
			for i := range parts.Messages {
				largeHandle(b, upper, &parts.Messages[i], rules, &out)
			}
			upper.Component.Close(rules, &diff)
		}
	})
}

// BenchmarkLargeRead reads a profile of a component that has not changed since it was divided.
func BenchmarkLargeRead(b *testing.B) {
	curve(b, func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules) {
		key := events[len(events)/2].Identifiers[0].Key
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := n.Component.Profile(key, rules); !ok {
				b.Fatal("not found")
			}
		}
	})
}

// BenchmarkLargeWhy explains two identifiers at opposite ends of a component.
func BenchmarkLargeWhy(b *testing.B) {
	curve(b, func(b *testing.B, n *graph.Node, events []graph.Event, rules *graph.Rules) {
		from, to := events[0].Identifiers[0].Key, events[len(events)-1].Identifiers[1].Key
		for b.Loop() {
			if _, ok := n.Component.Why(from, to, rules); !ok {
				b.Fatal("not found")
			}
		}
	})
}
