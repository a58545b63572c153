package ingest

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/money"
)

// sum is one of the amounts that an order may declare.
type sum uint8

const (
	sumRevenue sum = iota
	sumSubtotal
	sumTotal
	sumTax
	sumShipping
	sumValue
	sumDiscount
	sumsEnd
)

var sumNames = [sumsEnd]string{"revenue", "subtotal", "total", "tax", "shipping", "value", "discount"}

// orderReader reads the properties of an order's event. Fields with aliases hold one value for each
// alias, in the order of preference. The first rejection sticks.
type orderReader struct {
	d         *Decoder
	ids       [3]jsonscan.Value
	coupons   [3]jsonscan.Value
	discounts [2]jsonscan.Value
	products  [2]jsonscan.Value
	currency  jsonscan.Value
	declared  [sumsEnd]jsonscan.Value

	amounts   [sumsEnd]int64
	given     [sumsEnd]bool
	exponent  int
	rejection *Rejection
}

// read fills the event's order change.
//   - An order completed without an order id is named by the event; any other such event is no
//     order's, and stays an ordinary event.
//   - A cancellation says nothing but that, whatever else it carries.
func (o *orderReader) read(d *Decoder, kind graph.OrderKind, ev *graph.Event) *Rejection {
	*o = orderReader{d: d}
	o.pick(ev.Properties)
	change := graph.OrderChange{Kind: kind, ID: d.bounded(o.firstText("order_id", o.ids[:]))}
	if len(change.ID) == 0 {
		if kind != graph.OrderCompleted {
			return o.rejection
		}
		change.ID = ev.ID
	}
	if kind != graph.OrderCancelled {
		change.Currency = o.readCurrency()
		o.exponent = money.Exponent(change.Currency)
		o.readSums()
		if kind == graph.OrderRefunded {
			change.Refund, change.Full = o.refund()
		} else {
			change.Net, change.Rule = o.net()
			change.Discount = o.amounts[sumDiscount]
			change.Coupon = d.bounded(o.firstText("coupon", o.coupons[:]))
		}
	}
	if o.rejection != nil {
		return o.rejection
	}
	ev.Order = change
	return nil
}

// pick finds the properties that matter. They have been scanned before, so they are valid.
func (o *orderReader) pick(properties []byte) {
	if properties == nil {
		return
	}
	var s jsonscan.Scanner
	s.Reset(properties, &o.d.arena)
	s.Object()
	for s.Next() {
		key := s.Key()
		v := s.Value()
		switch string(key) {
		case "order_id":
			o.ids[0] = v
		case "orderId":
			o.ids[1] = v
		case "transaction_id":
			o.ids[2] = v
		case "coupon":
			o.coupons[0] = v
		case "coupon_id":
			o.coupons[1] = v
		case "discount_code":
			o.coupons[2] = v
		case "discount":
			o.discounts[0] = v
		case "discount_amount":
			o.discounts[1] = v
		case "products":
			o.products[0] = v
		case "items":
			o.products[1] = v
		case "currency":
			o.currency = v
		case "revenue":
			o.declared[sumRevenue] = v
		case "subtotal":
			o.declared[sumSubtotal] = v
		case "total":
			o.declared[sumTotal] = v
		case "tax":
			o.declared[sumTax] = v
		case "shipping":
			o.declared[sumShipping] = v
		case "value":
			o.declared[sumValue] = v
		}
	}
}

func (o *orderReader) reject(r *Rejection) {
	if o.rejection == nil {
		o.rejection = r
	}
}

// firstText is the first of the values that is not absent or empty, as text.
func (o *orderReader) firstText(name string, values []jsonscan.Value) []byte {
	for _, v := range values {
		if absent(v) {
			continue
		}
		if !isText(v) {
			o.reject(badType("properties."+name, "a string", v.Kind))
			continue
		}
		if text := o.d.text(v); len(text) > 0 {
			return text
		}
	}
	return nil
}

func (o *orderReader) readCurrency() graph.Currency {
	values := [1]jsonscan.Value{o.currency}
	code := o.firstText("currency", values[:])
	if len(code) == 0 {
		return o.d.currency
	}
	c, err := money.ParseCurrency(code)
	if err != nil {
		o.reject(&Rejection{
			Code:    CodeBadCurrency,
			Field:   "properties.currency",
			Message: fmt.Sprintf("%s is %v", quote(code), err),
			Hint:    "send a code of three letters, as in USD",
		})
	}
	return c
}

// readSums reads every declared amount, so that a wrong one is found even where another decides.
func (o *orderReader) readSums() {
	for i, v := range o.declared {
		o.readSum(sum(i), v)
	}
	for _, v := range o.discounts {
		if !o.given[sumDiscount] {
			o.readSum(sumDiscount, v)
		}
	}
}

