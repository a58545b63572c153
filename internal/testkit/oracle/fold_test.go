package oracle

import (
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
)

// at returns an event with a message id and identifiers, which are in descending rank.
func at(minute int64, id string, names ...graph.NodeName) graph.Event {
	e := newEvent("web", id, worldStart+minute*time.Minute.Milliseconds(), 0)
	for _, n := range names {
		e.Identifiers = append(e.Identifiers, graph.Identifier{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)})
	}
	return e
}

var (
	u1, u2 = Name("user_id", "u1"), Name("user_id", "u2")
	e1     = Name("email", "e1")
	a1     = Name("anonymous_id", "a1")
	eur    = graph.Currency{'E', 'U', 'R'}
	usd    = graph.Currency{'U', 'S', 'D'}
)

func withOrder(e graph.Event, o graph.OrderChange) graph.Event {
	e.Order = o
	return e
}

// refunded returns a refund of an amount in the order's currency, or of everything if the amount is below zero.
func refunded(id string, amount int64) graph.OrderChange {
	c := graph.OrderChange{Kind: graph.OrderRefunded, ID: []byte(id), Refund: graph.RefundChange{Kind: graph.RefundAmount, Amount: amount}}
	if amount < 0 {
		c.Refund = graph.RefundChange{Kind: graph.RefundFull}
	}
	return c
}

func withTrait(e graph.Event, name, value string) graph.Event {
	t := graph.Trait{Name: []byte(name)}
	if value != "" {
		t.Value = []byte(value)
	}
	e.Traits = append(e.Traits, t)
	return e
}

// one returns the only profile of the events under the default rules.
func one(t *testing.T, events ...graph.Event) graph.Profile {
	t.Helper()
	ps := Profiles(events, nil, graph.DefaultRules())
	if len(ps) != 1 {
		t.Fatalf("%d profiles, want 1:\n%s", len(ps), Dump(ps))
	}
	return ps[0]
}

// body is a dump without its first line, which is the id.
func body(p graph.Profile) string {
	_, rest, _ := strings.Cut(Dump([]graph.Profile{p}), "\n")
	return rest
}

