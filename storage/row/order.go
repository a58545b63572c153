package row

import (
	"github.com/kindred-id/kindred/graph"
)

// Fields of an order change and its refund, of an order in a fragment's list, of its registers, and of lines and
// refunds in an order's lists.
const (
	orderChangeFields  = 10
	refundChangeFields = 3
	orderFields        = 8
	namedFields        = 2
	totalsFields       = 9
	linesFields        = 2
	lineFields         = 5
	refundFields       = 9

	orderLeast  = 8 // bytes
	lineLeast   = 5
	refundLeast = 9
)

// Flags of an order.
const (
	orderCancelled = 1 << iota
	orderLeftOut
	orderFlags = 1<<iota - 1
)

func (o *output) orderChange(c *graph.OrderChange) {
	if c.Kind == graph.OrderNone {
		o.null()
		return
	}
	o.array(orderChangeFields)
	o.uint(uint64(c.Kind))
	o.uint(uint64(c.Rule))
	o.bool(c.Open)
	o.currency(c.Currency)
	o.int(c.Net)
	o.int(c.Discount)
	o.bytes(c.ID)
	o.bytes(c.Coupon)
	if c.Kind == graph.OrderRefunded {
		o.array(refundChangeFields)
		o.uint(uint64(c.Refund.Kind))
		o.int(c.Refund.Amount)
		o.uint(c.Refund.Key)
	} else {
		o.null()
	}
	o.lines(c.Lines)
}

// orderChange reads an order change, and reuses c's lines.
func (in *input) orderChange(c *graph.OrderChange) {
	*c = graph.OrderChange{Lines: c.Lines[:0]}
	if in.null() {
		return
	}
	in.tuple(orderChangeFields)
	c.Kind = graph.OrderKind(in.enum("order kind", uint8(graph.OrderCompleted), uint8(graph.OrderRefunded)))
	c.Rule = in.netRule()
	c.Open = in.bool()
	c.Currency = in.currency()
	c.Net = in.int()
	c.Discount = in.int()
	c.ID = in.bytes()
	c.Coupon = in.bytes()
	if c.Kind == graph.OrderRefunded {
		in.tuple(refundChangeFields)
		c.Refund = graph.RefundChange{Kind: in.refundKind(), Amount: in.int(), Key: in.uint()}
	} else if at := in.at; !in.null() {
		in.fail(at, "a refund that is none")
	}
	c.Lines = in.lines(c.Lines)
}

func (in *input) netRule() graph.NetRule {
	return graph.NetRule(in.enum("net revenue rule", uint8(graph.NetNone), uint8(graph.NetItems)))
}

func (in *input) refundKind() graph.RefundKind {
	return graph.RefundKind(in.enum("kind of refund", uint8(graph.RefundAmount), uint8(graph.RefundThousandths)))
}

// currency writes a code, or nil for no currency.
func (o *output) currency(c graph.Currency) {
	if c == (graph.Currency{}) {
		o.null()
		return
	}
	o.blob(c[:])
}

func (in *input) currency() (c graph.Currency) {
	if in.null() {
		return c
	}
	at := in.at
	in.fixed("currency", c[:])
	if in.err == nil && c == (graph.Currency{}) {
		in.fail(at, "no currency is nil")
	}
	return c
}

func (o *output) lines(lines []graph.OrderLine) {
	o.array(lineFields * len(lines))
	for i := range lines {
		l := &lines[i]
		o.uint(uint64(l.Product))
		o.uint(uint64(l.SKU))
		o.uint(uint64(l.Variant))
		o.int(l.Price)
		o.int(l.Quantity)
	}
}

// lines reads lines and appends them to the given ones.
func (in *input) lines(lines []graph.OrderLine) []graph.OrderLine {
	at := in.at
	n := in.list(lineFields, lineLeast)
	if n > graph.LinesMax {
		in.fail(at, "%d lines, want at most %d", n, graph.LinesMax)
		return lines
	}
	if n > 0 && lines == nil {
		lines = make([]graph.OrderLine, 0, n)
	}
	for range n {
		lines = append(lines, graph.OrderLine{
			Product: in.uint32(), SKU: in.uint32(), Variant: in.uint32(), Price: in.int(), Quantity: in.int(),
		})
	}
	return lines
}

func (o *output) orders(orders []graph.OrderEvidence) {
	o.array(orderFields * len(orders))
	for i := range orders {
		order := &orders[i]
		flags := uint64(0)
		if order.Cancelled {
			flags |= orderCancelled
		}
		if order.LeftOut {
			flags |= orderLeftOut
		}
		o.text(order.ID)
		o.time(order.Completed)
		o.time(order.Updated)
		o.uint(flags)
		o.named(order)
		o.totals(&order.Totals)
		o.orderLines(order)
		o.refunds(order.Refunds)
	}
}

