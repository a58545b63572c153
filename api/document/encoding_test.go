package document

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document/documenttest"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/graph/score"
	"pgregory.net/rapid"
)

func TestEncodings(t *testing.T) {
	var profiles, orders, events bytes.Buffer
	parameters := score.ColdStart()
	parameters.Dealings = map[string]uint64{"wine": 12, "<b>": 3}
	scorer, err := score.NewScorer(parameters, score.Terms{}.WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 10 { // so that each member is seen, however few checks are made
			p := drawProfile(t)
			control, err := score.NewControl(rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "control"))
			if err != nil {
				t.Fatal(err)
			}
			now := drawTime(t)

			text := AppendProfile(nil, &p, control)
			documenttest.CheckSame[Profile](t, text)
			scores := Score(scorer, &p, now)
			text = AppendScored(nil, &p, &scores, control)
			documenttest.CheckSame[Profile](t, text)
			profiles.Write(text)

			standing := drawStanding(t)
			text = (&Shape{Audiences: true, Computed: true}).AppendStanding(nil, &p, &standing)
			documenttest.CheckSame[Profile](t, text)
			profiles.Write(text)

			documenttest.CheckSame[Identifiers](t, AppendIdentifiers(nil, &p, ""))
			documenttest.CheckSame[Identifiers](t, AppendIdentifiers(nil, &p, "a_-9"))
			details := NewOrderDetails(p.Orders)
			for i := range p.Orders {
				e := drawEvent(t)
				e.Order.Kind, e.Order.ID = graph.OrderCompleted, []byte(p.Orders[i].ID)
				e.Properties = []byte(`{"tax":"1,50","shipping":2,"products":[{"product_id":7,"sku":"s","name":"n","brand":"b","variant":"v","category":"c","coupon":"d","price":"9.9","quantity":1.5}]}`)
				details.Observe(&e)
			}
			text = AppendOrders(nil, p.ID, p.Orders, details, rapid.SampledFrom([]string{"", "cursor"}).Draw(t, "next"))
			documenttest.CheckSame[Orders](t, text)
			orders.Write(text)

			for _, l := range []Lines{{}, {Shape: Shape{Scores: scorer, Control: control, Now: now}}} {
				text = l.Append(nil, &p)
				documenttest.CheckSame[Profile](t, text)
			}

			page := BeginTimeline(nil, p.ID)
			for range rapid.IntRange(0, 3).Draw(t, "events") {
				e := drawEvent(t)
				documenttest.CheckSame[Event](t, appendEvent(nil, &e))
				page = AppendTimelineEvent(page, &e)
			}
			page = EndTimeline(page, rapid.SampledFrom([]string{"", "cursor"}).Draw(t, "next"))
			documenttest.CheckSame[Timeline](t, page)
			events.Write(page)
		}
	})
	documenttest.CheckMembers[Profile](t, profiles.Bytes())
	documenttest.CheckMembers[Orders](t, orders.Bytes())
	documenttest.CheckMembers[Timeline](t, events.Bytes())
}

// drawText is a text, at times one that JSON must escape.
func drawText(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"", `"q"`, "\\", "a\nb", "<&>\u2028", "日本"}), rapid.String()).
		Filter(func(s string) bool { return !strings.ContainsRune(s, 0) }). // NUL leaves as U+FFFD
		Draw(t, label)
}

// drawTime is a time that four digits of a year can say.
func drawTime(t *rapid.T) int64 { return rapid.Int64Range(0, 253_402_300_799_999).Draw(t, "time") }

func drawKey(t *rapid.T) graph.NodeKey {
	return graph.MakeNodeKey(graph.Class(rapid.IntRange(1, 4).Draw(t, "class")), rapid.Uint64().Draw(t, "hi"), rapid.Uint64Min(1).Draw(t, "lo"))
}

func drawJSON(t *rapid.T) []byte {
	return []byte(rapid.SampledFrom([]string{`1`, `"x y"`, `true`, `{"a":[1,2,{"b":null}]}`, `{"z":1.50, "a" : "\u00e9"}`, `[]`}).Draw(t, "value"))
}

