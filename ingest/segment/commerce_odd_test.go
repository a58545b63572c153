package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

// One odd field in a good order costs that field: the event, its identifiers, its order and every other field are taken, and the
// field is told under its own name. No figure comes out but the right one, or none.
func TestOneOddFieldOfAnOrder(t *testing.T) {
	good := map[string]string{
		"order_id": `"o1"`, "revenue": `90`, "tax": `17.1`, "shipping": `4.9`, "total": `112`, "discount": `10`, "coupon": `"SPRING"`,
		"currency": `"EUR"`, "products": `[{"product_id":"P1","price":50,"quantity":2}]`,
	}
	odd := []string{`false`, `true`, `{"a":1}`, `{}`, `[]`, `[1]`, `["x"]`, `"n/a"`, `"NaN"`, `"1,234"`, `"10%"`, `"€ $ 5"`, `1e300`, `"-"`, `"?"`, `"(5)"`}
	names := []string{"order_id", "revenue", "tax", "shipping", "total", "discount", "coupon", "currency", "products", "price", "quantity"}
	d := NewDecoder(testRegistry(t), Options{})
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "field")
		value := rapid.SampledFrom(odd).Draw(t, "value")
		kind := rapid.SampledFrom([]string{"Order Completed", "Order Updated", "Order Refunded"}).Draw(t, "event")
		var members []string
		for field, text := range good {
			switch {
			case field == name:
				text = value
			case field == "products" && name == "price":
				text = `[{"product_id":"P1","price":` + value + `,"quantity":2}]`
			case field == "products" && name == "quantity":
				text = `[{"product_id":"P1","price":50,"quantity":` + value + `}]`
			}
			members = append(members, fmt.Sprintf("%q:%s", field, text))
		}
		text := fmt.Sprintf(`{"type":"track","messageId":"m1","userId":"u1","anonymousId":"c1","event":%q,"properties":{%s}}`, kind, strings.Join(members, ","))
		d.Reset()
		var ev graph.Event
		if err := d.Event([]byte(text), now, web, &ev); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(ev.Identifiers) != 2 || string(ev.ID) != "m1" {
			t.Fatalf("%s: %+v", text, ev)
		}
		for _, drop := range d.Dropped() {
			if !strings.Contains(drop.Field, name) && !(name == "quantity" && strings.HasSuffix(drop.Field, "price")) {
				t.Fatalf("%s: %s was dropped", text, drop.Field)
			}
		}
		o := ev.Order
		switch {
		case o.Kind == graph.OrderNone:
			if name != "order_id" || kind == "Order Completed" {
				t.Fatalf("%s: no order", text)
			}
		case name == "currency":
			if o.Net != 0 || o.Refund.Amount != 0 || o.Refund.Kind == graph.RefundFull {
				t.Fatalf("%s: %+v", text, o)
			}
		case kind == "Order Refunded":
			// 112 - 17.1 - 4.9, or the revenue; less is taken off where tax or shipping could be read as something else.
			if o.Refund.Kind != graph.RefundAmount || o.Refund.Amount != 9000 {
				t.Fatalf("%s: %+v", text, o)
			}
		default:
			if o.Net != 9000 || o.Rule == graph.NetNone {
				t.Fatalf("%s: %+v", text, o)
			}
			if name != "discount" && o.Discount != 1000 || name != "coupon" && string(o.Coupon) != "SPRING" {
				t.Fatalf("%s: %+v", text, o)
			}
		}
	})
}
