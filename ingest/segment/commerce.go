package segment

import (
	"bytes"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/money"
)

// orderReader reads the properties of an order's event. A field with aliases has a value for each alias, in the order
// of preference. The reader drops what it can't read, and reads the rest.
//
//   - M1: no amount is guessed. A text that may mean two amounts is dropped.
//   - M2: an amount that depends on a dropped field is unknown. The next of the declared rules that depends on no
//     dropped field then applies; if there is no such rule, the order has no amount.
//   - M3: in a field that is subtracted by its meaning, a minus is notation.
//
// The steps follow from M2: pick collects the raw fields, readCurrency decides how to read amounts, readSums reads
// all of them, and only then net or refund chooses a rule, when every dropped field is known. Reading amounts on
// demand, the obvious way, would choose a rule before a later field turns out to be unreadable.
type orderReader struct {
	moneyReader
	fields [propertyRefund]jsonscan.Value // by meaning
	sums
}

// aliases are fields with one meaning, in the order of preference: from the first to before the end.
type aliases struct{ first, end int }

var (
	orderIDs       = aliases{propertyOrderID, propertyRefundID}
	refundIDs      = aliases{propertyRefundID, propertyCoupon}
	couponFields   = aliases{propertyCoupon, propertyDiscount}
	discountFields = aliases{propertyDiscount, propertyProducts}
	backFields     = aliases{propertyRefundAmount, propertyCurrency}
	currencyFields = aliases{propertyCurrency, propertyRevenue}
	declaredFields = aliases{propertyRevenue, propertyRefund} // in the order of sum
)

// read fills the event's order change.
//
//   - A completed order without an order id gets the event's id. Any other event without an order id stays an
//     ordinary event.
//   - A cancellation has no further content; other fields are ignored.
func (o *orderReader) read(d *commerceReader, kind graph.OrderKind, ev *graph.Event) {
	lines := ev.Order.Lines[:0]
	*o = orderReader{moneyReader: moneyReader{d: d, inRefund: kind == graph.OrderRefunded}}
	o.pick(d.properties.list)
	c := &ev.Order
	*c = graph.OrderChange{Kind: kind, ID: d.bounded(o.firstID(orderIDs)), Lines: lines}
	if len(c.ID) == 0 {
		if kind != graph.OrderCompleted {
			c.Kind = graph.OrderNone
			return
		}
		c.ID = ev.ID
	}
	if kind == graph.OrderCancelled {
		return
	}
	o.readCurrency()
	c.Currency, c.Open = o.code, !o.named
	o.readSums()
	if o.inRefund {
		if c.Open {
			c.Currency = graph.Currency{}
		}
		c.Refund.Key = refundKey(o.firstID(refundIDs))
		o.refund(c)
		return
	}
	o.net(c)
	c.Discount = o.amounts[sumDiscount]
	c.Coupon = d.bounded(o.coupon())
}

// pick collects the properties that matter to orders.
func (o *orderReader) pick(all []property) {
	for i := range all {
		switch means, v := all[i].means, all[i].value; {
		case means == propertyRefund:
			if o.inRefund && v.Kind == jsonscan.Object {
				o.fields[propertyRefundObjectID] = member(v, "id", &o.d.arena)
				o.fields[propertyRefundObjectAmount] = member(v, "amount", &o.d.arena)
			}
		case means == propertyAmount && !o.inRefund: // in other events the field may mean anything
		case int(means) < len(o.fields):
			o.fields[means] = v
		}
	}
}

// member returns the value of an object under a key.
func member(object jsonscan.Value, name string, arena *jsonscan.Arena) (found jsonscan.Value) {
	var s jsonscan.Scanner
	s.Reset(object.Raw, arena)
	s.Object()
	for s.Next() {
		key := s.Key()
		if v := s.Value(); string(key) == name {
			found = v
		}
	}
	return found
}

// firstID returns the first value that is an id, as text. A whole number is written without point and exponent, so
// that 1001.0 is the order 1001. Placeholders that programs print for an absent id, such as "undefined", are not ids:
// otherwise all such orders of a customer would be one.
func (o *orderReader) firstID(of aliases) []byte {
	for i := of.first; i < of.end; i++ {
		v := o.fields[i]
		var text []byte
		switch {
		case absent(v):
			continue
		case v.Kind == jsonscan.Number:
			text = wholeNumber(v.Raw, &o.d.arena)
		case v.Kind == jsonscan.String:
			text = money.TrimSpace(o.d.text(v))
		default:
			o.d.dropKind(propertyFields[i], "a string", v.Kind)
		}
		switch {
		case len(text) == 0:
		case identifier.Junk(text):
			o.d.dropQuoted(propertyFields[i], CodeJunkID, text, "names nothing, so the event is as one without it", "send an id, or leave the field out")
		default:
			return text
		}
	}
	return nil
}

// wholeNumber returns a JSON number, without point and exponent if it is whole.
func wholeNumber(text []byte, arena *jsonscan.Arena) []byte {
	if !bytes.ContainsAny(text, ".eE") || text[0] == '-' {
		return text
	}
	n, err := money.Parse(text, 0)
	if err != nil {
		return text
	}
	if again, err := money.Parse(text, 6); err != nil || again != n*1_000_000 {
		return text // it is not whole, or longer than any numeric id
	}
	return arena.Keep(fmt.Append(arena.Reserve(20), n))
}

