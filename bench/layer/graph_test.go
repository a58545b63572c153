package layer

import (
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// key returns the node key of the i-th value of a class.
func key(class graph.Class, i int) graph.NodeKey {
	h := uint64(i)*0x9E3779B97F4A7C15 + uint64(class)
	return graph.MakeNodeKey(class, h^h>>29, h*0xBF58476D1CE4E5B9)
}

func customer(i int) graph.Identifier {
	return graph.Identifier{Key: key(graph.ClassCustomer, i), Namespace: "user_id", Value: fmt.Appendf(nil, "user-%08d", i)}
}

func cookie(i int) graph.Identifier {
	return graph.Identifier{Key: key(graph.ClassCookie, i), Namespace: "anonymous_id", Value: fmt.Appendf(nil, "cookie-%08d", i)}
}

// seen returns an event of identifiers, the first of which is its route.
func seen(n int, identifiers ...graph.Identifier) *graph.Event {
	return &graph.Event{
		ID: fmt.Appendf(nil, "message-%08d", n), Source: []byte("web"), Seen: key(graph.ClassCookie, n).Lo, Type: graph.TypeTrack,
		Name: []byte("Product Viewed"), Stamp: graph.Stamp{Time: 1_700_000_000_000 + int64(n)*1000, Tie: uint64(n)}, Identifiers: identifiers,
	}
}

// login returns an identify call by which a customer is known on a device.
func login(n, person int) *graph.Event {
	e := seen(n, customer(person), cookie(person))
	e.Type, e.Name = graph.TypeIdentify, nil
	e.Traits = []graph.Trait{{Name: []byte("plan"), Value: []byte(`"gold"`)}, {Name: []byte("city"), Value: []byte(`"Ulm"`)}}
	return e
}

// A desk hands messages to nodes, and keeps the memory that this takes.
type desk struct {
	b     *testing.B
	rules *graph.Rules
	diff  graph.Diff
}

func newDesk(b *testing.B) *desk { return &desk{b: b, rules: graph.DefaultRules()} }

func (d *desk) hand(n *graph.Node, m *graph.Message, out *graph.Outbox) {
	out.Reset()
	if err := n.Handle(m, d.rules, out); err != nil {
		d.b.Fatal(err)
	}
}

// observe lets a node take events, and ends the step.
func (d *desk) observe(n *graph.Node, out *graph.Outbox, events ...*graph.Event) {
	for _, e := range events {
		d.hand(n, &graph.Message{Kind: graph.KindObserve, To: n.Key, Event: e}, out)
	}
	n.Component.Close(d.rules, &d.diff)
}

// fold takes an event of a known identity: only the event itself is new. Known ones name the customer and the device.
func fold(b *testing.B, known bool) {
	d, out := newDesk(b), graph.Outbox{}
	e := seen(0, cookie(1))
	if known {
		e = login(0, 1)
	}
	n := &graph.Node{Key: e.Route()}
	d.observe(n, &out, e)
	m := graph.Message{Kind: graph.KindObserve, To: n.Key, Event: e}
	w := startWatch(b)
	for b.Loop() {
		e.Stamp.Time++
		e.Stamp.Tie++
		d.hand(n, &m, &out)
	}
	w.stop()
}

// union joins a visitor's node and a customer's, of two events each: the customer logs in on the visitor's device.
func union(b *testing.B) {
	const pairs = 1024
	d, out, parts := newDesk(b), graph.Outbox{}, graph.Outbox{}
	visitors, customers, logins := make([]graph.Node, pairs), make([]graph.Node, pairs), make([]*graph.Event, pairs)
	visits, orders := make([]*graph.Event, pairs), make([]*graph.Event, pairs)
	for i := range pairs {
		visits[i], orders[i], logins[i] = seen(1, cookie(i)), seen(2, customer(i)), login(3, i)
	}
	setUp := func() {
		for i := range pairs {
			visitors[i], customers[i] = graph.Node{Key: visits[i].Route()}, graph.Node{Key: orders[i].Route()}
			d.observe(&visitors[i], &out, visits[i], visits[i])
			d.observe(&customers[i], &out, orders[i], orders[i])
		}
	}
	setUp()
	i, m := 0, graph.Message{Kind: graph.KindObserve}
	w := startWatch(b)
	for b.Loop() {
		if i == pairs {
			w.without(setUp)
			i = 0
		}
		visitor, customer := &visitors[i], &customers[i]
		m.To, m.Event = customer.Key, logins[i]
		d.hand(customer, &m, &out)
		d.hand(visitor, &out.Messages[0], &parts) // the Join
		d.hand(customer, &parts.Messages[0], &out)
		customer.Component.Close(d.rules, &d.diff)
		if len(d.diff.Merges) != 1 {
			b.Fatalf("%d merges, want 1", len(d.diff.Merges))
		}
		i++
	}
	w.stop()
}

// absorb brings a customer's component of n identifiers under the node of another customer, by a Join.
func absorb(b *testing.B, n int) {
	d, out, parts := newDesk(b), graph.Outbox{}, graph.Outbox{}
	top := graph.Identifier{Key: graph.MakeNodeKey(graph.ClassCustomer, ^uint64(0), 1), Namespace: "user_id", Value: []byte("top")}
	lower, upper := &graph.Node{Key: customer(0).Key}, &graph.Node{Key: top.Key}
	for i := 1; i < n; i++ {
		d.observe(lower, &out, seen(i, customer(0), cookie(i)))
	}
	d.observe(upper, &out, seen(n, top))
	pool := make([]struct{ lower, upper graph.Node }, max(32, 4096/n))
	setUp := func() {
		for i := range pool {
			pool[i].lower = graph.Node{Key: lower.Key, Component: lower.Component.Clone()}
			pool[i].upper = graph.Node{Key: upper.Key, Component: upper.Component.Clone()}
		}
	}
	setUp()
	i, m := 0, graph.Message{Kind: graph.KindJoin, To: lower.Key, Root: top.Key}
	w := startWatch(b)
	for b.Loop() {
		if i == len(pool) {
			w.without(setUp)
			i = 0
		}
		p := &pool[i]
		d.hand(&p.lower, &m, &parts)
		for k := range parts.Messages {
			d.hand(&p.upper, &parts.Messages[k], &out)
		}
		p.upper.Component.Close(d.rules, &d.diff)
		if p.lower.Component != nil {
			b.Fatal("the component did not go")
		}
		i++
	}
	w.stop()
}

// resolve divides the component of one customer with many cookies anew. With a broken limit every fourth cookie is one that
// another customer uses, so that links must be refused.
func resolve(b *testing.B, links int, broken bool) {
	d, out := newDesk(b), graph.Outbox{}
	rules := *d.rules
	rules.GenericCustomers, rules.GenericNeighbours = 0, 0
	d.rules = &rules
	root := &graph.Node{Key: customer(0).Key}
	for i := range links {
		e := seen(i, customer(0), cookie(i))
		if broken && i%4 == 3 {
			e.Identifiers = []graph.Identifier{customer(i), cookie(i - 1)}
		}
		d.hand(root, &graph.Message{Kind: graph.KindObserve, To: root.Key, Event: e}, &out)
	}
	want := root.Component.Identities(&rules)
	if (want > 1) != broken {
		b.Fatalf("%d identities", want)
	}
	w := startWatch(b)
	for b.Loop() {
		rules.Version++ // so that the cached division is not used
		if n := root.Component.Identities(&rules); n != want {
			b.Fatalf("%d identities, want %d", n, want)
		}
	}
	w.stop()
}
