package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/money"
)

func TestOrders(t *testing.T) {
	long := strings.Repeat("o", 101)
	for _, c := range []struct {
		event, properties string
		want              string // of the order, as below; empty without an order
	}{
		// The customer.
		{"Order Completed", `{"order_id":"A1","revenue":1}`, "completed A1 net 100 by revenue USD?"},
		{"Order Completed", `{"orderId":7,"revenue":1}`, "completed 7 net 100 by revenue USD?"},
		{"purchase", `{"transaction_id":"T1","value":1}`, "completed T1 net 100 by value USD?"},
		{"Order Completed", `{"transaction_id":"T1","order_id":"","orderId":"O1"}`, "completed O1 net 0 by none USD?"},
		{"Order Completed", `{"checkout_id":"C1","revenue":1}`, "completed m1 net 100 by revenue USD?"},
		{"Order Completed", ``, "completed m1 net 0 by none USD?"},
		{"Order Completed", `{"order_id":"` + long + `"}`, "completed sha256:"},
		{"Order Updated", `{"revenue":"$1"}`, ""},
		{"Order Completed", `{"order_id":1001.0,"revenue":1}`, "completed 1001 net 100 by revenue USD?"},
		{"Order Completed", `{"order_id":1.0015e4,"revenue":1}`, "completed 10015 net 100 by revenue USD?"},
		{"Order Completed", `{"order_id":1.5,"revenue":1}`, "completed 1.5 net 100 by revenue USD?"},
		{"Order Completed", `{"order_id":" A1 ","revenue":1}`, "completed A1 net 100 by revenue USD?"},
		{"Order Completed", `{"order_id":false,"orderId":"A1","revenue":1}`, "completed A1 net 100 by revenue USD?; order_id bad_type"},
		{"Order Completed", `{"order_id":[],"revenue":1}`, "completed m1 net 100 by revenue USD?; order_id bad_type"},
		{"purchase", `{"transaction_id":"(not set)","value":1}`, "completed m1 net 100 by value USD?; transaction_id junk_id"},
		{"Order Completed", `{"order_id":0,"orderId":"A1","revenue":1}`, "completed A1 net 100 by revenue USD?; order_id junk_id"},
		{"Order Refunded", `{"order_id":"undefined","total":1}`, "; order_id junk_id"},
		{"Order Cancelled", `{"order_id":"null"}`, "; order_id junk_id"},
		{"Order Refunded", `{"order_id":"A1","total":1,"refund_id":"None"}`, "refunded A1 1; refund_id junk_id"},
		{"Order Cancelled", `{"checkout_id":"C1"}`, ""},
		{"Order Refunded", `{}`, ""},
		{"Product Viewed", `{"order_id":"A1","revenue":1}`, ""},
		// Which rule gives the net revenue.
		{"Order Completed", `{"order_id":"A1","revenue":1,"subtotal":2,"total":3,"value":4,"products":[{"price":5}]}`, "completed A1 net 100 by revenue USD?"},
		{"Order Completed", `{"order_id":"A1","subtotal":2,"total":3,"value":4}`, "completed A1 net 200 by subtotal USD?"},
		{"Order Completed", `{"order_id":"A1","total":13.5,"tax":"1.25","shipping":2,"value":4}`, "completed A1 net 1025 by total USD?"},
		{"Order Completed", `{"order_id":"A1","total":0,"shipping":4.99}`, "completed A1 net 0 by total USD?"},
		{"Order Completed", `{"order_id":"A1","value":4,"products":[{"price":5}]}`, "completed A1 net 400 by value USD?"},
		{"Order Completed", `{"order_id":"A1","products":[{"price":19.99,"quantity":3},{"price":"0.5"},{"name":"gift"}],"discount":10}`, "completed A1 net 5047 discount 1000 by items USD?"},
		{"Order Completed", `{"order_id":"A1","items":[{"price":0.333,"quantity":3}],"discount":2}`, "completed A1 net 0 discount 200 by items USD?"},
		{"Order Completed", `{"order_id":"A1","products":[{"name":"gift"}]}`, "completed A1 net 0 by none USD?"},
		{"Order Completed", `{"order_id":"A1","products":[]}`, "completed A1 net 0 by none USD?"},
		{"Order Updated", `{"order_id":"A1","revenue":null,"subtotal":"","total":3}`, "updated A1 net 300 by total USD?"},
		{"Order Completed", `{"order_id":"A1","r\u0065venue":"1\u0039.99"}`, "completed A1 net 1999 by revenue USD?"},
		// Currencies.
		{"Order Completed", `{"order_id":"A1","revenue":1999.5,"currency":"jpy"}`, "completed A1 net 2000 by revenue JPY"},
		{"Order Completed", `{"order_id":"A1","revenue":1.9995,"currency":"KWD"}`, "completed A1 net 2000 by revenue KWD"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":""}`, "completed A1 net 100 by revenue USD?"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency_code":"EUR"}`, "completed A1 net 100 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":"","currencyCode":"jpy"}`, "completed A1 net 1 by revenue JPY"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":"GBP","currencyCode":7}`, "completed A1 net 100 by revenue GBP"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency_code":978}`, "completed A1 net 0 by none USD?; currency_code bad_type"},
		// Discounts and coupons.
		{"Order Completed", `{"order_id":"A1","revenue":1,"discount":2,"coupon":"X"}`, "completed A1 net 100 discount 200 by revenue USD? coupon X"},
		{"transaction", `{"transaction_id":"A1","revenue":1,"discount_amount":"2.5","discount_code":"Y"}`, "completed A1 net 100 discount 250 by revenue USD? coupon Y"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"coupon":"","coupon_id":7}`, "completed A1 net 100 by revenue USD? coupon 7"},
		{
			"Order Completed", `{"order_id":"A1","revenue":1,"coupon":"None","coupon_id":0,"discount_code":"GUEST"}`,
			"completed A1 net 100 by revenue USD? coupon GUEST; coupon junk_id; coupon_id junk_id",
		},
		// Ends.
		{"Order Cancelled", `{"order_id":"A1","revenue":"whatever","currency":"none"}`, "cancelled A1"},
		{"order_canceled", `{"order_id":"A1"}`, "cancelled A1"},
		{"Order Refunded", `{"order_id":"A1"}`, "refunded A1 full"},
		{"Order Refunded", `{"order_id":"A1","products":[]}`, "refunded A1 full"},
		{"Order Refunded", `{"order_id":"A1","amount":-20,"currency":"EUR"}`, "refunded A1 2000 EUR"},
		{"Order Refunded", `{"order_id":"A1","total":100,"refund_amount":"20.00","currency":"EUR"}`, "refunded A1 2000 EUR"},
		{"Order Refunded", `{"order_id":"A1","refundAmount":"€24","tax":4}`, "refunded A1 2000 EUR"},
		{"Order Refunded", `{"order_id":"A1","refund":{"id":"r1","amount":20},"currency":"EUR"}`, "refunded A1 2000 EUR"},
		{"Order Refunded", `{"order_id":"A1","total":100,"refund_amount":"n/a","currency":"EUR"}`, "refunded A1 unknown EUR; refund_amount bad_money"},
		{"Order Refunded", `{"order_id":"A1","amount":[],"currency":"EUR"}`, "refunded A1 unknown EUR; amount bad_type"},
		{"Order Completed", `{"order_id":"A1","amount":20,"refund_amount":3,"refund":{"amount":[]},"currency":"EUR"}`, "completed A1 net 0 by none EUR"},
		{"Order Refunded", `{"order_id":"A1","total":null,"products":{}}`, "refunded A1 full"},
		{"Order Refunded", `{"order_id":"A1","total":5,"revenue":4}`, "refunded A1 5"},
		{"refund", `{"transaction_id":"A1","value":4,"items":[{"price":1}]}`, "refunded A1 4"},
		{"Order Refunded", `{"order_id":"A1","products":[{"price":2.5,"quantity":2},{"price":1}]}`, "refunded A1 6"},
		{"Order Refunded", `{"order_id":"A1","products":[{"product_id":"P1"}]}`, "refunded A1 0 and 1 of 1 line"},
		{"Order Refunded", `{"order_id":"A1","products":[{"product_id":"P1","quantity":-2},{"price":"-1.5"}]}`, "refunded A1 1.5 and 2 of 1 line"},
		{"Order Refunded", `{"order_id":"A1","products":[{"name":"gift"}]}`, "refunded A1 unknown"},
		{"Order Refunded", `{"order_id":"A1","products":[{"product_id":"P1","quantity":"all"}]}`, "refunded A1 unknown; products[].quantity bad_money"},
		{"Order Refunded", `{"order_id":"A1","products":[{"product_id":"P1","price":"n/a"}]}`, "refunded A1 unknown; products[].price bad_money"},
		{"Order Refunded", `{"order_id":"A1","products":"P1"}`, "refunded A1 unknown; products bad_type"},
		{"Order Refunded", `{"order_id":"A1","total":0}`, "refunded A1 0"},
		{"Order Refunded", `{"order_id":"A1","total":"n/a"}`, "refunded A1 unknown; total bad_money"},
		{"Order Refunded", `{"order_id":"A1","total":"n/a","value":3}`, "refunded A1 3; total bad_money"},
		{"Order Refunded", `{"order_id":"A1","total":"-30.00","currency":"EUR"}`, "refunded A1 3000 EUR"},
		{"Order Refunded", `{"order_id":"A1","total":-30}`, "refunded A1 30"},
		{"Order Refunded", `{"order_id":"A1","total":119,"tax":-19,"currency":"EUR"}`, "refunded A1 10000 EUR"},
		{"Order Refunded", `{"order_id":"A1","tax":5}`, "refunded A1 0"},
		{"Order Refunded", `{"order_id":"A1","shipping":4.99,"currency":"EUR"}`, "refunded A1 0 EUR"},
		{"Order Refunded", `{"order_id":"A1","total":"2.500"}`, "refunded A1 2.5 if of thousandths"},
		{"Order Refunded", `{"order_id":"A1","total":"2.500","currency":"KWD"}`, "refunded A1 2500 KWD"},
		{"Order Refunded", `{"order_id":"A1","total":"2.500","currency":"EUR"}`, "refunded A1 unknown EUR; total bad_money"},
		{"Order Refunded", `{"order_id":"A1","total":3,"currency":"QQQ"}`, "refunded A1 unknown; currency bad_currency"},
		{"Order Refunded", `{"order_id":"A1","currency":"QQQ"}`, "refunded A1 full; currency bad_currency"},
		{"Order Refunded", `{"order_id":"A1","total":"€3"}`, "refunded A1 300 EUR"},
		// One odd field costs that field.
		{"Order Completed", `{"order_id":"A1","revenue":" 59.90 ","currency":" eur "}`, "completed A1 net 5990 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":"$59.90","currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":"$59.90"}`, "completed A1 net 5990 by revenue USD"},
		{"Order Completed", `{"order_id":"A1","revenue":"59,90 €"}`, "completed A1 net 5990 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":"¥59"}`, "completed A1 net 0 by none USD?; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":"1.234,56","currency":"EUR"}`, "completed A1 net 123456 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":"1,299.00","currency":"EUR"}`, "completed A1 net 129900 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":"1,234","currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":"1.234","currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":1.234,"currency":"EUR"}`, "completed A1 net 123 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":"1,234","currency":"JPY"}`, "completed A1 net 1234 by revenue JPY"},
		{"Order Completed", `{"order_id":"A1","revenue":"12.500","currency":"KWD"}`, "completed A1 net 12500 by revenue KWD"},
		{"Order Completed", `{"order_id":"A1","revenue":"n/a","subtotal":4,"currency":"EUR"}`, "completed A1 net 400 by subtotal EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":"n/a","total":5,"currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":"n/a","total":5,"tax":1,"shipping":0,"currency":"EUR"}`, "completed A1 net 400 by total EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","total":5,"tax":"n/a","currency":"EUR"}`, "completed A1 net 0 by none EUR; tax bad_money"},
		{"Order Completed", `{"order_id":"A1","total":5,"tax":"n/a","value":4,"currency":"EUR"}`, "completed A1 net 400 by value EUR; tax bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":59.9,"tax":"n/a","currency":"EUR"}`, "completed A1 net 5990 by revenue EUR; tax bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":59.9,"shipping":false,"currency":"EUR"}`, "completed A1 net 5990 by revenue EUR; shipping bad_type"},
		{"Order Completed", `{"order_id":"A1","revenue":59.9,"discount":"10%","currency":"EUR"}`, "completed A1 net 5990 by revenue EUR; discount bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":90,"discount":-10,"currency":"EUR"}`, "completed A1 net 9000 discount 1000 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":-90,"currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":"NaN","tax":"Infinity","currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_money; tax bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":"1e2","currency":"EUR"}`, "completed A1 net 10000 by revenue EUR"},
		{"Order Completed", `{"order_id":"A1","revenue":1e30,"currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_money"},
		{"Order Completed", `{"order_id":"A1","revenue":{},"currency":"EUR"}`, "completed A1 net 0 by none EUR; revenue bad_type"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":"QQQ"}`, "completed A1 net 0 by none USD?; currency bad_currency"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":false}`, "completed A1 net 0 by none USD?; currency bad_type"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":"EUR","coupon":["A","B"]}`, "completed A1 net 100 by revenue EUR coupon A; coupon bad_type"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":"EUR","coupon":[{"code":"A","amount":5}]}`, "completed A1 net 100 by revenue EUR coupon A"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":"EUR","coupon":[]}`, "completed A1 net 100 by revenue EUR; coupon bad_type"},
		{"Order Completed", `{"order_id":"A1","revenue":1,"currency":"EUR","coupon":false}`, "completed A1 net 100 by revenue EUR; coupon bad_type"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":[{"price":5},{"price":"5,00","quantity":"2.000"}]}`, "completed A1 net 1500 by items EUR"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":[{"price":5},{"price":"free"}]}`, "completed A1 net 0 by none EUR; products[].price bad_money"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":[{"price":5},{"price":5,"quantity":[]}]}`, "completed A1 net 0 by none EUR; products[].quantity bad_type"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":[{"price":5},null]}`, "completed A1 net 0 by none EUR; products[] bad_type"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":[{"price":5}],"discount":"10%"}`, "completed A1 net 0 by none EUR; discount bad_money"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":{"0":{"price":5},"2":{"price":6}}}`, "completed A1 net 1100 by items EUR"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":{"price":5}}`, "completed A1 net 0 by none EUR; products bad_type"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","revenue":7,"products":"two"}`, "completed A1 net 700 by revenue EUR; products bad_type"},
		{"Order Completed", `{"order_id":"A1","currency":"EUR","products":[{"product_id":"P","price":5},{"price":6}]}`, "completed A1 net 1100 by items EUR and 1 of 1 line"},
		{"Order Completed", `{"order_id":"A1","revenue":"100000000000000"}`, "completed A1 net 0 by none USD?; revenue bad_money"}, // too large while its currency is not named
	} {
		text := fmt.Sprintf(`{"type":"track","userId":"u","messageId":"m1","event":%q`, c.event)
		if c.properties != "" {
			text += `,"properties":` + c.properties
		}
		ev, stats, r := decode(t, Options{}, text+"}")
		if r != nil {
			t.Errorf("%s %s: %v", c.event, c.properties, r)
			continue
		}
		got := describeOrder(ev.Order)
		for _, drop := range stats.Fields.Keys() {
			got += "; " + strings.TrimPrefix(drop.Field, "properties.") + " " + string(drop.Code)
		}
		if strings.HasSuffix(c.want, "sha256:") {
			got = got[:min(len(got), len(c.want))]
		}
		if got != c.want {
			t.Errorf("%s %s:\n\t%s, want\n\t%s", c.event, c.properties, got, c.want)
		}
	}
	ev, _, _ := decode(t, Options{Currency: "EUR"}, `{"type":"track","userId":"u","event":"purchase","properties":{"value":"1"}}`)
	if ev.Order.Currency.String() != "EUR" || !ev.Order.Open || ev.Order.Net != 100_000 {
		t.Errorf("default currency: %+v", ev.Order)
	}
	ev, _, _ = decode(t, Options{}, `{"type":"page","userId":"u","event":"purchase","name":"purchase","properties":{"value":"1"}}`)
	if ev.Order.Kind != graph.OrderNone {
		t.Errorf("a page is no order: %+v", ev.Order)
	}
}

// The report of an odd amount names the value, the problem and the remedy.
func TestMoneyDropsTell(t *testing.T) {
	for _, c := range []struct{ properties, field, message, hint string }{
		{`"revenue":"$19.99","currency":"EUR"`, "properties.revenue", `"$19.99" is with the sign of a currency that the event does not name`, "properties.currency"},
		{`"tax":-1`, "properties.tax", `"-1" is negative`, "Order Refunded"},
		{`"revenue":"1,234"`, "properties.revenue", `"1,234" is either thousands or decimals`, "a number, not a string"},
		{`"total":1e30`, "properties.total", `"1e30" is too large`, "no more digits"},
		{`"revenue":true`, "properties.revenue", "is a boolean, want a number", "a number"},
		{`"currency":"dollars"`, "properties.currency", `"dollars" is not an ISO 4217 currency code`, "three letters"},
		{`"items":[{"price":1},{"price":"free"}]`, "properties.items[].price", `"free" is not a decimal number`, "19.99"},
		{`"products":[{"price":9e12},{"price":9e13}]`, "properties.products[].price", "too large", "no more digits"},
		{`"coupon":["A","B"]`, "properties.coupon", "the first is taken", "as a string"},
	} {
		d := NewDecoder(testRegistry(t), Options{})
		var ev graph.Event
		text := `{"type":"track","userId":"u","event":"Order Completed","properties":{"order_id":"1",` + c.properties + `}}`
		if err := d.Event([]byte(text), now, web, &ev); err != nil || ev.Order.Kind != graph.OrderCompleted {
			t.Errorf("%s: %v, %+v", c.properties, err, ev.Order)
			continue
		}
		told := d.Dropped()
		if len(told) != 1 || told[0].Field != c.field || !strings.Contains(told[0].Message, c.message) || !strings.Contains(told[0].Hint, c.hint) {
			t.Errorf("%s: %+v", c.properties, told)
		}
	}
}

func describeOrder(o graph.OrderChange) string {
	if o.Kind == graph.OrderNone {
		return ""
	}
	text := [...]string{"", "completed", "updated", "cancelled", "refunded"}[o.Kind] + " " + string(o.ID)
	amount := func(v int64) string {
		if !o.Open {
			return fmt.Sprint(v)
		}
		if o.Kind == graph.OrderRefunded {
			return string(money.AppendOpen(nil, v))
		}
		return fmt.Sprintf("%.0f", float64(v)/1000) // in cents
	}
	switch o.Kind {
	case graph.OrderCompleted, graph.OrderUpdated:
		text += " net " + amount(o.Net)
		if o.Discount > 0 {
			text += " discount " + amount(o.Discount)
		}
		text += " by " + o.Rule.String()
	case graph.OrderRefunded:
		switch o.Refund.Kind {
		case graph.RefundFull:
			text += " full"
		case graph.RefundUnknown:
			text += " unknown"
		default:
			text += " " + amount(o.Refund.Amount)
		}
		if o.Refund.Kind == graph.RefundThousandths {
			text += " if of thousandths"
		}
	}
	if o.Currency != (graph.Currency{}) {
		text += " " + o.Currency.String()
		if o.Open {
			text += "?"
		}
	}
	if len(o.Lines) > 0 {
		text += fmt.Sprintf(" and %d of %d line", o.Lines[0].Quantity/1000, len(o.Lines))
	}
	if o.Coupon != nil {
		text += " coupon " + string(o.Coupon)
	}
	return text
}

// Properties are read once, before or after the type, and the last of several counts.
func TestOrdersWhereverThePropertiesAre(t *testing.T) {
	const order = `"properties":{"order_id":"A1","revenue":1,"category":"Tea"}`
	for _, c := range []struct{ text, want string }{
		{`"type":"track",` + order, "completed A1 net 100 by revenue USD?"},
		{order + `,"type":"track"`, "completed A1 net 100 by revenue USD?"},
		{`"type":"page",` + order + `,"type":"track"`, "completed A1 net 100 by revenue USD?"},
		{`"type":" TRACK ",` + order, "completed A1 net 100 by revenue USD?"},
		{`"type":"track","properties":{"order_id":"A2","revenue":2,"total":3},` + order, "completed A1 net 100 by revenue USD?"},
		{`"type":"track",` + order + `,"properties":{}`, "completed m1 net 0 by none USD?"},
		{`"type":"track",` + order + `,"properties":null`, "completed m1 net 0 by none USD?"},
		{`"type":"page",` + order, ""},
	} {
		for _, paths := range [][]Path{nil, {{"properties.loyalty_card", "loyalty_card"}}} {
			d := NewDecoder(testRegistry(t), Options{Paths: paths})
			var ev graph.Event
			text := `{"messageId":"m1","userId":"u","event":"Order Completed",` + c.text + `}`
			if err := d.Event([]byte(text), now, web, &ev); err != nil {
				t.Fatal(err)
			}
			bought := len(ev.Interest.Categories) == 1
			if got := describeOrder(ev.Order); got != c.want || bought != strings.Contains(c.want, "A1") {
				t.Errorf("%s: %s, categories %s; want %s", text, got, ev.Interest.Categories, c.want)
			}
		}
	}
}
