package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

func TestMeanings(t *testing.T) {
	bought := meaning{order: graph.OrderCompleted, interest: graph.InterestBought}
	viewed, added := meaning{interest: graph.InterestViewed}, meaning{interest: graph.InterestAdded}
	for want, names := range map[meaning]string{
		bought:                        "Order Completed|Completed Order|purchase|transaction|ORDER COMPLETED|order_completed|order-completed| Order Completed\u00a0",
		{order: graph.OrderUpdated}:   "Order Updated|Updated Order",
		{order: graph.OrderCancelled}: "Order Cancelled",
		{order: graph.OrderRefunded}:  "Order Refunded|refund",
		viewed:                        "Product Viewed|Viewed Product|view_item|product_view|Product Clicked|Clicked Product|select_item|list_click|Product List Viewed|Viewed Product Category|view_item_list|list_view|PRODUCT_VIEWED",
		added:                         "Product Added|Added Product|add_to_cart",
		{offer: score.OfferViewed}:    "Promotion Viewed|Viewed Promotion|view_promotion|promo_view",
		{offer: score.OfferClicked}:   "Promotion Clicked|Clicked Promotion|select_promotion|promo_click",
		{offer: score.OfferEntered}:   "Coupon Entered",
		{offer: score.OfferApplied}:   "Coupon Applied",
		{offer: score.OfferDenied}:    "Coupon Denied",
		{offer: score.OfferWithdrawn}: "Coupon Removed",
		{offer: score.OfferSent}:      "Offer Sent|offer_sent",
		{offer: score.OfferRedeemed}:  "Offer Redeemed",
		{}:                            "|Product|Product Removed|Order Completed!|purchases|Checkout Started|Coupon|Viewed Product Categories|" + strings.Repeat("x", 24),
	} {
		for name := range strings.SplitSeq(names, "|") {
			if got := meaningOf([]byte(name)); got != want {
				t.Errorf("%q: %+v, want %+v", name, got, want)
			}
		}
	}
}

func track(event, properties string) string {
	text := fmt.Sprintf(`{"type":"track","userId":"u","messageId":"m1","event":%q`, event)
	if properties != "" {
		text += `,"properties":` + properties
	}
	return text + "}"
}

func TestOffers(t *testing.T) {
	const march = 1772323200000 // 2026-03-01
	long := strings.Repeat("o", MaxIDBytes+1)
	for _, c := range []struct {
		event, properties string
		want              string // signal, id, class, until; empty where the event is about no offer
	}{
		{"Offer Sent", `{"offer_id":"F1","offer_class":"winback","until":"2026-03-01T00:00:00Z"}`, fmt.Sprint("1 F1 winback ", march)},
		{"Offer Sent", `{"offerId":7,"expires_at":1772323200000}`, fmt.Sprint("1 7  ", march)},
		{"Offer Sent", `{"offer_id":"F1","until":null,"expires_at":"2026-03-01T00:00:00Z"}`, fmt.Sprint("1 F1  ", march)},
		{"Offer Sent", `{"offer_id":"F1","until":""}`, "1 F1  0"},
		{"Offer Sent", `{"offer_id":"F1","until":"9999-12-31T00:00:00Z"}`, fmt.Sprint("1 F1  ", int64(timeEnd))},
		{"Offer Redeemed", `{"offer_id":"F1"}`, "2 F1  0"},
		{"Promotion Viewed", `{"promotion_id":"P1","id":"x","offer_id":"y"}`, "3 P1  0"},
		{"Viewed Promotion", `{"id":"P1"}`, "3 P1  0"},
		{"Promotion Clicked", `{"promotion_id":"P1"}`, "4 P1  0"},
		{"Coupon Entered", `{"coupon_id":"C1","coupon":"x"}`, "5 C1  0"},
		{"Coupon Applied", `{"coupon":"C1"}`, "6 C1  0"},
		{"Coupon Denied", `{"coupon_id":"C1"}`, "7 C1  0"},
		{"Coupon Removed", `{"coupon_id":"","discount_code":"C1"}`, "8 C1  0"},
		{"Offer Sent", `{"offer_id":"` + long + `"}`, "1 sha256:"},
		{"Order Completed", `{"order_id":"A1","coupon":"C1"}`, "2 C1  0"},
		// About no offer.
		{"Offer Sent", "", ""},
		{"Offer Sent", `{"promotion_id":"P1","until":"whenever"}`, ""},
		{"Order Completed", `{"order_id":"A1","coupon":""}`, ""},
		{"Order Updated", `{"order_id":"A1","coupon":"C1"}`, ""},
		{"Product Viewed", `{"coupon":"C1"}`, ""},
	} {
		ev, _, r := decode(t, Options{}, track(c.event, c.properties))
		if r != nil {
			t.Errorf("%s %s: %v", c.event, c.properties, r)
			continue
		}
		got := ""
		if o := &ev.Offer; o.Signal != score.OfferNone {
			got = fmt.Sprintf("%d %s %s %d", o.Signal, o.ID, o.Class, o.Until)
		}
		if strings.HasSuffix(c.want, "sha256:") {
			got = got[:min(len(got), len(c.want))]
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.event, c.properties, got, c.want)
		}
	}
	for properties, want := range map[string]string{
		`{"offer_id":["F1"],"offerId":"F2"}`:               "1 F2  0: bad_type properties.offer_id",
		`{"offer_id":{}}`:                                  "0   0: bad_type properties.offer_id",
		`{"offer_id":"F1","offer_class":{}}`:               "1 F1  0: bad_type properties.offer_class",
		`{"offer_id":"F1","until":true}`:                   "1 F1  0: bad_type properties.until",
		`{"offer_id":"F1","until":"soon"}`:                 "1 F1  0: bad_timestamp properties.until",
		`{"offer_id":"F1","until":"","expires_at":"soon"}`: "1 F1  0: bad_timestamp properties.expires_at",
		`{"offer_id":"F1","until":"1969-12-31T00:00:00Z"}`: "1 F1  0: timestamp_out_of_range properties.until",
		`{"offer_id":"F1","until":-1772323200000}`:         "1 F1  0: timestamp_out_of_range properties.until",
		`{"offer_id":"F1","expires_at":1772323200}`:        "1 F1  1772323200000:",
		`{"offer_id":"F1","until":"2026-03-01"}`:           "1 F1  1772323200000:",
		`{"offer_id":"F1","until":"99999999999999999999"}`: "1 F1  4102444800000:",
	} {
		ev, stats, r := decode(t, Options{}, track("Offer Sent", properties))
		got := fmt.Sprintf("%d %s %s %d:", ev.Offer.Signal, ev.Offer.ID, ev.Offer.Class, ev.Offer.Until)
		for _, key := range stats.Fields.Keys() {
			got += fmt.Sprintf(" %s %s", key.Code, key.Field)
		}
		if r != nil || got != want {
			t.Errorf("%s: %s %v, want %s", properties, got, r, want)
		}
	}
}