func want(t *testing.T, p graph.Profile, lines ...string) {
	t.Helper()
	text := body(p)
	for _, line := range lines {
		if !strings.Contains(text, "  "+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func reject(t *testing.T, p graph.Profile, part string) {
	t.Helper()
	if text := body(p); strings.Contains(text, part) {
		t.Errorf("%q in\n%s", part, text)
	}
}

func TestTimesOfIdentifiers(t *testing.T) {
	p := one(t,
		at(1, "m1", a1),
		at(2, "m2", u1, a1),
		at(5, "m3", u1, a1),
		at(9, "m4", u1),
	)
	want(t, p,
		"events 4, 1767225660000..1767226140000, track 4",
		`identifier user_id:"u1" `+u1.Key.String()+", 1767225720000..1767226140000", // its events at 2, 5 and 9
		`identifier anonymous_id:"a1" `+a1.Key.String()+", 1767225660000..1767225900000",
	)
}

// A link out of the identity says nothing about when an identifier was part of it.
func TestTimesLeaveOutRefusedLinks(t *testing.T) {
	ps := Profiles([]graph.Event{at(1, "m1", u1, a1), at(7, "m2", u2, a1)}, nil, graph.DefaultRules())
	if len(ps) != 2 {
		t.Fatal(Dump(ps))
	}
	for _, p := range ps {
		if p.ID == u1.Key {
			want(t, p, `identifier anonymous_id:"a1" `+a1.Key.String()+", 1767225660000..1767225660000")
		}
	}
}

// A retracted link still gives the times at which both ends were seen together, once other links join them.
func TestTimesKeepRetractedLinks(t *testing.T) {
	events := []graph.Event{at(1, "m1", u1, a1), at(2, "m2", u1, e1), at(3, "m3", e1, a1)}
	retract := graph.Assertion{Verb: graph.AssertRetract, A: u1, B: a1, At: worldStart, ID: "x1"}
	ps := Profiles(events, []graph.Assertion{retract}, graph.DefaultRules())
	if len(ps) != 1 {
		t.Fatal(Dump(ps))
	}
	want(t, ps[0], `identifier anonymous_id:"a1" `+a1.Key.String()+", 1767225660000..1767225780000")
}

func TestForcedIdentifierWasNeverSeen(t *testing.T) {
	force := graph.Assertion{Verb: graph.AssertForce, A: u1, B: a1, At: worldStart, ID: "x1"}
	ps := Profiles([]graph.Event{at(1, "m1", a1)}, []graph.Assertion{force}, graph.DefaultRules())
	if len(ps) != 1 || ps[0].ID != u1.Key {
		t.Fatal(Dump(ps))
	}
	want(t, ps[0], `identifier user_id:"u1" `+u1.Key.String()+", 0..0")
}

func TestTraits(t *testing.T) {
	higher := withTrait(at(3, "m3", a1), "plan", `"gold"`)
	higher.Stamp.Rank = 1
	p := one(t,
		withTrait(at(1, "m1", a1), "city", `"Ulm"`),
		withTrait(at(2, "m2", u1, a1), "city", `"Bonn"`),
		higher,
		withTrait(at(3, "m4", u1), "plan", `"free"`),                               // same time, lower source
		withTrait(at(4, "m5", u1), "phone", `"1"`),                                 // deleted below
		withTrait(at(5, "m6", a1), "phone", ""),                                    //
		withTrait(withTrait(at(6, "m7", u1), "vip", "true"), "vip", ""),            // one event, both: a value is larger
		withTrait(withTrait(at(7, "m8", u1), "size", `"L"`), "size", `"M"`),        // the larger bytes
		withTrait(withTrait(at(8, "m9", u1), "gone", ""), "kept", `{"a":[1,"x"]}`), //
	)
	var got []string
	for _, v := range p.Traits {
		got = append(got, v.Name+"="+string(v.Value))
	}
	if s := strings.Join(got, " "); s != `city="Bonn" kept={"a":[1,"x"]} plan="gold" size="M" vip=true` {
		t.Error(s)
	}
}

func TestOrderAcrossFragments(t *testing.T) {
	completed := graph.OrderChange{Kind: graph.OrderCompleted, ID: []byte("o1"), Rule: graph.NetRevenue, Currency: eur, Net: 1000, Discount: 100}
	updated := completed
	updated.Kind, updated.Net, updated.Discount, updated.Coupon = graph.OrderUpdated, 900, 0, []byte("X")
	late := completed
	late.Net = 1 // completed again, but older than the update: only the earliest counts for placement
	p := one(t,
		withOrder(at(5, "m2", u1, a1), updated),
		withOrder(at(4, "m1", a1), late),
		withOrder(at(2, "m0", a1), completed),
		withOrder(at(1, "m3", u1), updated), // an update alone doesn't place an order that was completed
		withOrder(at(6, "m4", a1), refunded("o1", 300)),
	)
	want(t, p,
		`order "o1" refunded at 1767225720000, net 900 by revenue, discount 0, refunded 300 "EUR", coupon "X", refunds 1, unknown 0, refused 0, left out false`,
		`money "EUR", orders 1, revenue 600, discount 0, discounted 1`,
	)
}

func TestOrderStates(t *testing.T) {
	order := func(id string, net int64, currency graph.Currency) graph.OrderChange {
		return graph.OrderChange{Kind: graph.OrderCompleted, ID: []byte(id), Rule: graph.NetTotal, Currency: currency, Net: net}
	}
	cancelled := func(id string) graph.OrderChange {
		return graph.OrderChange{Kind: graph.OrderCancelled, ID: []byte(id)}
	}
	p := one(t,
		withOrder(at(1, "m1", u1), order("partly", 1000, usd)),
		withOrder(at(1, "m2", u1), order("more", 1000, usd)),
		withOrder(at(2, "m3", u1), order("whole", 1000, eur)),
		withOrder(at(3, "m4", u1), order("off", 1000, eur)),
		withOrder(at(3, "m5", u1), order("gone", 1000, eur)),
		withOrder(at(9, "a1", u1), refunded("partly", 400)),
		withOrder(at(9, "a2", u1), refunded("more", 4000)),
		withOrder(at(9, "a3", u1), refunded("whole", -1)),
		withOrder(at(9, "a4", u1), cancelled("off")),
		withOrder(at(8, "a5", u1), refunded("off", -1)), // before the cancellation
		withOrder(at(8, "a6", u1), cancelled("gone")),
		withOrder(at(9, "a7", u1), refunded("gone", 1)), // after it
		withOrder(at(9, "a8", u1), cancelled("never")),
	)
	want(t, p,
		`order "partly" refunded at 1767225660000, net 1000 by total, discount 0, refunded 400 "USD", coupon "", refunds 1, unknown 0, refused 0, left out false`,
		`order "more" refunded at 1767225660000, net 1000 by total, discount 0, refunded 1000 "USD", coupon "", refunds 1, unknown 0, refused 0, left out false`,
		`order "whole" refunded at 1767225720000, net 1000 by total, discount 0, refunded 1000 "EUR", coupon "", refunds 1, unknown 0, refused 0, left out false`,
		`order "off" cancelled at 1767225780000, net 1000 by total, discount 0, refunded 1000 "EUR", coupon "", refunds 1, unknown 0, refused 0, left out false`,
		`order "gone" cancelled at 1767225780000, net 1000 by total, discount 0, refunded 1 "EUR", coupon "", refunds 1, unknown 0, refused 0, left out false`,
		`money "EUR", orders 1, revenue 0, discount 0, discounted 0`,
		`money "USD", orders 2, revenue 600, discount 0, discounted 0`,
	)
	reject(t, p, "never")
	ids := ""
	for _, o := range p.Orders {
		ids += o.ID + " "
	}
	if ids != "more partly whole gone off " {
		t.Errorf("orders by placement, then id: %s", ids)
	}
}

func TestUpdatedAloneIsAnOrder(t *testing.T) {
	updated := graph.OrderChange{Kind: graph.OrderUpdated, ID: []byte("o1"), Currency: eur, Net: 700, Discount: 50}
	p := one(t, withOrder(at(3, "m1", u1), updated), withOrder(at(2, "m2", u1), updated))
	want(t, p,
		`order "o1" placed at 1767225720000, net 700 by none, discount 50, refunded 0 "EUR", coupon ""`,
		`money "EUR", orders 1, revenue 700, discount 50, discounted 1`,
	)
}

func TestCancelledOrdersAreNoMoney(t *testing.T) {
	p := one(t,
		withOrder(at(1, "m1", u1), graph.OrderChange{Kind: graph.OrderCompleted, ID: []byte("o1"), Currency: eur, Net: 700}),
		withOrder(at(2, "m2", u1), graph.OrderChange{Kind: graph.OrderCancelled, ID: []byte("o1")}),
	)
	reject(t, p, "money")
}

func TestCountsByType(t *testing.T) {
	identify := at(2, "m2", u1)
	identify.Type = graph.TypeIdentify
	p := one(t, at(1, "m1", u1), identify, at(3, "m3", u1), at(3, "m3", u1))
	want(t, p, "events 3, 1767225660000..1767225780000, identify 1, track 2")
}
