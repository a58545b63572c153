package bench

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/storage"
)

// key returns the node key of the i-th value of a class.
func key(class graph.Class, i int) graph.NodeKey {
	h := uint64(i)*0x9E3779B97F4A7C15 + uint64(class)
	return graph.MakeNodeKey(class, h^h>>29, h*0xBF58476D1CE4E5B9)
}

func ident(class graph.Class, namespace string, i int) graph.Identifier {
	return graph.Identifier{Key: key(class, i), Namespace: namespace, Value: fmt.Appendf(nil, "%s-%08d", namespace, i)}
}

// visit returns an event of a person: with the cookie alone, or also with the customer number and the address.
func visit(person, n int, known bool) *graph.Event {
	e := &graph.Event{
		ID: fmt.Appendf(nil, "message-%d-%d", person, n), Source: []byte("web"),
		Seen: key(graph.ClassCookie, person<<32|n).Lo, Type: graph.TypeTrack, Name: []byte("Product Viewed"),
		Stamp: graph.Stamp{Time: 1_700_000_000_000 + int64(n)*1000, Tie: uint64(n)},
	}
	if known {
		e.Type = graph.TypeIdentify
		e.Identifiers = append(e.Identifiers, ident(graph.ClassCustomer, "user_id", person), ident(graph.ClassContact, "email", person))
		e.Traits = []graph.Trait{{Name: []byte("plan"), Value: []byte(`"gold"`)}, {Name: []byte("city"), Value: []byte(`"Ulm"`)}}
	}
	e.Identifiers = append(e.Identifiers, ident(graph.ClassCookie, "anonymous_id", person))
	return e
}

// take hands a message to a root and fails on an error.
func take(b *testing.B, n *graph.Node, m *graph.Message, rules *graph.Rules, out *graph.Outbox) {
	out.Reset()
	if err := n.Handle(m, rules, out); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMerge joins two live identities in memory: an anonymous visitor with a history, and a customer who logs in on
// the visitor's device. It covers the whole merge: the login, the Join, the Absorb, and the joint profile. The identities of
// 256 pairs fit into the cache of a processor, those of 4,096 do not. Garbage is collected as in serve and ingest.
func BenchmarkMerge(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(storage.GCPercent))
	for _, history := range []int{1, 10, 100} {
		for _, pairs := range []int{256, 4096} {
			b.Run(fmt.Sprintf("events=%d/pairs=%d", history, pairs), func(b *testing.B) { benchmarkMerge(b, history, pairs) })
		}
	}
}

func benchmarkMerge(b *testing.B, history, pairs int) {
	rules := graph.DefaultRules()
	var out graph.Outbox
	var diff graph.Diff
	visitors, customers := make([]graph.Node, pairs), make([]graph.Node, pairs)
	visits, orders, logins := make([]*graph.Event, pairs), make([]*graph.Event, pairs), make([]*graph.Event, pairs)
	for i := range pairs {
		visits[i], logins[i], orders[i] = visit(i, 0, false), visit(i, history, true), visit(i, history+1, true)
		orders[i].Identifiers = orders[i].Identifiers[:2]
	}
	observe := func(n *graph.Node, e *graph.Event) {
		take(b, n, &graph.Message{Kind: graph.KindObserve, To: n.Key, Event: e}, rules, &out)
	}
	setUp := func() {
		for i := range pairs {
			cookie, customer := &visitors[i], &customers[i]
			*cookie, *customer = graph.Node{Key: visits[i].Route()}, graph.Node{Key: orders[i].Route()}
			first := *visits[i]
			for range history {
				observe(cookie, &first)
				first.Stamp.Time++
			}
			observe(customer, orders[i])
			cookie.Component.Close(rules, &diff)
			customer.Component.Close(rules, &diff)
		}
	}
	i := pairs
	b.ReportAllocs()
	for b.Loop() {
		if i == pairs {
			b.StopTimer()
			setUp()
			runtime.GC() // of the pairs before, which are not the merge's garbage
			i = 0
			b.StartTimer()
		}
		cookie, customer := &visitors[i], &customers[i]
		observe(customer, logins[i])
		join := out.Messages[0]
		take(b, cookie, &join, rules, &out)
		absorb := out.Messages[0]
		take(b, customer, &absorb, rules, &out)
		customer.Component.Close(rules, &diff)
		if len(diff.Merges) != 1 || len(diff.Merges[0].From) != 2 {
			b.Fatalf("no merge: %v", diff.Merges)
		}
		i++
	}
}

// BenchmarkScoring is the work of a shard for the scores of a customer: the fold of the identity, the inputs of the scores,
// and the scores.
func BenchmarkScoring(b *testing.B) {
	rules := graph.DefaultRules()
	scorer, err := score.NewScorer(score.ColdStart(), score.Terms{})
	if err != nil {
		b.Fatal(err)
	}
	for _, orders := range []int{1, 5, 50} {
		b.Run(fmt.Sprintf("orders=%d", orders), func(b *testing.B) {
			var out graph.Outbox
			root := &graph.Node{Key: visit(1, 0, true).Route()}
			for n := range orders {
				take(b, root, &graph.Message{Kind: graph.KindObserve, To: root.Key, Event: visit(1, 2*n, true)}, rules, &out)
				take(b, root, &graph.Message{Kind: graph.KindObserve, To: root.Key, Event: order(1, 2*n+1)}, rules, &out)
			}
			now := int64(1_710_000_000_000)
			b.Run("only", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					scoring, _ := root.Component.Scoring(root.Key, rules)
					customer := scoring.Customer()
					if scores := scorer.Of(&customer, now); scores.History.N == 0 {
						b.Fatal("a customer who ordered has no day with an order")
					}
				}
			})
			b.Run("profile", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					profile, _ := root.Component.Profile(root.Key, rules)
					scoring := profile.Scoring()
					customer := scoring.Customer()
					if scores := scorer.Of(&customer, now); scores.History.N == 0 {
						b.Fatal("a customer who ordered has no day with an order")
					}
				}
			})
		})
	}
}

// order returns an order of a customer.
func order(person, n int) *graph.Event {
	e := visit(person, n, true)
	e.Type, e.Name = graph.TypeTrack, []byte("Order Completed")
	e.Stamp.Time = 1_700_000_000_000 + int64(n)*60_000
	e.Order = graph.OrderChange{
		Kind: graph.OrderCompleted, Rule: graph.NetRevenue, Currency: graph.Currency{'E', 'U', 'R'}, Net: 1999 + int64(n%50)*100, Discount: int64(n%3) * 100,
		ID: fmt.Appendf(nil, "order-%d", n),
	}
	return e
}
