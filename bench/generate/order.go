package generate

import "strconv"

// linesMax bounds the lines of a basket; a product added to a full basket is dropped, though its event is sent.
const linesMax = 4

// A basket is what a visit has put together.
type basket struct {
	products   [linesMax]uint16
	quantities [linesMax]uint8
	lines      uint8
}

func (b *basket) add(product uint16, quantity uint8) {
	if b.lines < linesMax {
		b.products[b.lines], b.quantities[b.lines] = product, quantity
		b.lines++
	}
}

// sum is the price of all lines in cents, before any discount, tax or shipping.
func (b *basket) sum() (cents int64) {
	for i := range b.lines {
		cents += catalogue()[b.products[i]].cents * int64(b.quantities[i])
	}
	return cents
}

// How an order's event gives its money: every one gives the same net (G5).
const (
	totalsAll      uint8 = iota // revenue, subtotal, total, tax, shipping
	totalsSubtotal              // no revenue
	totalsTotal                 // total, tax and shipping alone
	totalsValue                 // value alone
	totalsItems                 // products and discount alone
)

// An order is a basket that was bought. Its amounts follow from it, in cents.
type order struct {
	basket
	number  uint64
	percent uint8 // discount, of the items
	coupon  uint8 // its index, from 1; 0 for no coupon
	totals  uint8
	text    bool // money is written as text
}

// Amounts in cents: a discount in percent of the items and 8 % tax, both rounded down, and shipping of 4.99 up to a net
// of 50.00. net excludes tax and shipping.
func (o *order) discount() int64 { return o.sum() * int64(o.percent) / 100 }
func (o *order) net() int64      { return o.sum() - o.discount() }
func (o *order) tax() int64      { return o.net() * 8 / 100 }

func (o *order) shipping() int64 {
	if o.net() > 5000 {
		return 0
	}
	return 499
}

// A till makes orders of baskets, and numbers them.
type till struct {
	dice                dice
	discount, textMoney threshold
	orders              uint64
}

// ring makes an order of a basket.
func (t *till) ring(b basket) order {
	o := order{basket: b, number: t.orders}
	t.orders++
	if t.dice.chance(t.discount) {
		switch t.dice.below(10) {
		case 0: // free delivery: a coupon without a discount
			o.coupon = uint8(len(coupons))
		case 1, 2, 3: // a sale: a discount without a coupon
			o.percent = 5 * uint8(t.dice.between(1, 5))
		default:
			o.percent = 5 * uint8(t.dice.between(1, 5))
			o.coupon = uint8(t.dice.between(1, uint32(len(coupons)-1)))
		}
	}
	// In twentieths: 14 all totals, 2 without revenue, 2 total with tax and shipping, 1 value alone, 1 products alone.
	switch n := t.dice.below(20); {
	case n < 14:
		o.totals = totalsAll
	case n < 16:
		o.totals = totalsSubtotal
	case n < 18:
		o.totals = totalsTotal
	case n < 19:
		o.totals = totalsValue
	default:
		o.totals = totalsItems
	}
	o.text = t.dice.chance(t.textMoney)
	return o
}

// appendOrderID appends the member order_id: HG- and twelve digits, of 100,000,000 plus the number of the order.
func appendOrderID(dst []byte, number uint64) []byte {
	dst = append(dst, `"order_id":"HG-`...)
	return append(appendDigits(dst, 100_000_000+number, 12), '"')
}

// appendAmount appends a member with an amount in dollars, as a number or, if the order says so, as a string.
func (o *order) appendAmount(dst []byte, name string, cents int64) []byte {
	dst = append(append(append(dst, ',', '"'), name...), '"', ':')
	if !o.text {
		return appendMoney(dst, cents)
	}
	return append(appendMoney(append(dst, '"'), cents), '"')
}

// appendTotals appends the members that give an order's money. The cases fall through from the most members to the
// fewest. Discount and coupon, if the order has them, and the currency follow in every case.
func (o *order) appendTotals(dst []byte) []byte {
	switch o.totals {
	case totalsAll:
		dst = o.appendAmount(dst, "revenue", o.net())
		fallthrough
	case totalsSubtotal:
		dst = o.appendAmount(dst, "subtotal", o.net())
		fallthrough
	case totalsTotal:
		dst = o.appendAmount(dst, "total", o.net()+o.tax()+o.shipping())
		dst = o.appendAmount(dst, "tax", o.tax())
		dst = o.appendAmount(dst, "shipping", o.shipping())
	case totalsValue:
		dst = o.appendAmount(dst, "value", o.net())
	}
	if o.percent > 0 {
		dst = o.appendAmount(dst, "discount", o.discount())
	}
	if o.coupon > 0 {
		dst = append(append(append(dst, `,"coupon":"`...), coupons[o.coupon-1]...), '"')
	}
	return append(dst, `,"currency":"USD"`...)
}

// appendProducts appends the member products, one object for each line.
func (b *basket) appendProducts(dst []byte) []byte {
	dst = append(dst, `,"products":[`...)
	for i := range b.lines {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendProduct(append(dst, '{'), b.products[i], b.quantities[i])
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendProduct(dst []byte, product uint16, quantity uint8) []byte {
	dst = append(append(dst, catalogue()[product].text...), `,"quantity":`...)
	return strconv.AppendUint(dst, uint64(quantity), 10)
}

// appendOrder appends an event with the totals and products of an order.
func (w *writer) appendOrder(dst []byte, event string, o *order, x *sender) []byte {
	dst = w.open(dst, kindTrack, event, x)
	dst = appendOrderID(append(dst, `,"properties":{`...), o.number)
	dst = o.appendProducts(o.appendTotals(dst))
	return w.close(append(dst, '}'), x)
}

// An orderFact is the content of an event about an order, for the truth.
type orderFact struct {
	kind     orderKind
	full     bool // refund of everything
	coupon   bool
	number   uint64
	net      int64
	discount int64
	refund   int64
}

type orderKind uint8

const (
	orderNone orderKind = iota
	orderCompleted
	orderUpdated
	orderCancelled
	orderRefunded
)

func (o *order) fact(kind orderKind) orderFact {
	return orderFact{kind: kind, number: o.number, net: o.net(), discount: o.discount(), coupon: o.coupon > 0}
}
