package replay

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
)

// people is an identity graph in memory. It holds every node with its record, and delivers messages at once, in order.
type people struct {
	rules   graph.Rules
	nodes   map[graph.NodeKey]*graph.Node
	seen    map[messageID]struct{}
	pending []graph.Message
	out     graph.Outbox
}

// messageID names an event by its content, so that a repeated row is a duplicate.
type messageID [16]byte

// namespace is the namespace of the profiles of a stream.
const namespace = "profile"

// newPeople returns an empty graph without limits: merges are stated by the stream, and every person has as many
// profiles as it says.
func newPeople() *people {
	return &people{
		// The merges of a stream are authoritative, so no rule limits them.
		rules: graph.Rules{Name: "replay", Version: 1, MaxMembers: math.MaxInt, MaxLinks: math.MaxInt},
		nodes: make(map[graph.NodeKey]*graph.Node),
		seen:  make(map[messageID]struct{}),
	}
}

// name returns the node of a profile. All profiles have the same class, so their ranks are effectively random.
func name(profile string) graph.NodeName {
	hash := sha256.Sum256([]byte(profile))
	return graph.NodeName{
		Key:       graph.MakeNodeKey(graph.ClassCustomer, binary.BigEndian.Uint64(hash[:]), binary.BigEndian.Uint64(hash[8:])),
		Namespace: namespace, Value: profile,
	}
}

// observe folds an order, an offer or a redemption.
func (p *people) observe(r *row) error {
	id := r.messageID()
	if _, again := p.seen[id]; again {
		return nil
	}
	p.seen[id] = struct{}{}
	node := name(r.profile)
	e := graph.Event{
		ID: id[:], Seen: binary.BigEndian.Uint64(id[:]), Received: r.at, Type: graph.TypeTrack,
		Stamp:       graph.Stamp{Time: r.at, Tie: identifier.Tie(id[:], 0)},
		Identifiers: []graph.Identifier{{Key: node.Key, Namespace: node.Namespace, Value: []byte(node.Value)}},
	}
	switch r.kind {
	case kindOrder:
		e.Order = graph.OrderChange{
			Kind: graph.OrderCompleted, Rule: graph.NetTotal, Currency: currency,
			ID: []byte(r.order), Net: r.gross - r.discount, Discount: r.discount,
		}
		if r.coupon > 0 {
			e.Order.Coupon = couponCode
		}
	case kindOffer:
		e.Offer = graph.OfferNotice{Signal: score.OfferSent, ID: []byte(r.ref), Class: []byte(r.class), Until: r.until}
	case kindRedeem:
		e.Offer = graph.OfferNotice{Signal: score.OfferRedeemed, ID: []byte(r.ref)}
	}
	return p.deliver(graph.Message{Kind: graph.KindObserve, To: node.Key, Event: &e})
}

var (
	currency = graph.Currency{'X', 'X', 'X'} // ISO 4217 for no particular currency, with two decimals here
	// couponCode stands for the coupon of an order, since a stream does not name its code. No score depends on the coupon's
	// share of the discount.
	couponCode = []byte("coupon")
)

// messageID hashes the whole content of the row.
func (r *row) messageID() messageID {
	h := sha256.New()
	for _, text := range []string{r.kind, r.profile, r.order, r.ref, r.class} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(text)))
		h.Write([]byte(text))
	}
	_ = binary.Write(h, binary.BigEndian, []int64{r.at, r.gross, r.discount, r.coupon, r.until})
	return messageID(h.Sum(nil)[:16])
}

// merge makes two profiles one person.
func (p *people) merge(r *row) error {
	a, b := name(r.profile), name(r.ref)
	if a.Key == b.Key {
		return nil
	}
	if b.Key.Outranks(a.Key) {
		a, b = b, a
	}
	force := graph.Assertion{Verb: graph.AssertForce, A: a, B: b, At: r.at, ID: a.Value + " " + b.Value, By: "stream"}
	return p.deliver(graph.Message{Kind: graph.KindAssert, To: a.Key, Assertion: &force})
}

// deliver hands a message to its node, and then all messages that follow from it.
func (p *people) deliver(m graph.Message) error {
	p.pending = append(p.pending[:0], m)
	for i := 0; i < len(p.pending); i++ {
		m := p.pending[i]
		node := p.nodes[m.To]
		if node == nil {
			node = &graph.Node{Key: m.To}
			p.nodes[m.To] = node
		}
		p.out.Reset()
		if err := node.Handle(&m, &p.rules, &p.out); err != nil {
			return fmt.Errorf("%s to a node: %w", m.Kind, err)
		}
		p.pending = append(p.pending, p.out.Messages...)
	}
	return nil
}

// customer returns the current inputs of the scores of the person with a profile.
func (p *people) customer(profile string) score.Customer {
	key := name(profile).Key
	node := p.nodes[key]
	for node != nil && node.Component == nil && !node.Parent.IsZero() {
		node = p.nodes[node.Parent]
	}
	if node == nil || node.Component == nil {
		return score.Customer{Prices: score.NewPriceLedger(0, nil, nil)}
	}
	person, _ := node.Component.Profile(key, &p.rules)
	scoring := person.Scoring()
	return scoring.Customer()
}

// each visits every person with an event, in no particular order.
func (p *people) each(show func(*score.Customer)) {
	for _, node := range p.nodes {
		if node.Component == nil {
			continue
		}
		persons := node.Component.Profiles(&p.rules, false)
		for i := range persons {
			scoring := persons[i].Scoring()
			customer := scoring.Customer()
			show(&customer)
		}
	}
}
