package ingest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

func TestOrders(t *testing.T) {
	long := strings.Repeat("o", 101)
	for _, c := range []struct {
		event, properties string
		want              string // of the order, as below; empty where it is none
	}{
		// Who is meant.
		{"Order Completed", `{"order_id":"A1","revenue":1}`, "completed A1 net 100 by revenue USD"},
		{"Order Completed", `{"orderId":7,"revenue":1}`, "completed 7 net 100 by revenue USD"},
		{"purchase", `{"transaction_id":"T1","value":1}`, "completed T1 net 100 by value USD"},
		{"Order Completed", `{"transaction_id":"T1","order_id":"","orderId":"O1"}`, "completed O1 net 0 by none USD"},
		{"Order Completed", `{"checkout_id":"C1","revenue":1}`, "completed m1 net 100 by revenue USD"},
		{"Order Completed", ``, "completed m1 net 0 by none USD"},
		{"Order Completed", `{"order_id":"` + long + `"}`, "completed sha256:"},
		{"Order Updated", `{"revenue":"$1"}`, ""},
		{"Order Cancelled", `{"checkout_id":"C1"}`, ""},
		{"Order Refunded", `{}`, ""},
		{"Product Viewed", `{"order_id":"A1","revenue":1}`, ""},
		// Which rule gives the net revenue.
		{"Order Completed", `{"order_id":"A1","revenue":1,"subtotal":2,"total":3,"value":4,"products":[{"price":5}]}`, "completed A1 net 100 by revenue USD"},
		{"Order Completed", `{"order_id":"A1","subtotal":2,"total":3,"value":4}`, "completed A1 net 200 by subtotal USD"},
		{"Order Completed", `{"order_id":"A1","total":13.5,"tax":"1.25","shipping":2,"value":4}`, "completed A1 net 1025 by total USD"},
		{"Order Completed", `{"order_id":"A1","total":0,"shipping":4.99}`, "completed A1 net 0 by total USD"},
		{"Order Completed", `{"order_id":"A1","value":4,"products":[{"price":5}]}`, "completed A1 net 400 by value USD"},
		{"Order Completed", `{"order_id":"A1","products":[{"price":19.99,"quantity":3},{"price":"0.5"},{"name":"gift"}],"discount":10}`, "completed A1 net 5047 discount 1000 by items USD"},
		{"Order Completed", `{"order_id":"A1","items":[{"price":0.333,"quantity":3}],"discount":2}`, "completed A1 net 0 discount 200 by items USD"},
		{"Order Completed", `{"order_id":"A1","products":[{"name":"gift"}]}`, "completed A1 net 0 by none USD"},
		{"Order Completed", `{"order_id":"A1","products":[]}`, "completed A1 net 0 by none USD"},
		{"Order Updated", `{"order_id":"A1","revenue":null,"subtotal":"","total":3}`, "updated A1 net 300 by total USD"},
		{"Order Completed", `{"order_id":"A1","r\u0065venue":"1\u0039.99"}`, "completed A1 net 1999 by revenue USD"},
		// Currencies.
		{"Order Completed", `{"order_id":"A1","revenue":1999.5,"currency":"jpy"}`, "completed A1 net 2000 by revenue JPY"},
		{"Order Completed", `{"order_id":"A1","revenue":1.9995,"currency":"KWD"}`, "completed A1 net 2000 by revenue KWD"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":""}`, "completed A1 net 100 by revenue USD"},
		// Discounts and coupons.
		{"Order Completed", `{"order_id":"A1","revenue":1,"discount":2,"coupon":"X"}`, "completed A1 net 100 discount 200 by revenue USD coupon X"},
		{"transaction", `{"transaction_id":"A1","revenue":1,"discount_amount":"2.5","discount_code":"Y"}`, "completed A1 net 100 discount 250 by revenue USD coupon Y"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"coupon":"","coupon_id":7}`, "completed A1 net 100 by revenue USD coupon 7"},
		// Ends.
		{"Order Cancelled", `{"order_id":"A1","revenue":"whatever","currency":"none"}`, "cancelled A1"},
		{"Order Refunded", `{"order_id":"A1"}`, "refunded A1 full USD"},
		{"Order Refunded", `{"order_id":"A1","products":[]}`, "refunded A1 full USD"},
		{"Order Refunded", `{"order_id":"A1","total":5,"revenue":4}`, "refunded A1 500 USD"},
		{"refund", `{"transaction_id":"A1","value":4,"items":[{"price":1}]}`, "refunded A1 400 USD"},
		{"Order Refunded", `{"order_id":"A1","products":[{"price":2.5,"quantity":2},{"price":1}]}`, "refunded A1 600 USD"},
		{"Order Refunded", `{"order_id":"A1","products":[{"product_id":"P1"}]}`, "refunded A1 0 USD"},
		{"Order Refunded", `{"order_id":"A1","total":0}`, "refunded A1 0 USD"},
	} {
		text := fmt.Sprintf(`{"type":"track","userId":"u","messageId":"m1","event":%q`, c.event)
		if c.properties != "" {
			text += `,"properties":` + c.properties
		}
		ev, _, r := decode(t, Options{}, text+"}")
		if r != nil {
			t.Errorf("%s %s: %v", c.event, c.properties, r)
			continue
		}
		got := describeOrder(ev.Order)
		if strings.HasSuffix(c.want, "sha256:") {
			got = got[:min(len(got), len(c.want))]
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.event, c.properties, got, c.want)
		}
	}
	ev, _, _ := decode(t, Options{Currency: "EUR"}, `{"type":"track","userId":"u","event":"purchase","properties":{"value":"1"}}`)
	if ev.Order.Currency.String() != "EUR" || ev.Order.Net != 100 {
		t.Errorf("default currency: %+v", ev.Order)
	}
	ev, _, _ = decode(t, Options{}, `{"type":"page","userId":"u","event":"purchase","name":"purchase","properties":{"value":"1"}}`)
	if ev.Order.Kind != graph.OrderNone {
		t.Errorf("a page is no order: %+v", ev.Order)
	}
}

func describeOrder(o graph.OrderChange) string {
	if o.Kind == graph.OrderNone {
		return ""
	}
	text := [...]string{"", "completed", "updated", "cancelled", "refunded"}[o.Kind] + " " + string(o.ID)
	switch o.Kind {
	case graph.OrderCompleted, graph.OrderUpdated:
		text += fmt.Sprintf(" net %d", o.Net)
		if o.Discount > 0 {
			text += fmt.Sprintf(" discount %d", o.Discount)
		}
		text += " by " + o.Rule.String()
	case graph.OrderRefunded:
		if o.Full {
			text += " full"
		} else {
			text += fmt.Sprintf(" %d", o.Refund)
		}
	}
	if o.Currency != (graph.Currency{}) {
		text += " " + o.Currency.String()
	}
	if o.Coupon != nil {
		text += " coupon " + string(o.Coupon)
	}
	return text
}