func drawCurrency(t *rapid.T) graph.Currency {
	return graph.Currency([]byte(rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")))
}

var amounts = rapid.OneOf(rapid.Int64Range(-5, 5), rapid.Int64Range(-1<<62, 1<<62))

// drawStanding draws what definitions say of a person.
func drawStanding(t *rapid.T) (s audience.Standing) {
	for _, key := range []string{"a_1", "vip"}[:rapid.IntRange(0, 2).Draw(t, "audiences")] {
		s.Audiences = append(s.Audiences, audience.In{Key: key, Since: rapid.SampledFrom([]int64{0, 1, 1_790_000_000_123}).Draw(t, "since")})
	}
	for i, v := range []audience.Value{
		{Kind: audience.NumberValue, Number: rapid.Int64().Draw(t, "number"), Decimals: rapid.SampledFrom([]int{0, 2, 4}).Draw(t, "decimals")},
		{Kind: audience.TextValue, Text: drawText(t, "text")},
		{Kind: audience.TimeValue, Number: drawTime(t)},
		{Kind: audience.ListValue, List: rapid.SliceOfN(rapid.Just(drawText(t, "text")), 0, 3).Draw(t, "list")},
	}[:rapid.IntRange(0, 4).Draw(t, "computed")] {
		s.Computed = append(s.Computed, audience.Computed{Key: fmt.Sprint("c", i), Value: v})
	}
	return s
}

func drawProfile(t *rapid.T) graph.Profile {
	p := graph.Profile{ID: drawKey(t), Events: rapid.SampledFrom([]uint64{0, 1, 1 << 40}).Draw(t, "events"), First: drawTime(t), Last: drawTime(t)}
	for range rapid.IntRange(0, 3).Draw(t, "identifiers") {
		id := graph.ProfileIdentifier{NodeName: graph.NodeName{Key: drawKey(t), Value: drawText(t, "value")}, Raw: drawText(t, "raw"), Generic: rapid.Bool().Draw(t, "generic")}
		id.Namespace = rapid.SampledFrom([]string{"", "user_id", "email"}).Draw(t, "namespace")
		if rapid.Bool().Draw(t, "seen") {
			id.First, id.Last = drawTime(t), drawTime(t)
		}
		p.Identifiers = append(p.Identifiers, id)
	}
	for i := range p.Counts[1:] {
		p.Counts[i+1] = rapid.Uint64Range(0, 2).Draw(t, "count")
	}
	for _, name := range []string{"", `"q"`, "age", "日本"} {
		if rapid.Bool().Draw(t, "a trait") {
			p.Traits = append(p.Traits, graph.TraitValue{Name: name, Value: drawJSON(t)})
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "orders") {
		count := func(label string) int { return rapid.IntRange(0, 2).Draw(t, label) }
		p.Orders = append(p.Orders, graph.OrderState{
			ID: drawText(t, "order"), PlacedAt: drawTime(t), Net: amounts.Draw(t, "net"), Discount: amounts.Draw(t, "discount"),
			Refunded: amounts.Draw(t, "refunded"), Coupon: drawText(t, "coupon"), Currency: drawCurrency(t),
			Rule: graph.NetRule(count("rule")), Status: graph.OrderStatus(rapid.IntRange(0, 3).Draw(t, "status")),
			Refunds: count("refunds"), UnknownRefunds: count("unknown"), RefusedRefunds: count("refused"), RefundsLeftOut: rapid.Bool().Draw(t, "left out"),
		})
	}
	for _, code := range []string{"EUR", "JPY", "KWD"} {
		if rapid.Bool().Draw(t, "money") {
			p.Money = append(p.Money, graph.Money{
				Currency: graph.Currency([]byte(code)), Orders: rapid.Uint64Range(1, 3).Draw(t, "orders"), Revenue: amounts.Draw(t, "revenue"),
				Discount: amounts.Draw(t, "discount"), Discounted: rapid.Uint64Range(0, 3).Draw(t, "discounted"),
			})
		}
	}
	for _, category := range []string{"wine", "<b>"} {
		if n := rapid.Uint32Range(0, 3).Draw(t, "dealings"); n > 0 {
			p.Interests.Add(category, drawTime(t), n)
		}
	}
	return p
}

func drawEvent(t *rapid.T) graph.Event {
	e := graph.Event{
		ID: []byte(drawText(t, "id")), Source: []byte(drawText(t, "source")), Received: drawTime(t), Name: []byte(drawText(t, "name")),
		Type: graph.EventType(rapid.IntRange(1, graph.EventTypes-1).Draw(t, "type")), Stamp: graph.Stamp{Time: drawTime(t)},
	}
	for range rapid.IntRange(0, 2).Draw(t, "identifiers") {
		e.Identifiers = append(e.Identifiers, graph.Identifier{Key: drawKey(t), Namespace: "user_id", Value: []byte(drawText(t, "value"))})
	}
	if rapid.Bool().Draw(t, "a mention") {
		e.Mentions = []graph.Identifier{{Key: drawKey(t), Namespace: "anonymous_id", Value: []byte(drawText(t, "value"))}}
	}
	for _, name := range []string{"age", "plan"} {
		if rapid.Bool().Draw(t, "a trait") {
			e.Traits = append(e.Traits, graph.Trait{Name: []byte(name), Value: rapid.SampledFrom([][]byte{nil, []byte(`{"a" : 1}`)}).Draw(t, "trait")})
		}
	}
	if rapid.Bool().Draw(t, "properties") {
		e.Properties, e.Context = []byte(`{"a": "b"}`), []byte(`{"locale":"nl-BE"}`)
	}
	e.Order = graph.OrderChange{
		Kind: graph.OrderKind(rapid.IntRange(0, int(graph.OrderRefunded)).Draw(t, "change")), Rule: graph.NetRule(rapid.IntRange(0, 5).Draw(t, "rule")),
		Open: rapid.Bool().Draw(t, "open"), Currency: drawCurrency(t), Net: amounts.Draw(t, "net"), Discount: amounts.Draw(t, "discount"),
		ID: []byte(drawText(t, "order")), Coupon: []byte(drawText(t, "coupon")), Lines: make([]graph.OrderLine, rapid.IntRange(0, 2).Draw(t, "lines")),
		Refund: graph.RefundChange{Kind: graph.RefundKind(rapid.IntRange(1, 3).Draw(t, "refund")), Amount: rapid.Int64Range(0, 1<<40).Draw(t, "amount")},
	}
	return e
}
