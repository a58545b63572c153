package row

import (
	"math"

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

// An orderWriter writes the order change of an event, and the orders of a fragment.
//
//	       +------+------+------+----------+-----+----------+----+--------+---------------+-----------+
//	change | kind | rule | open | currency | net | discount | id | coupon | refund or nil | lines, 5n |
//	       +----+-+------+--+---+-----+----+--+--+----+-----+--+-+-----+--+----------+----+-----------+
//	order  | id | completed | updated | flags | named | totals | lines | refunds, 9n |
//	       +----++----------+------+--+---+---+------++-------++-------+--+----------+
//	refund | key | stamp, 3 | kind | open | currency | amount | lines, 5n |
//	       +-----+----------+------+------+----------+--------+-----------+
//
// Two values are nil if they equal those of the totals, as they nearly always do: the stamp of the lines, and the
// currency that was named. A reader then rejects the long form of the same (C1).
type orderWriter struct{ *writer }

// An orderReader reads what an orderWriter writes.
type orderReader struct{ *reader }

func (out orderWriter) orderChange(c *graph.OrderChange) {
	if c.Kind == graph.OrderNone {
		out.null()
		return
	}
	out.array(orderChangeFields)
	out.uint(uint64(c.Kind))
	out.uint(uint64(c.Rule))
	out.bool(c.Open)
	out.currency(c.Currency)
	out.int(c.Net)
	out.int(c.Discount)
	out.bytes(c.ID)
	out.bytes(c.Coupon)
	if c.Kind == graph.OrderRefunded {
		out.array(refundChangeFields)
		out.uint(uint64(c.Refund.Kind))
		out.int(c.Refund.Amount)
		out.uint(c.Refund.Key)
	} else {
		out.null()
	}
	out.lines(c.Lines)
}

// orderChange reads an order change, and reuses c's lines.
func (in orderReader) orderChange(c *graph.OrderChange) {
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

func (in orderReader) netRule() graph.NetRule {
	return graph.NetRule(in.enum("net revenue rule", uint8(graph.NetNone), uint8(graph.NetItems)))
}

func (in orderReader) refundKind() graph.RefundKind {
	return graph.RefundKind(in.enum("kind of refund", uint8(graph.RefundAmount), uint8(graph.RefundThousandths)))
}

// currency writes a code, or nil for no currency.
func (out orderWriter) currency(c graph.Currency) {
	if c == (graph.Currency{}) {
		out.null()
		return
	}
	out.blob(c[:])
}

// currency reads a code. The empty code has one form, which is nil (C1).
func (in orderReader) currency() (c graph.Currency) {
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

func (out orderWriter) lines(lines []graph.OrderLine) {
	out.array(lineFields * len(lines))
	for i := range lines {
		l := &lines[i]
		out.uint(uint64(l.Product))
		out.uint(uint64(l.SKU))
		out.uint(uint64(l.Variant))
		out.int(l.Price)
		out.int(l.Quantity)
	}
}

// lines reads lines and appends them to the given ones.
func (in orderReader) lines(lines []graph.OrderLine) []graph.OrderLine {
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

func (out orderWriter) orders(orders []graph.OrderEvidence) {
	out.array(orderFields * len(orders))
	for i := range orders {
		order := &orders[i]
		flags := uint64(0)
		if order.Cancelled {
			flags |= orderCancelled
		}
		if order.LeftOut {
			flags |= orderLeftOut
		}
		out.text(order.ID)
		out.time(order.Completed)
		out.time(order.Updated)
		out.uint(flags)
		out.named(order)
		out.totals(&order.Totals)
		out.orderLines(order)
		out.refunds(order.Refunds)
	}
}

// orders reads a fragment's orders, in ascending order of distinct ids.
func (in orderReader) orders(f *graph.Fragment) {
	n := in.list(orderFields, orderLeast)
	if n == 0 {
		return
	}
	f.Orders = make([]graph.OrderEvidence, 0, n)
	for i := range n {
		at := in.at
		order := graph.OrderEvidence{ID: in.text(), Completed: in.time(), Updated: in.time()}
		flags := in.upTo(orderFlags)
		order.Cancelled, order.LeftOut = flags&orderCancelled != 0, flags&orderLeftOut != 0
		named := in.at
		explicit := in.named(&order.Named)
		order.Totals = in.totals()
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

func (out orderWriter) named(order *graph.OrderEvidence) {
	if order.Named == namedByTotals(&order.Totals) {
		out.null()
		return
	}
	out.array(namedFields)
	out.int(order.Named.At)
	out.currency(order.Named.Currency)
}

func (in orderReader) named(n *graph.NamedCurrency) (explicit bool) {
	if in.null() {
		return false
	}
	in.tuple(namedFields)
	n.At = in.int()
	n.Currency = in.currency()
	return true
}

func (out orderWriter) totals(t *graph.OrderTotals) {
	if *t == (graph.OrderTotals{}) {
		out.null()
		return
	}
	out.array(totalsFields)
	out.stamp(t.Stamp)
	out.int(t.Net)
	out.int(t.Discount)
	out.currency(t.Currency)
	out.uint(uint64(t.Rule))
	out.bool(t.Open)
	out.text(t.Coupon)
}

func (in orderReader) totals() (t graph.OrderTotals) {
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
	t.Coupon = in.text()
	if t == (graph.OrderTotals{}) {
		in.fail(at, "totals without content are nil")
	}
	return t
}

// orderLines writes an order's lines. Their stamp is nil if it equals that of the totals, as it does nearly always.
func (out orderWriter) orderLines(order *graph.OrderEvidence) {
	if order.Lines == nil {
		out.null()
		return
	}
	out.array(linesFields)
	if order.Lines.Stamp == order.Totals.Stamp {
		out.null()
	} else {
		out.array(3)
		out.stamp(order.Lines.Stamp)
	}
	out.lines(order.Lines.Lines)
}

func (in orderReader) orderLines(totals *graph.OrderTotals) *graph.OrderLines {
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

func (out orderWriter) refunds(refunds []graph.Refund) {
	out.array(refundFields * len(refunds))
	for i := range refunds {
		r := &refunds[i]
		out.uint(r.Key)
		out.stamp(r.Stamp)
		out.uint(uint64(r.Kind))
		out.bool(r.Open)
		out.currency(r.Currency)
		out.int(r.Amount)
		out.lines(r.Lines)
	}
}

// refunds reads an order's refunds, in ascending order of distinct keys.
func (in orderReader) refunds() []graph.Refund {
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

// never is the graph's time of an event that has not happened. It is stored as nil.
const never = math.MinInt64

func (out orderWriter) time(at int64) {
	if at == never {
		out.null()
		return
	}
	out.int(at)
}

func (in orderReader) time() int64 {
	if in.null() {
		return never
	}
	at := in.at
	v := in.int()
	if in.err == nil && v == never {
		in.fail(at, "the time of what never happened is nil")
	}
	return v
}
