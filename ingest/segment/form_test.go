package segment

import (
	"fmt"
	"strings"
	"testing"
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
