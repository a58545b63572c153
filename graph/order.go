package graph

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph/currency"
)

// Currency is an ISO 4217 code in capitals; the zero value stands for no currency.
type Currency [3]byte

func (c Currency) String() string {
	if c == (Currency{}) {
		return ""
	}
	return string(c[:])
}

// OpenDecimals is how many decimals an amount has whose event names no currency: one more than any currency, so
// that it can still be rounded once the order's currency is known. Digits beyond them are cut off, not rounded.
const OpenDecimals = currency.DecimalsMax + 1

// OrderKind says what an event does to an order.
type OrderKind uint8

// The order kinds.
const (
	OrderNone      OrderKind = iota
	OrderCompleted           // placed; the time of the earliest is the order's time
	OrderUpdated             // replaces totals
	OrderCancelled           // the order counts for nothing, whatever else is known of it
	OrderRefunded            // adds a refund
)

// NetRule says which property of an order gave its net revenue, in the declared order of preference.
type NetRule uint8

// The net revenue rules, the most preferred first.
const (
	NetNone     NetRule = iota // the event carries no money that could be read
	NetRevenue                 // revenue
	NetSubtotal                // subtotal
	NetTotal                   // total - tax - shipping
	NetValue                   // value
	NetItems                   // sum of price x quantity, less discount
)

var netRuleNames = [...]string{"none", "revenue", "subtotal", "total", "value", "items"}

func (r NetRule) String() string {
	if int(r) < len(netRuleNames) {
		return netRuleNames[r]
	}
	return ""
}

// OrderChange is what one event says of one order. Amounts are in minor units of Currency; where the event is Open,
// in units of 10^-OpenDecimals of the order's currency.
type OrderChange struct {
	Kind OrderKind
	Rule NetRule
	// Open says that the event names no currency. Its amounts are then in the currency that another event of the order
	// names. Where none does, an order's is Currency, the default of the configuration; a refund has none.
	Open     bool
	Currency Currency
	Net      int64
	Discount int64
	ID       []byte
	Coupon   []byte
	Refund   RefundChange // of a refund
	Lines    []OrderLine  // of an order, its lines with a price; of a refund, those without; at most LinesMax
}

// LinesMax bounds the lines of an order, and those of a refund.
const LinesMax = 64

// OrderLine is a line of an order. Its names are hashes of the product's names; 0 stands for no name.
type OrderLine struct {
	Product  uint32
	SKU      uint32
	Variant  uint32
	Price    int64 // of one, in 10^-OpenDecimals of the currency's unit; 0 in a refund, which takes the order's
	Quantity int64 // in thousandths
}

// QuantityDecimals is how many decimals a line's quantity has.
const QuantityDecimals = 3

func (l *OrderLine) compare(m *OrderLine) int {
	return cmp.Or(cmp.Compare(l.Product, m.Product), cmp.Compare(l.SKU, m.SKU), cmp.Compare(l.Variant, m.Variant),
		cmp.Compare(l.Price, m.Price), cmp.Compare(l.Quantity, m.Quantity))
}

func compareLines(a, b []OrderLine) int {
	return slices.CompareFunc(a, b, func(l, m OrderLine) int { return l.compare(&m) })
}

// is reports whether a line of a refund may mean a line of its order: the names that both have are equal, and the
// product or the stock keeping unit is among them. Systems call one thing by either.
func (l *OrderLine) is(ordered *OrderLine) bool {
	same := func(a, b uint32) bool { return a != 0 && a == b }
	apart := func(a, b uint32) bool { return a != 0 && b != 0 && a != b }
	if apart(l.Variant, ordered.Variant) {
		return false
	}
	if same(l.Product, ordered.Product) {
		return !apart(l.SKU, ordered.SKU)
	}
	if apart(l.Product, ordered.Product) {
		return false
	}
	return same(l.SKU, ordered.SKU) || same(l.Product, ordered.SKU) || same(l.SKU, ordered.Product)
}

// OrderEvidence is what a fragment knows of one order: registers and sets that fold into an OrderState.
type OrderEvidence struct {
	ID        string
	Completed int64 // earliest completed event, noTime without one
	Updated   int64 // earliest updated event, noTime without one
	Cancelled bool
	LeftOut   bool // there are more than RefundsMax refunds
	Named     NamedCurrency
	Totals    OrderTotals
	Lines     *OrderLines // nil without any
	Refunds   []Refund    // by key
}

// OrderTotals is the register of an order's totals. Money is in minor units of Currency, or Open, as in OrderChange.
type OrderTotals struct {
	Stamp    Stamp
	Net      int64
	Discount int64
	Currency Currency
	Rule     NetRule
	Open     bool
	Coupon   string
}

// NamedCurrency is the register of the currency that an order's events name: the last one, of equal times the code that
// comes last. Currency is zero while none did.
type NamedCurrency struct {
	At       int64
	Currency Currency
}

func (n *NamedCurrency) offer(m NamedCurrency) {
	if m.Currency == (Currency{}) {
		return
	}
	if n.Currency == (Currency{}) || cmp.Or(cmp.Compare(n.At, m.At), bytes.Compare(n.Currency[:], m.Currency[:])) < 0 {
		*n = m
	}
}

// OrderLines is the register of an order's lines. It is never changed in place.
type OrderLines struct {
	Stamp Stamp
	Lines []OrderLine
}

