package row

import (
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"pgregory.net/rapid"
)

// world runs nodes without shards. Coded, every message and every node goes through its encoding at
// every step, as if each node were passivated at once.
type world struct {
	coded bool
	enc   *Encoder
	dec   *Decoder
	rules *graph.Rules
	nodes map[graph.NodeKey]*graph.Node
	rows  map[graph.NodeKey][]byte
}

func (w *world) run(t *rapid.T, m graph.Message) {
	queue := []graph.Message{m}
	for len(queue) > 0 {
		m, queue = queue[0], queue[1:]
		n := w.node(t, m.To)
		if w.coded {
			decoded, err := w.dec.Message(w.enc.Message(nil, &m))
			if err != nil {
				t.Fatalf("%s message: %v", m.Kind, err)
			}
			m = *decoded
		}
		var out graph.Outbox
		if err := n.Handle(&m, w.rules, &out); err != nil {
			t.Fatalf("%s message: %v", m.Kind, err)
		}
		w.nodes[n.Key] = n
		w.rows[n.Key] = w.enc.Node(nil, n, 1)
		queue = append(queue, out.Messages...)
	}
}

func (w *world) node(t *rapid.T, key graph.NodeKey) *graph.Node {
	if w.coded && w.rows[key] != nil {
		n, _, err := w.dec.Node(key, w.rows[key])
		if err != nil {
			t.Fatalf("node: %v", err)
		}
		return n
	}
	if n := w.nodes[key]; n != nil {
		return n
	}
	return &graph.Node{Key: key}
}

// Whatever the graph makes of events and assertions, decoders accept it, and a history that is
// encoded at every step ends in the same rows as one that never is.
func TestCodecGraph(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rules := graph.DefaultRules()
		rules.GenericCustomers, rules.GenericNeighbours = 2, 4
		rules.MaxMembers, rules.MaxLinks = rapid.IntRange(3, 8).Draw(rt, "members"), 12
		worlds := [2]*world{}
		for i := range worlds {
			worlds[i] = &world{i == 1, NewEncoder(), NewDecoder(), rules, map[graph.NodeKey]*graph.Node{}, map[graph.NodeKey][]byte{}}
		}
		namespaces := []string{"", "anonymous_id", "device_id", "email", "user_id"}
		var names []graph.NodeName // in descending rank
		for class := graph.ClassCustomer; class >= graph.ClassCookie; class-- {
			for i := range 4 {
				names = append(names, graph.NodeName{Key: graph.MakeNodeKey(class, 0, uint64(9-i)), Namespace: namespaces[class], Value: fmt.Sprint(i)})
			}
		}
		for step := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			if rapid.IntRange(0, 5).Draw(rt, "assert") == 0 {
				a, b := drawPair(rt, names)
				assertion := graph.Assertion{
					Verb: graph.AssertionVerb(rapid.IntRange(1, int(graph.AssertForget)).Draw(rt, "verb")),
					A:    a, B: b, At: int64(step), ID: fmt.Sprint(step), Withdrawn: rapid.Bool().Draw(rt, "withdrawn"),
				}
				if assertion.Verb == graph.AssertForget {
					assertion.B = graph.NodeName{}
				}
				for _, w := range worlds {
					its := assertion
					w.run(rt, graph.Message{Kind: graph.KindAssert, To: a.Key, Assertion: &its})
				}
				continue
			}
			ev := drawEvent(rt, step, names)
			for _, w := range worlds {
				its := *ev
				w.run(rt, graph.Message{Kind: graph.KindObserve, To: ev.Route(), Event: &its})
			}
		}
		plain, coded := worlds[0].rows, worlds[1].rows
		for key, row := range plain {
			if string(row) != string(coded[key]) {
				rt.Fatalf("node %s\n%x\ncoded\n%x", key, row, coded[key])
			}
		}
		if len(plain) != len(coded) {
			rt.Fatalf("%d nodes, coded %d", len(plain), len(coded))
		}
	})
}

// drawPair draws two names, the upper first.
func drawPair(t *rapid.T, names []graph.NodeName) (a, b graph.NodeName) {
	i := rapid.IntRange(0, len(names)-2).Draw(t, "a")
	return names[i], names[rapid.IntRange(i+1, len(names)-1).Draw(t, "b")]
}

func drawEvent(t *rapid.T, step int, names []graph.NodeName) *graph.Event {
	ev := &graph.Event{
		ID: fmt.Append(nil, "m", step), Source: []byte("s"), Seen: uint64(step), Received: int64(step),
		Stamp: graph.Stamp{Time: rapid.Int64Range(0, 20).Draw(t, "time"), Tie: uint64(step)},
		Type:  graph.EventType(rapid.IntRange(1, graph.EventTypes-1).Draw(t, "type")),
	}
	from := 0
	for range rapid.IntRange(1, 3).Draw(t, "identifiers") {
		if from == len(names) {
			break
		}
		i := rapid.IntRange(from, len(names)-1).Draw(t, "identifier")
		ev.Identifiers = append(ev.Identifiers, graph.Identifier{Key: names[i].Key, Namespace: names[i].Namespace, Value: []byte(names[i].Value)})
		from = i + 1
	}
	for range rapid.IntRange(0, 2).Draw(t, "traits") {
		trait := graph.Trait{Name: []byte(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "trait"))}
		if rapid.Bool().Draw(t, "set") {
			trait.Value = fmt.Append(nil, step)
		}
		ev.Traits = append(ev.Traits, trait)
	}
	if kind := graph.OrderKind(rapid.IntRange(0, int(graph.OrderRefunded)).Draw(t, "order")); kind != graph.OrderNone {
		ev.Order = graph.OrderChange{
			Kind: kind, Currency: graph.Currency{'E', 'U', 'R'}, Net: int64(step), Rule: graph.NetRevenue,
			ID: []byte(rapid.SampledFrom([]string{"o1", "o2"}).Draw(t, "order id")),
		}
		if kind == graph.OrderRefunded {
			ev.Order.Refund = graph.RefundChange{Kind: graph.RefundAmount, Amount: int64(step), Key: uint64(step % 3)}
		}
	}
	if signal := score.OfferSignal(rapid.IntRange(0, int(score.OfferWithdrawn)).Draw(t, "signal")); signal != score.OfferNone {
		ev.Offer = graph.OfferNotice{Signal: signal, ID: []byte(rapid.SampledFrom([]string{"f1", "f2"}).Draw(t, "offer id")), Until: int64(step)}
	}
	ev.Interest.Kind = graph.InterestKind(rapid.IntRange(0, int(graph.InterestBought)).Draw(t, "interest"))
	if ev.Interest.Kind != graph.InterestNone {
		ev.Interest.Categories = [][]byte{[]byte(rapid.SampledFrom([]string{"c1", "c2", "c3"}).Draw(t, "category"))}
	}
	return ev
}
