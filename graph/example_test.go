package graph_test

import (
	"fmt"
	"log"

	"github.com/kindred-id/kindred/graph"
)

// Nodes come together by messages, with no lock and no answer to wait for. A visitor becomes the root of a component; a
// customer logs in with the visitor's cookie, and asks for it with a Join; the cookie, of lower rank, becomes a forward and
// hands its evidence on in an Absorb.
func ExampleNode_Handle() {
	cookie := graph.Identifier{Key: graph.MakeNodeKey(graph.ClassCookie, 1, 1), Namespace: "anonymous_id", Value: []byte("3f1c")}
	customer := graph.Identifier{Key: graph.MakeNodeKey(graph.ClassCustomer, 2, 2), Namespace: "user_id", Value: []byte("42")}
	visit := graph.Event{ID: []byte("m1"), Type: graph.TypePage, Identifiers: []graph.Identifier{cookie}}
	login := graph.Event{ID: []byte("m2"), Type: graph.TypeIdentify, Identifiers: []graph.Identifier{customer, cookie}} // by rank

	rules := &graph.Rules{MaxMembers: 100, MaxLinks: 1000}
	nodes := map[graph.NodeKey]*graph.Node{cookie.Key: {Key: cookie.Key}, customer.Key: {Key: customer.Key}}
	names := map[graph.NodeKey]string{cookie.Key: "cookie", customer.Key: "customer"}
	messages := []graph.Message{
		{Kind: graph.KindObserve, To: visit.Route(), Event: &visit},
		{Kind: graph.KindObserve, To: login.Route(), Event: &login},
	}
	for len(messages) > 0 {
		m := messages[0]
		messages = messages[1:]
		var out graph.Outbox
		if err := nodes[m.To].Handle(&m, rules, &out); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s takes %s and sends %d\n", names[m.To], m.Kind, len(out.Messages))
		messages = append(messages, out.Messages...)
	}

	fmt.Println("the cookie is a forward to the", names[nodes[cookie.Key].Parent])
	for _, p := range nodes[customer.Key].Component.Profiles(rules, false) {
		fmt.Printf("one person: identifiers %d, events %d\n", len(p.Identifiers), p.Events)
	}

	// Output:
	// cookie takes observe and sends 0
	// customer takes observe and sends 1
	// cookie takes join and sends 1
	// customer takes absorb and sends 0
	// the cookie is a forward to the customer
	// one person: identifiers 2, events 2
}