func TestInterests(t *testing.T) {
	many := `{"products":[`
	for i := range 40 {
		many += fmt.Sprintf(`{"category":"c%d"},`, i/2)
	}
	many += `{}]}`
	for _, c := range []struct {
		event, properties string
		want              string // kind and categories
	}{
		{"Product Viewed", `{"category":" Kitchen ","name":"board"}`, "1 Kitchen"},
		{"Product Viewed", `{"cat\u0065gory":"K\u0069tchen"}`, "1 Kitchen"},
		{"Product Viewed", `{"category":7}`, "1 7"},
		{"Product Viewed", ``, "1"},
		{"Product Viewed", `{"category":["a"]}`, "1"},
		{"Product Viewed", `{"category":"  "}`, "1"},
		{"view_item", `{"items":[{"item_category":"Kitchen","category":"Garden"}]}`, "1 Garden"},
		{"view_item", `{"items":[{"item_category":"Kitchen"}]}`, "1 Kitchen"},
		{"Product List Viewed", `{"category":"Kitchen","products":[{"category":"Garden"}]}`, "1 Kitchen"},
		{"Product Added", `{"item_category":"Kitchen"}`, "2 Kitchen"},
		{"Order Completed", `{"products":[{"category":"Kitchen"},{"category":{}},{"category":"Garden"},{"category":"Kitchen"}]}`, "3 Kitchen Garden"},
		{"Product List Viewed", `{"products":[7,null,{"category":"Kitchen"}]}`, "1 Kitchen"},
		{"Order Completed", `{"revenue":1}`, "3"},
		{"Product List Viewed", many, "1 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 c10 c11 c12 c13 c14 c15"},
		{"Product List Viewed", `{"products":{"category":"x"}}`, "1"},
		{"Product Removed", `{"category":"Kitchen"}`, "0"},
		{"Checkout Started", `{"products":[{"category":"Kitchen"}]}`, "0"},
	} {
		ev, _, r := decode(t, Options{}, track(c.event, c.properties))
		if r != nil {
			t.Errorf("%s %s: %v", c.event, c.properties, r)
			continue
		}
		got := fmt.Sprint(ev.Interest.Kind)
		for _, category := range ev.Interest.Categories {
			got += " " + string(category)
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.event, c.properties, got, c.want)
		}
	}
	ev, _, _ := decode(t, Options{}, `{"type":"page","userId":"u","name":"Product Viewed","properties":{"category":"Kitchen"}}`)
	if ev.Interest.Kind != graph.InterestNone {
		t.Errorf("a page is no product: %+v", ev.Interest)
	}
}

// An event read into another one keeps nothing of it.
func TestEventsForgetOffersAndInterests(t *testing.T) {
	d := NewDecoder(testRegistry(t), Options{})
	var ev graph.Event
	for _, text := range []string{track("Offer Sent", `{"offer_id":"F1"}`), track("Product Viewed", `{"category":"Kitchen"}`), track("Signed Up", "")} {
		if err := d.Event([]byte(text), now, web, &ev); err != nil {
			t.Fatal(err)
		}
	}
	if ev.Offer.Signal != score.OfferNone || ev.Interest.Kind != graph.InterestNone || len(ev.Interest.Categories) > 0 {
		t.Errorf("%+v, %+v", ev.Offer, ev.Interest)
	}
}