func (o *orderReader) readSum(i sum, v jsonscan.Value) {
	text, ok := o.number(v)
	if !ok {
		o.reject(badType("properties."+sumNames[i], "a number", v.Kind))
	}
	if text == nil {
		return
	}
	amount, err := money.Parse(text, o.exponent)
	if err != nil {
		o.reject(badMoney("properties."+sumNames[i], quote(text), err))
	}
	o.amounts[i], o.given[i] = amount, true
}

// number is the text of a number, which may stand in a string; nil when it is absent or empty. It is
// not ok when v is another kind of value.
func (o *orderReader) number(v jsonscan.Value) (text []byte, ok bool) {
	if !isText(v) {
		return nil, false
	}
	if text = o.d.text(v); len(text) == 0 {
		return nil, true
	}
	return text, true
}

// badMoney rejects an amount; what is its text as quoted, or a name for it.
func badMoney(field, what string, err error) *Rejection {
	hint := "send a plain decimal number, as in 19.99"
	switch {
	case errors.Is(err, money.ErrNegative):
		hint = "send amounts of zero or more; a refund is an Order Refunded event"
	case errors.Is(err, money.ErrRange):
		hint = "send the amount in the currency's unit, with no more digits than it has"
	}
	return &Rejection{Code: CodeBadMoney, Field: field, Message: fmt.Sprintf("%s is %v", what, err), Hint: hint}
}

// net is the net revenue of an order, by the first rule for which it has the amounts. What comes out
// below zero, as where a voucher pays for the delivery too, is zero.
func (o *orderReader) net() (int64, graph.NetRule) {
	switch {
	case o.given[sumRevenue]:
		return o.amounts[sumRevenue], graph.NetRevenue
	case o.given[sumSubtotal]:
		return o.amounts[sumSubtotal], graph.NetSubtotal
	case o.given[sumTotal]: // none of the three is negative, so neither step overflows
		return max(0, o.amounts[sumTotal]-o.amounts[sumTax]-o.amounts[sumShipping]), graph.NetTotal
	case o.given[sumValue]:
		return o.amounts[sumValue], graph.NetValue
	}
	items, _, priced := o.items()
	if !priced {
		return 0, graph.NetNone
	}
	return max(0, items-o.amounts[sumDiscount]), graph.NetItems
}

// refund is the amount of a refund. One that names neither an amount nor products is of the whole
// order. One that names products without prices is of a part, whose amount nobody knows: it is 0.
func (o *orderReader) refund() (amount int64, full bool) {
	for _, i := range [...]sum{sumTotal, sumRevenue, sumValue} {
		if o.given[i] {
			return o.amounts[i], false
		}
	}
	amount, listed, _ := o.items()
	return amount, listed == 0
}

// items sums price times quantity over the products, each line rounded to a minor unit. It counts
// the products, and tells whether any has a price.
func (o *orderReader) items() (total int64, listed int, priced bool) {
	list, name := o.products[0], "products"
	if absent(list) {
		list, name = o.products[1], "items"
	}
	if absent(list) {
		return 0, 0, false
	}
	if list.Kind != jsonscan.Array {
		o.reject(badType("properties."+name, "a list", list.Kind))
		return 0, 0, false
	}
	var s jsonscan.Scanner
	s.Reset(list.Raw, &o.d.arena)
	s.Array()
	for ; s.More(); listed++ {
		if kind := s.Peek(); kind != jsonscan.Object {
			o.reject(badType(fmt.Sprintf("properties.%s[%d]", name, listed), "an object", kind))
			return 0, 0, false
		}
		line, ok := o.line(&s, name, listed)
		if !ok {
			continue
		}
		sum, err := money.Add(total, line)
		if err != nil {
			o.reject(badMoney("properties."+name, "the sum", err))
			return 0, 0, false
		}
		total, priced = sum, true
	}
	return total, listed, priced
}

// line reads one product; ok is false when it has no price. A product without a quantity is one.
func (o *orderReader) line(s *jsonscan.Scanner, list string, index int) (amount int64, ok bool) {
	var price, quantity jsonscan.Value
	s.Object()
	for s.Next() {
		key := s.Key()
		switch v := s.Value(); string(key) {
		case "price":
			price = v
		case "quantity":
			quantity = v
		}
	}
	field := func(name string) string { return fmt.Sprintf("properties.%s[%d].%s", list, index, name) }
	priceText, priceOK := o.number(price)
	quantityText, quantityOK := o.number(quantity)
	switch {
	case !priceOK:
		o.reject(badType(field("price"), "a number", price.Kind))
	case !quantityOK:
		o.reject(badType(field("quantity"), "a number", quantity.Kind))
	}
	if priceText == nil {
		return 0, false
	}
	if quantityText == nil {
		quantityText = one
	}
	amount, err := money.ParseLine(priceText, quantityText, o.exponent)
	if err == nil {
		return amount, true
	}
	if _, wrong := money.Parse(priceText, o.exponent); wrong != nil || errors.Is(err, money.ErrRange) {
		o.reject(badMoney(field("price"), quote(priceText), err))
	} else {
		o.reject(badMoney(field("quantity"), quote(quantityText), err))
	}
	return 0, false
}

var one = []byte("1")
