package document

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/money"
)

// OrderDetails are what the events of orders say of them beyond what a profile keeps: lines, tax and shipping. A profile
// has hashes of products alone, which refunds need, so details are read from the events themselves. Each detail is that
// of the order's latest event that has it, as amounts are. Make one with NewOrderDetails, show it the person's events,
// and hand it to AppendOrders.
type OrderDetails struct {
	events map[string][]orderEvent // by id of the orders that are wanted
	bytes  int
}

type orderEvent struct {
	stamp      graph.Stamp
	properties []byte
}

// detailBytes bounds the properties that are kept for one page of orders. Orders beyond it come without details.
const detailBytes = 16 << 20

// NewOrderDetails collects details of these orders.
func NewOrderDetails(orders []graph.OrderState) *OrderDetails {
	d := &OrderDetails{events: make(map[string][]orderEvent, len(orders))}
	for i := range orders {
		d.events[orders[i].ID] = nil
	}
	return d
}

// Observe notes what an event says of an order. It keeps a copy of the event's properties and reads them later: it is
// called where a shard waits for it.
func (d *OrderDetails) Observe(e *graph.Event) {
	if e.Order.Kind != graph.OrderCompleted && e.Order.Kind != graph.OrderUpdated {
		return
	}
	events, wanted := d.events[string(e.Order.ID)]
	if !wanted || d.bytes+len(e.Properties) > detailBytes {
		return
	}
	d.bytes += len(e.Properties)
	d.events[string(e.Order.ID)] = append(events, orderEvent{e.Stamp, bytes.Clone(e.Properties)})
}

// append appends the members "tax" to "lines" of an order, each after a comma.
func (d *OrderDetails) append(dst []byte, o *graph.OrderState) []byte {
	events := d.events[o.ID]
	slices.SortFunc(events, func(a, b orderEvent) int { return b.stamp.Compare(a.stamp) })
	var details struct {
		Tax      Amount      `json:"tax,omitempty"`
		Shipping Amount      `json:"shipping,omitempty"`
		Lines    []OrderLine `json:"lines,omitempty"`
	}
	for i := range events {
		var p map[string]json.RawMessage
		if json.Unmarshal(events[i].properties, &p) != nil {
			continue
		}
		if details.Tax == "" {
			details.Tax = amountOf(p["tax"], o.Currency)
		}
		if details.Shipping == "" {
			details.Shipping = amountOf(p["shipping"], o.Currency)
		}
		if len(details.Lines) == 0 {
			details.Lines = linesOf(p, o.Currency)
		}
	}
	text, err := json.Marshal(&details)
	if err != nil {
		return dst // an amount that is no number; there is none
	}
	if len(text) == len("{}") {
		return dst
	}
	return append(append(dst, ','), text[1:len(text)-1]...)
}

// linesOf reads the products of an order's properties. PHP writes lists with gaps as objects.
func linesOf(p map[string]json.RawMessage, c graph.Currency) []OrderLine {
	var lines []OrderLine
	list := first(p, "products", "items")
	var elements []json.RawMessage
	if json.Unmarshal(list, &elements) != nil {
		var byKey map[string]json.RawMessage
		if json.Unmarshal(list, &byKey) != nil {
			return lines
		}
		keys := make([]string, 0, len(byKey))
		for key := range byKey {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			elements = append(elements, byKey[key])
		}
	}
	for _, element := range elements {
		var f map[string]json.RawMessage
		if json.Unmarshal(element, &f) == nil && f != nil {
			lines = append(lines, lineOf(f, c))
		}
	}
	return lines
}

// lineOf reads one product.
func lineOf(f map[string]json.RawMessage, c graph.Currency) OrderLine {
	line := OrderLine{
		ProductID: textOf(first(f, "product_id", "productId", "item_id", "id")), SKU: textOf(first(f, "sku", "sky", "item_sku")),
		Name: textOf(first(f, "name", "item_name")), Brand: textOf(first(f, "brand", "item_brand")),
		Variant: textOf(first(f, "variant", "item_variant")), Category: textOf(first(f, "category", "item_category")),
		Coupon: textOf(f["coupon"]), Price: openOf(f["price"], money.Exponent(c)), Quantity: "1",
	}
	if q := openOf(f["quantity"], graph.QuantityDecimals); q != "" {
		line.Quantity = q
	}
	return line
}

// first is the first value that is there.
func first(f map[string]json.RawMessage, names ...string) json.RawMessage {
	for _, name := range names {
		if v := f[name]; v != nil && string(v) != "null" {
			return v
		}
	}
	return nil
}

// textOf is a text or a number as text; anything else is no text.
func textOf(v json.RawMessage) string {
	var text string
	var n json.Number
	if json.Unmarshal(v, &text) == nil {
		return text
	}
	if json.Unmarshal(v, &n) == nil {
		return n.String()
	}
	return ""
}

// amountOf reads an amount by the rules that amounts of orders are read by (package money); empty where it can't be read.
func amountOf(v json.RawMessage, c graph.Currency) Amount {
	text, negative, ok := decimalOf(v, money.Exponent(c))
	if !ok {
		return ""
	}
	minor, err := money.Parse(text, money.Exponent(c))
	if err != nil {
		return ""
	}
	if negative {
		minor = -minor
	}
	return Amount(money.Append(nil, minor, c))
}

// openOf reads a price or a quantity, which may have more decimals than amounts of the currency; empty where it can't be
// read.
func openOf(v json.RawMessage, decimals int) json.Number {
	text, negative, ok := decimalOf(v, decimals)
	if !ok {
		return ""
	}
	n, err := money.ParseOpen(text)
	if err != nil {
		return ""
	}
	if negative {
		n = -n
	}
	return json.Number(money.AppendOpen(nil, n))
}

// decimalOf reads a number, or an amount in a text, as a plain decimal.
func decimalOf(v json.RawMessage, decimals int) (text []byte, negative, ok bool) {
	var amount money.Text
	var room money.Room
	var quoted string
	var err error
	switch {
	case len(v) == 0:
		return nil, false, false
	case v[0] != '"':
		amount = money.ReadNumber(v)
	case json.Unmarshal(v, &quoted) != nil:
		return nil, false, false
	default:
		if amount, err = money.ReadText([]byte(quoted), &room); err != nil {
			return nil, false, false
		}
	}
	text, err = amount.In(decimals)
	return bytes.Clone(text), amount.Negative, err == nil && len(text) > 0
}
