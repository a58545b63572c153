package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// An address in the properties of a form event is an identifier of its person. In other events, and beside another
// address, no identifier comes of it.
func TestAddressesInForms(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // "" for none
	}{
		{`"event":"Form Submitted","properties":{"email":"Ann@Example.com"}`, "ann@example.com"},
		{`"properties":{"email":"x@y.de","email":"ann@example.com"},"event":"form_submitted"`, "ann@example.com"},
		{`"event":" GENERATE-LEAD ","properties":{"email":"ann@example.com"}`, "ann@example.com"},
		{`"event":"SignUp","properties":{"email":"ann@example.com"}`, "ann@example.com"},
		{`"event":"Sign Up","properties":{"email":"ann@example.com"},"context":{"traits":{"email":null}}`, "ann@example.com"},
		{`"event":"Registration Completed","properties":{"email":"ann@example.com"}`, "ann@example.com"},
		{`"event":"Invite Sent","properties":{"email":"ann@example.com"}`, ""},
		{`"event":"Registration Completed Again","properties":{"email":"ann@example.com"}`, ""},
		{`"event":"Form Submitted","properties":{"email":"n/a"}`, ""},
		{`"event":"Form Submitted","properties":{"email":["ann@example.com"]}`, ""},
		{`"event":"Form Submitted","properties":{"user":{"email":"ann@example.com"}}`, ""},
		{`"event":"Form Submitted","properties":"ann@example.com"`, ""},
		{`"event":"Form Submitted","properties":{"email":"ann@example.com"},"context":{"traits":{"email":"bob@example.com"}}`, "bob@example.com"},
		{`"type":"page","event":"Form Submitted","properties":{"email":"ann@example.com"}`, ""},
	} {
		for _, paths := range [][]Path{nil, {{"properties.card", "loyalty_card"}}} {
			ev, _, r := decode(t, Options{Paths: paths}, `{"type":"track","anonymousId":"a1",`+c.text+`}`)
			if r != nil {
				t.Errorf("%s: %v", c.text, r)
				continue
			}
			got := ""
			for _, id := range ev.Identifiers {
				if strings.Contains(string(id.Value), "@") {
					got = string(id.Value)
				}
			}
			if got != c.want {
				t.Errorf("%s: %q, want %q", c.text, got, c.want)
			}
		}
	}
	// It is enough to take the event.
	if _, _, r := decode(t, Options{}, `{"type":"track","event":"Newsletter Subscribed","properties":{"email":"ann@example.com"}}`); r != nil {
		t.Error(r)
	}
}

// A form is the event that it was before its name was one of a form: the address in it changes neither its key in the memory
// of duplicates nor its tie.
func TestFormsAreKnownAsBefore(t *testing.T) {
	const properties = `"properties":{"email":"Ann@Example.com"}`
	for _, ids := range []string{
		`"userId":"u1"`, `"userId":"u1","anonymousId":"a1"`, `"anonymousId":"a1"`, `"anonymousId":"a1","context":{"device":{"id":"d1"}}`,
	} {
		raw := []byte(`{"type":"track","messageId":"m1","event":"Form Submitted",` + ids + `,` + properties + `}`)
		before, now := decodeWithoutForms(t, raw), decodeAs(t, Options{}, "", string(raw))
		if len(now.Identifiers) != len(before.Identifiers)+1 {
			t.Fatalf("%s: %d identifiers before and %d now", ids, len(before.Identifiers), len(now.Identifiers))
		}
		if now.Seen != before.Seen || now.Stamp.Tie != before.Stamp.Tie {
			t.Errorf("%s: another event than before", ids)
		}
		if strings.Contains(ids, "userId") != (now.Route() == before.Route()) {
			t.Errorf("%s: the route was %s and is %s", ids, before.Route(), now.Route())
		}
		other := strings.Replace(string(raw), "Ann@", "Bob@", 1)
		if decodeAs(t, Options{}, "", other).Seen == now.Seen {
			t.Errorf("%s: a form with another address is the same event", ids)
		}
	}
}

// decodeWithoutForms decodes a track event as a version without the rule of forms did: its identifiers are read as if it had no
// name.
func decodeWithoutForms(t *testing.T, raw []byte) *graph.Event {
	t.Helper()
	d := NewDecoder(testRegistry(t), Options{})
	ev := new(graph.Event)
	if r := d.picker.pick(raw); r != nil {
		t.Fatal(r)
	}
	ev.Type = graph.TypeTrack
	ev.Stamp.Time = d.clock.eventTime(now)
	noForm := d.picker.fields.event
	d.picker.fields.event = jsonscan.Value{}
	if r := d.identifiers.identify(ev); r != nil {
		t.Fatal(r)
	}
	d.picker.fields.event = noForm
	ev.ID, ev.Received = d.messageID(raw, now), now
	ev.Name = d.name("event", noForm)
	d.picker.mergeTraits(ev)
	d.fingerprint.key(ev)
	return ev
}

// The aliases of each field of commerce give the same order.
func TestAliasesOfCommerce(t *testing.T) {
	const want = "completed A1 net 5990 discount 500 by revenue EUR and 2 of 1 line coupon WINTER"
	var first string
	for event := range strings.SplitSeq("Order Completed|Completed Order|purchase|transaction", "|") {
		for id := range strings.SplitSeq("order_id|orderId|transaction_id", "|") {
			for list := range strings.SplitSeq("products|items", "|") {
				for product := range strings.SplitSeq("product_id|id|item_id", "|") {
					for sku := range strings.SplitSeq("sku|sky|item_sku", "|") {
						for discount := range strings.SplitSeq("discount|discount_amount", "|") {
							for coupon := range strings.SplitSeq("coupon|coupon_id|discount_code", "|") {
								properties := `{"` + id + `":"A1","revenue":"59.90","currency":"EUR","` + discount + `":5,"` + coupon + `":"WINTER","` +
									list + `":[{"` + product + `":"P1","` + sku + `":"S1","price":32.45,"quantity":"2"}]}`
								ev, stats, r := decode(t, Options{}, track(event, properties))
								if r != nil || len(stats.Fields) > 0 || describeOrder(ev.Order) != want {
									t.Fatalf("%s %s: %s, %v, %v", event, properties, describeOrder(ev.Order), stats.Fields, r)
								}
								line := fmt.Sprint(ev.Order.Lines[0].Product, ev.Order.Lines[0].SKU)
								if first == "" {
									first = line
								} else if line != first {
									t.Fatalf("%s: another product", properties)
								}
							}
						}
					}
				}
			}
		}
	}
	// The struct of Segment's library for Go writes these names.
	ev, _, r := decode(t, Options{}, track("Order Completed", `{"orderId":"A1","total":59.9,"currency":"EUR","products":[{"id":"P1","sky":"S1","price":59.9}]}`))
	if r != nil || describeOrder(ev.Order) != "completed A1 net 5990 by total EUR and 1 of 1 line" {
		t.Errorf("%s, %v", describeOrder(ev.Order), r)
	}
	// An id of a checkout names no order.
	if ev, _, _ = decode(t, Options{}, track("Order Completed", `{"checkout_id":"K1","revenue":1}`)); string(ev.Order.ID) == "K1" {
		t.Error("the order has the id of its checkout")
	}
}