func (l *OrderLines) less(m *OrderLines) bool {
	switch {
	case m == nil:
		return false
	case l == nil:
		return true
	}
	return cmp.Or(l.Stamp.Compare(m.Stamp), compareLines(l.Lines, m.Lines)) < 0
}

// NewOrderEvidence is an order of which nothing is known.
func NewOrderEvidence(id string) OrderEvidence {
	return OrderEvidence{ID: id, Completed: noTime, Updated: noTime}
}

func (f *Fragment) foldOrder(e *Event) {
	change := &e.Order
	i, found := searchOrder(f.Orders, change.ID)
	if !found {
		f.Orders = slices.Insert(f.Orders, i, NewOrderEvidence(string(change.ID)))
	}
	order := &f.Orders[i]
	switch change.Kind {
	case OrderCompleted:
		order.Completed = earliest(order.Completed, e.Stamp.Time)
		order.offer(e)
	case OrderUpdated:
		order.Updated = earliest(order.Updated, e.Stamp.Time)
		order.offer(e)
	case OrderCancelled:
		order.Cancelled = true
	case OrderRefunded:
		order.addRefund(e)
	}
}

func searchOrder(orders []OrderEvidence, id []byte) (int, bool) {
	lo, hi := 0, len(orders)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if orders[mid].ID < string(id) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(orders) && orders[lo].ID == string(id)
}

// known reports whether any event gave totals.
func (o *OrderEvidence) hasTotals() bool { return o.Completed != noTime || o.Updated != noTime }

// offer folds what a completed or updated event says of the order's totals.
func (o *OrderEvidence) offer(e *Event) {
	c := &e.Order
	o.Totals.offer(e)
	if !c.Open {
		o.Named.offer(NamedCurrency{At: e.Stamp.Time, Currency: c.Currency})
	}
	if len(c.Lines) > 0 {
		if lines := (OrderLines{Stamp: e.Stamp, Lines: c.Lines}); o.Lines.less(&lines) {
			o.Lines = &OrderLines{Stamp: e.Stamp, Lines: slices.Clone(c.Lines)}
		}
	}
}

func (t *OrderTotals) offer(e *Event) {
	c := &e.Order
	offered := OrderTotals{Stamp: e.Stamp, Net: c.Net, Discount: c.Discount, Currency: c.Currency, Rule: c.Rule, Open: c.Open}
	if order := t.compareNumbers(&offered); order > 0 || order == 0 && t.Coupon >= string(c.Coupon) {
		return
	}
	offered.Coupon = t.Coupon
	if t.Coupon != string(c.Coupon) {
		offered.Coupon = string(c.Coupon)
	}
	*t = offered
}

// compareNumbers orders totals by all but the coupon. An event without money says nothing of
// totals: it is below every one that carries some.
func (t *OrderTotals) compareNumbers(o *OrderTotals) int {
	if (t.Rule == NetNone) != (o.Rule == NetNone) {
		return sign(t.Rule == NetNone)
	}
	c := cmp.Or(t.Stamp.Compare(o.Stamp), cmp.Compare(t.Net, o.Net), cmp.Compare(t.Discount, o.Discount),
		bytes.Compare(t.Currency[:], o.Currency[:]), cmp.Compare(t.Rule, o.Rule))
	if c == 0 && t.Open != o.Open {
		return sign(o.Open)
	}
	return c
}

func (t *OrderTotals) less(o *OrderTotals) bool {
	return cmp.Or(t.compareNumbers(o), strings.Compare(t.Coupon, o.Coupon)) < 0
}

// merge adds what o knows of the same order. It changes nothing that o or p point to.
func (o *OrderEvidence) merge(p *OrderEvidence) {
	o.Completed = earliest(o.Completed, p.Completed)
	o.Updated = earliest(o.Updated, p.Updated)
	o.Cancelled = o.Cancelled || p.Cancelled
	o.Named.offer(p.Named)
	if o.Totals.less(&p.Totals) {
		o.Totals = p.Totals
	}
	if o.Lines.less(p.Lines) {
		o.Lines = p.Lines
	}
	o.mergeRefunds(p)
}

// size estimates the order's memory in bytes.
func (o *OrderEvidence) size() int {
	size := 200 + len(o.ID) + len(o.Totals.Coupon)
	if o.Lines != nil {
		size += 48 + lineSize*cap(o.Lines.Lines)
	}
	for i := range o.Refunds {
		size += refundSize + lineSize*len(o.Refunds[i].Lines)
	}
	return size
}

const lineSize = 32

// settle turns an open amount into minor units of a currency with that many decimals, half away from zero.
func settle(open int64, decimals int) int64 {
	for range OpenDecimals - 1 - decimals {
		open /= 10
	}
	last := open % 10
	open /= 10
	switch {
	case last >= 5:
		open++
	case last <= -5:
		open--
	}
	return open
}

// cost is price times quantity of a line in minor units, rounded once, at the end; what is beyond 63 bits stays there.
func cost(price, quantity int64, decimals int) int64 {
	hi, lo := bits.Mul64(uint64(max(price, 0)), uint64(max(quantity, 0)))
	unit := uint64(1)
	for range OpenDecimals + QuantityDecimals - decimals {
		unit *= 10
	}
	if hi >= unit {
		return maxInt64
	}
	quotient, rest := bits.Div64(hi, lo, unit)
	if rest >= unit/2 {
		quotient++
	}
	if quotient > maxInt64 {
		return maxInt64
	}
	return int64(quotient)
}