// orders reads a fragment's orders, in ascending order of distinct ids.
func (d *Decoder) orders(f *graph.Fragment) {
	in := &d.in
	n := in.list(orderFields, orderLeast)
	if n == 0 {
		return
	}
	f.Orders = make([]graph.OrderEvidence, 0, n)
	for i := range n {
		at := in.at
		order := graph.OrderEvidence{ID: d.text(), Completed: in.time(), Updated: in.time()}
		flags := in.upTo(orderFlags)
		order.Cancelled, order.LeftOut = flags&orderCancelled != 0, flags&orderLeftOut != 0
		named := in.at
		explicit := in.named(&order.Named)
		order.Totals = d.totals()
		if told := namedByTotals(&order.Totals); !explicit {
			order.Named = told
		} else if order.Named == told {
			in.fail(named, "the currency that totals name is nil")
		}
		order.Lines = in.orderLines(&order.Totals)
		order.Refunds = in.refunds()
		if in.err != nil {
			return
		}
		if i > 0 && f.Orders[i-1].ID >= order.ID {
			in.fail(at, "order %d is not in the order of ids", i)
			return
		}
		f.Orders = append(f.Orders, order)
	}
}

// namedByTotals is the currency that an order's events name, if it is the currency of its totals: so it is for nearly all orders.
func namedByTotals(t *graph.OrderTotals) graph.NamedCurrency {
	if t.Open || t.Currency == (graph.Currency{}) {
		return graph.NamedCurrency{}
	}
	return graph.NamedCurrency{At: t.Stamp.Time, Currency: t.Currency}
}

func (o *output) named(order *graph.OrderEvidence) {
	if order.Named == namedByTotals(&order.Totals) {
		o.null()
		return
	}
	o.array(namedFields)
	o.int(order.Named.At)
	o.currency(order.Named.Currency)
}

func (in *input) named(n *graph.NamedCurrency) (explicit bool) {
	if in.null() {
		return false
	}
	in.tuple(namedFields)
	n.At = in.int()
	n.Currency = in.currency()
	return true
}

func (o *output) totals(t *graph.OrderTotals) {
	if *t == (graph.OrderTotals{}) {
		o.null()
		return
	}
	o.array(totalsFields)
	o.stamp(t.Stamp)
	o.int(t.Net)
	o.int(t.Discount)
	o.currency(t.Currency)
	o.uint(uint64(t.Rule))
	o.bool(t.Open)
	o.text(t.Coupon)
}

func (d *Decoder) totals() (t graph.OrderTotals) {
	in := &d.in
	if in.null() {
		return t
	}
	at := in.at
	in.tuple(totalsFields)
	t.Stamp = in.stamp()
	t.Net = in.int()
	t.Discount = in.int()
	t.Currency = in.currency()
	t.Rule = in.netRule()
	t.Open = in.bool()
	t.Coupon = d.text()
	if t == (graph.OrderTotals{}) {
		in.fail(at, "totals without content are nil")
	}
	return t
}

// orderLines writes an order's lines. Their stamp is nil if it equals that of the totals, as it does nearly always.
func (o *output) orderLines(order *graph.OrderEvidence) {
	if order.Lines == nil {
		o.null()
		return
	}
	o.array(linesFields)
	if order.Lines.Stamp == order.Totals.Stamp {
		o.null()
	} else {
		o.array(3)
		o.stamp(order.Lines.Stamp)
	}
	o.lines(order.Lines.Lines)
}

func (in *input) orderLines(totals *graph.OrderTotals) *graph.OrderLines {
	if in.null() {
		return nil
	}
	at := in.at
	in.tuple(linesFields)
	l := &graph.OrderLines{Stamp: totals.Stamp}
	if !in.null() {
		in.tuple(3)
		if l.Stamp = in.stamp(); in.err == nil && l.Stamp == totals.Stamp {
			in.fail(at, "a stamp of lines that is that of totals is nil")
		}
	}
	if l.Lines = in.lines(nil); in.err == nil && len(l.Lines) == 0 {
		in.fail(at, "no lines are nil")
	}
	return l
}

func (o *output) refunds(refunds []graph.Refund) {
	o.array(refundFields * len(refunds))
	for i := range refunds {
		r := &refunds[i]
		o.uint(r.Key)
		o.stamp(r.Stamp)
		o.uint(uint64(r.Kind))
		o.bool(r.Open)
		o.currency(r.Currency)
		o.int(r.Amount)
		o.lines(r.Lines)
	}
}

// refunds reads an order's refunds, in ascending order of distinct keys.
func (in *input) refunds() []graph.Refund {
	at := in.at
	n := in.list(refundFields, refundLeast)
	if n == 0 {
		return nil
	}
	if n > graph.RefundsMax {
		in.fail(at, "%d refunds, want at most %d", n, graph.RefundsMax)
		return nil
	}
	refunds := make([]graph.Refund, 0, n)
	for i := range n {
		at := in.at
		r := graph.Refund{
			Key: in.uint(), Stamp: in.stamp(), Kind: in.refundKind(), Open: in.bool(), Currency: in.currency(), Amount: in.int(),
			Lines: in.lines(nil),
		}
		if in.err != nil {
			return nil
		}
		if i > 0 && refunds[i-1].Key >= r.Key {
			in.fail(at, "refund %d is not in the order of keys", i)
			return nil
		}
		refunds = append(refunds, r)
	}
	return refunds
}