// readCurrency finds the currency that the event names: in a property of its own, else beside an amount.
func (o *orderReader) readCurrency() {
	o.code, o.exponent = o.d.currency, graph.OpenDecimals
	for i := currencyFields.first; i < currencyFields.end; i++ {
		v, field := o.fields[i], propertyFields[i]
		if absent(v) {
			continue
		}
		if v.Kind != jsonscan.String {
			o.d.dropKind(field, "a string", v.Kind)
			o.lost = true
			return
		}
		code := money.TrimSpace(o.d.text(v))
		if len(code) == 0 {
			continue
		}
		c, err := money.ParseCurrency(code)
		if err != nil {
			o.d.dropQuoted(field, CodeBadCurrency, code, "is not an ISO 4217 currency code, so the event's amounts are not known",
				"send a code of three letters, as in USD")
			o.lost = true
			return
		}
		o.name(c)
		return
	}
	for i := declaredFields.first; i < declaredFields.end; i++ {
		if o.nameByMark(o.fields[i]) {
			return
		}
	}
	for i := backFields.first; i < backFields.end; i++ {
		if o.inRefund && o.nameByMark(o.fields[i]) {
			return
		}
	}
}

// net computes the net revenue of an order by the first rule whose amounts it has, and its lines with a price. A
// result below zero becomes zero: a voucher may pay for the delivery, too.
//
// An order with a better amount that can't be read is in doubt: a total may then include tax and shipping that the
// order does not state separately, and a product without a price may have a value.
func (o *orderReader) net(c *graph.OrderChange) {
	items := o.items(c)
	if o.lost {
		c.Lines = c.Lines[:0]
		return
	}
	doubt := o.state[sumRevenue] == amountOdd || o.state[sumSubtotal] == amountOdd
	switch {
	case o.state[sumRevenue] == amountGiven:
		c.Net, c.Rule = o.amounts[sumRevenue], graph.NetRevenue
	case o.state[sumSubtotal] == amountGiven:
		c.Net, c.Rule = o.amounts[sumSubtotal], graph.NetSubtotal
	case o.state[sumTotal] == amountGiven && o.sure(sumTax, doubt) && o.sure(sumShipping, doubt):
		// All three are non-negative, so neither step overflows.
		c.Net, c.Rule = max(0, o.amounts[sumTotal]-o.amounts[sumTax]-o.amounts[sumShipping]), graph.NetTotal
	case o.state[sumValue] == amountGiven:
		c.Net, c.Rule = o.amounts[sumValue], graph.NetValue
	case items.priced > 0 && !items.odd && (!doubt && o.state[sumTotal] != amountOdd || items.priced == items.listed) && o.sure(sumDiscount, false):
		c.Net, c.Rule = max(0, items.sum-o.amounts[sumDiscount]), graph.NetItems
	}
}

// refund determines what was refunded. A refund without amounts and products is of the whole order. A refund of tax
// or shipping alone does not change the net revenue.
func (o *orderReader) refund(c *graph.OrderChange) {
	items := o.items(c)
	r := &c.Refund
	lines := c.Lines
	c.Lines = c.Lines[:0]
	r.Kind = graph.RefundAmount
	stated := items.listed > 0 || items.odd
	for i := range sumsRefund {
		stated = stated || o.state[i] != amountAbsent
	}
	switch {
	case !stated:
		r.Kind = graph.RefundFull
	case o.lost:
		r.Kind = graph.RefundUnknown
	case o.state[sumBack] == amountOdd: // the remaining amounts may be the order's
		r.Kind = graph.RefundUnknown
	case o.gross(sumBack):
		r.Amount = o.less(sumBack)
	case o.gross(sumTotal):
		r.Amount = o.less(sumTotal)
	case o.state[sumRevenue] == amountGiven:
		r.Amount = o.amounts[sumRevenue]
	case o.state[sumSubtotal] == amountGiven:
		r.Amount = o.amounts[sumSubtotal]
	case o.state[sumValue] == amountGiven:
		r.Amount = o.amounts[sumValue]
	case o.gross(sumAmount):
		r.Amount = o.less(sumAmount)
	case items.odd, o.oddSum(), items.listed == 0 && o.stated(sumBack, sumTotal, sumAmount):
		r.Kind = graph.RefundUnknown
	default:
		r.Amount, c.Lines = items.sum, lines
	}
	if r.Kind == graph.RefundAmount && o.thousandths {
		r.Kind = graph.RefundThousandths
	}
}

// coupon returns the code that an order was placed with; of a list, the first.
func (o *orderReader) coupon() []byte {
	for i := couponFields.first; i < couponFields.end; i++ {
		v := o.fields[i]
		var text []byte
		switch {
		case absent(v):
		case isText(v):
			text = money.TrimSpace(o.d.text(v))
		case v.Kind == jsonscan.Array:
			text = o.couponOf(propertyFields[i], v)
		default:
			o.d.dropKind(propertyFields[i], "a string", v.Kind)
		}
		if !identifier.NoValue(text) {
			return text
		}
		if len(text) > 0 {
			o.d.dropQuoted(propertyFields[i], CodeJunkID, text, "is no coupon, so the order is as one without", "send a code, or leave the field out")
		}
	}
	return nil
}

// couponOf returns the first code of a list. Its elements are codes, or objects with one under "code".
func (o *orderReader) couponOf(field string, list jsonscan.Value) (first []byte) {
	var s jsonscan.Scanner
	s.Reset(list.Raw, &o.d.arena)
	s.Array()
	others := 0
	for s.More() {
		v := s.Value()
		if v.Kind == jsonscan.Object {
			v = member(v, "code", &o.d.arena)
		}
		switch text := money.TrimSpace(o.d.text(v)); {
		case len(first) == 0:
			first = text
		default:
			others++
		}
	}
	switch {
	case len(first) == 0:
		o.d.drop(field, CodeBadType, "is a list without a code", "send the code as a string, or leave the field out")
	case others > 0:
		o.d.drop(field, CodeBadType, "is a list of several codes: the first is taken, the others are left out",
			"send the code as a string; an order has one")
	}
	return first
}
