package row

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/currency"
)

// This file reads and writes the orders of versions 1 and 2 of events and fragments: they have one register for
// cancellations and refunds, always a currency, and the decimals that currencies had then.

const (
	formerOrderChangeFields = 9
	formerOrderFields       = 5
	formerTotalsFields      = 8
	formerOutcomeFields     = 6

	formerOrderLeast = 5 // bytes
)

// formerOrderChange reads an order change. The encoding does not record whether a refund's currency was named or
// assumed, so the refund takes the currency of its order.
func (in orderReader) formerOrderChange(c *graph.OrderChange) {
	*c = graph.OrderChange{Lines: c.Lines[:0]}
	if in.null() {
		return
	}
	in.tuple(formerOrderChangeFields)
	c.Kind = graph.OrderKind(in.enum("order kind", uint8(graph.OrderCompleted), uint8(graph.OrderRefunded)))
	c.Rule = in.netRule()
	full := in.bool()
	in.fixed("currency", c.Currency[:])
	c.Net = currency.FromFormer(in.int(), c.Currency)
	c.Discount = currency.FromFormer(in.int(), c.Currency)
	refund := in.int()
	c.ID = in.bytes()
	c.Coupon = in.bytes()
	if c.Kind == graph.OrderRefunded {
		former := c.Currency
		c.Currency, c.Refund = graph.Currency{}, formerRefund(full, refund)
		c.Refund.Former = former
	}
}

func formerRefund(full bool, amount int64) graph.RefundChange {
	if full {
		return graph.RefundChange{Kind: graph.RefundFull}
	}
	return graph.RefundChange{Kind: graph.RefundAmount, Amount: amount}
}

// formerOrders reads a fragment's orders, in ascending order of distinct ids.
func (in orderReader) formerOrders(f *graph.Fragment) {
	n := in.list(formerOrderFields, formerOrderLeast)
	if n == 0 {
		return
	}
	f.Orders = make([]graph.OrderEvidence, 0, n)
	for i := range n {
		at := in.at
		order := graph.OrderEvidence{ID: in.text(), Completed: in.time(), Updated: in.time(), Totals: in.formerTotals()}
		order.Named = namedByTotals(&order.Totals)
		in.formerOutcome(&order)
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

func (in orderReader) formerTotals() (t graph.OrderTotals) {
	if in.null() {
		return t
	}
	at := in.at
	in.tuple(formerTotalsFields)
	t.Stamp = in.stamp()
	net, discount := in.int(), in.int()
	in.fixed("currency", t.Currency[:])
	t.Net, t.Discount = currency.FromFormer(net, t.Currency), currency.FromFormer(discount, t.Currency)
	t.Rule = in.netRule()
	t.Coupon = in.text()
	if t == (graph.OrderTotals{}) {
		in.fail(at, "totals without content are nil")
	}
	return t
}

// formerOutcome reads the register of a cancellation or a refund. The refund becomes one of the order's refunds,
// under the hash of its event's id.
func (in orderReader) formerOutcome(order *graph.OrderEvidence) {
	if in.null() {
		return
	}
	in.tuple(formerOutcomeFields)
	stamp := in.stamp()
	kind := graph.OrderKind(in.enum("order outcome", uint8(graph.OrderCancelled), uint8(graph.OrderRefunded)))
	full := in.bool()
	amount := in.int()
	if kind == graph.OrderCancelled {
		order.Cancelled = true
		return
	}
	c := formerRefund(full, amount)
	order.Refunds = []graph.Refund{{Key: stamp.Tie, Stamp: stamp, Kind: c.Kind, Amount: c.Amount}}
}

// The rest of the file writes these versions.

// formerOrderChange writes an order change. A refund's currency is for display only in these versions.
func (out orderWriter) formerOrderChange(c *graph.OrderChange) {
	if c.Kind == graph.OrderNone {
		out.null()
		return
	}
	code := c.Currency
	if c.Kind == graph.OrderRefunded {
		out.leave(code != graph.Currency{} || c.Refund.Key != 0)
		code = c.Refund.Former
	}
	out.leave(c.Open || len(c.Lines) > 0)
	out.array(formerOrderChangeFields)
	out.uint(uint64(c.Kind))
	out.uint(uint64(c.Rule))
	full, amount := out.formerRefund(c.Refund.Kind, c.Refund.Amount, c.Kind == graph.OrderRefunded)
	out.bool(full)
	out.blob(code[:])
	out.int(out.former(c.Net, code))
	out.int(out.former(c.Discount, code))
	out.int(amount)
	out.bytes(c.ID)
	out.bytes(c.Coupon)
}

// formerRefund converts a refund to the form of these versions: the full order, or an amount.
func (out orderWriter) formerRefund(kind graph.RefundKind, amount int64, is bool) (full bool, _ int64) {
	if !is {
		return false, 0
	}
	out.leave(kind != graph.RefundFull && kind != graph.RefundAmount || kind == graph.RefundFull && amount != 0)
	return kind == graph.RefundFull, amount
}

// former converts an amount to the decimals that its currency had.
func (out orderWriter) former(amount int64, code graph.Currency) int64 {
	former := currency.ToFormer(amount, code)
	out.leave(currency.FromFormer(former, code) != amount)
	return former
}

func (out orderWriter) formerOrders(orders []graph.OrderEvidence) {
	out.array(formerOrderFields * len(orders))
	for i := range orders {
		order := &orders[i]
		out.leave(order.LeftOut || order.Named != namedByTotals(&order.Totals) || order.Lines != nil)
		out.text(order.ID)
		out.time(order.Completed)
		out.time(order.Updated)
		out.formerTotals(&order.Totals)
		out.formerOutcome(order)
	}
}

func (out orderWriter) formerTotals(t *graph.OrderTotals) {
	if *t == (graph.OrderTotals{}) {
		out.null()
		return
	}
	out.leave(t.Open)
	out.array(formerTotalsFields)
	out.stamp(t.Stamp)
	out.int(out.former(t.Net, t.Currency))
	out.int(out.former(t.Discount, t.Currency))
	out.blob(t.Currency[:])
	out.uint(uint64(t.Rule))
	out.text(t.Coupon)
}

// formerOutcome writes the register of a cancellation or a refund. A cancellation no longer has a stamp, so it is
// written with the oldest possible one. Of several refunds it writes the last, which the register of these versions
// would have kept.
func (out orderWriter) formerOutcome(order *graph.OrderEvidence) {
	switch {
	case order.Cancelled:
		out.leave(true)
		out.outcome(&graph.Stamp{}, graph.OrderCancelled, false, 0)
	case len(order.Refunds) == 0:
		out.null()
	default:
		r := slices.MaxFunc(order.Refunds, func(a, b graph.Refund) int { return a.Stamp.Compare(b.Stamp) })
		out.leave(len(order.Refunds) > 1 || r.Key != r.Stamp.Tie || r.Open || r.Currency != graph.Currency{} || len(r.Lines) > 0)
		full, amount := out.formerRefund(r.Kind, r.Amount, true)
		out.outcome(&r.Stamp, graph.OrderRefunded, full, amount)
	}
}

func (out orderWriter) outcome(stamp *graph.Stamp, kind graph.OrderKind, full bool, amount int64) {
	out.array(formerOutcomeFields)
	out.stamp(*stamp)
	out.uint(uint64(kind))
	out.bool(full)
	out.int(amount)
}
