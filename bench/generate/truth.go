package generate

import (
	"cmp"
	"slices"
)

// Truth collects the content of a stream's events, by a union-find of its own over their identifiers. It shares no
// code with the engine that it judges.
type Truth struct {
	seed    uint64
	numbers map[ident]int32 // of the nodes
	nodes   []truthNode
	sums    []truthSum // by node: of the events whose first identifier it is
	traits  []traitRecord
	orders  []orderRecord
	events  int
}

// A truthNode is one identifier: its place in the union-find, when events named it, and who used it.
type truthNode struct {
	id          ident
	parent      int32
	first, last int64
	users       [2]uint32 // people who used it, plus one; 0 is nobody
}

type truthSum struct{ counts [eventKinds]uint32 }

// A traitRecord is a trait set by an event of a node. Of one node and trait the latest is kept.
type traitRecord struct {
	time  int64
	node  int32
	trait uint8
	value string // JSON text
}

type orderRecord struct {
	orderFact
	time int64
	node int32
}

func newTruth(seed uint64) *Truth {
	return &Truth{seed: seed, numbers: map[ident]int32{}}
}

// Events is the number of distinct events.
func (t *Truth) Events() int { return t.events }

// Identities is the number of components: the lines that WriteTruth writes.
func (t *Truth) Identities() (n int) {
	for i := range t.nodes {
		if t.nodes[i].parent == int32(i) {
			n++
		}
	}
	return n
}

// observe adds one distinct event.
func (t *Truth) observe(f *fact, line []byte) {
	t.events++
	var first int32
	for i, id := range f.ids[:f.idents] {
		n := t.node(id)
		node := &t.nodes[n]
		node.first, node.last = min(node.first, f.time), max(node.last, f.time)
		if !id.generic() {
			node.use(uint32(f.person) + 1)
		}
		if i == 0 {
			first = n
		} else {
			t.unite(first, n)
		}
	}
	t.sums[first].counts[f.kind]++
	for _, trait := range f.traits[:f.sets] {
		t.traits = append(t.traits, traitRecord{f.time, first, trait.trait, string(line[trait.from:trait.to])})
	}
	if f.order.kind != orderNone {
		t.orders = append(t.orders, orderRecord{f.order, f.time, first})
	}
}

// node is the number of an identifier, which gets one at its first event.
func (t *Truth) node(id ident) int32 {
	n, ok := t.numbers[id]
	if !ok {
		n = int32(len(t.nodes))
		t.numbers[id] = n
		t.nodes = append(t.nodes, truthNode{id: id, parent: n, first: 1<<63 - 1, last: -1 << 63})
		t.sums = append(t.sums, truthSum{})
	}
	return n
}

// use notes that a person used the identifier. Two at most do, as only pairs share; a third would be a bug of the
// generator, and would make its truth wrong without a sign.
func (n *truthNode) use(user uint32) {
	for i := range n.users {
		if n.users[i] == 0 || n.users[i] == user {
			n.users[i] = user
			return
		}
	}
	panic("generate: an identifier that three people use")
}

// root finds the component of a node. Halving the path as it goes keeps paths short without a second pass.
func (t *Truth) root(n int32) int32 {
	for t.nodes[n].parent != n {
		t.nodes[n].parent = t.nodes[t.nodes[n].parent].parent // halve the path
		n = t.nodes[n].parent
	}
	return n
}

// unite makes the older of two roots the parent: numbers say which, so the outcome is the same every time.
func (t *Truth) unite(a, b int32) {
	a, b = t.root(a), t.root(b)
	t.nodes[max(a, b)].parent = min(a, b)
}

// A component is a set of connected identifiers, as ranges of tables sorted by root.
type component struct {
	key    string // the smallest identifier
	nodes  []int32
	traits []traitRecord
	orders []orderRecord
}

// components sorts everything by component, and the components by key.
func (t *Truth) components() []component {
	nodes := make([]int32, len(t.nodes))
	for i := range nodes {
		nodes[i] = int32(i)
	}
	slices.SortFunc(nodes, func(a, b int32) int { return cmp.Or(cmp.Compare(t.root(a), t.root(b)), cmp.Compare(a, b)) })
	slices.SortFunc(t.traits, func(a, b traitRecord) int {
		return cmp.Or(cmp.Compare(t.root(a.node), t.root(b.node)), cmp.Compare(a.trait, b.trait), cmp.Compare(a.time, b.time))
	})
	slices.SortFunc(t.orders, func(a, b orderRecord) int {
		return cmp.Or(cmp.Compare(t.root(a.node), t.root(b.node)), cmp.Compare(a.number, b.number), cmp.Compare(a.time, b.time))
	})
	var all []component
	for n, i, o := 0, 0, 0; n < len(nodes); {
		root := t.root(nodes[n])
		toNode, toTrait, toOrder := n, i, o
		for toNode < len(nodes) && t.root(nodes[toNode]) == root {
			toNode++
		}
		for toTrait < len(t.traits) && t.root(t.traits[toTrait].node) == root {
			toTrait++
		}
		for toOrder < len(t.orders) && t.root(t.orders[toOrder].node) == root {
			toOrder++
		}
		c := component{nodes: nodes[n:toNode], traits: t.traits[i:toTrait], orders: t.orders[o:toOrder]}
		for _, node := range c.nodes {
			if key := t.key(node); c.key == "" || key < c.key {
				c.key = key
			}
		}
		all = append(all, c)
		n, i, o = toNode, toTrait, toOrder
	}
	slices.SortFunc(all, func(a, b component) int { return cmp.Compare(a.key, b.key) })
	return all
}

// key is a node as "namespace:value".
func (t *Truth) key(node int32) string {
	id := t.nodes[node].id
	return string(id.appendValue(append([]byte(id.namespace()), ':'), t.seed, formNormal))
}

// A purse is the sum of a component's orders, in cents.
type purse struct {
	orders, discounted int
	revenue, discount  int64
}

// purseOf folds orders. REQUIRES: they ascend by number, then time.
func purseOf(orders []orderRecord) (sum purse) {
	for len(orders) > 0 {
		n := 1
		for n < len(orders) && orders[n].number == orders[0].number {
			n++
		}
		sum.add(orders[:n])
		orders = orders[n:]
	}
	return sum
}

// add adds one order: its last totals, minus all refunds.
func (p *purse) add(said []orderRecord) {
	var totals *orderRecord
	cancelled, full, back := false, false, int64(0)
	for i := range said {
		switch said[i].kind {
		case orderCompleted, orderUpdated:
			totals = &said[i]
		case orderCancelled:
			cancelled = true
		case orderRefunded:
			full = full || said[i].full
			back += said[i].refund
		}
	}
	if totals == nil || cancelled {
		return
	}
	p.orders++
	p.revenue += totals.net
	p.discount += totals.discount
	if totals.discount > 0 || totals.coupon {
		p.discounted++
	}
	if full {
		back = totals.net
	}
	p.revenue -= min(back, totals.net)
}
