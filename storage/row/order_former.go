package row

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/currency"
)

// Orders as versions 1 and 2 of events and fragments have them: with one register for cancellations and refunds, always with
// a currency, and with the decimals that currencies had then.

const (
	formerOrderChangeFields = 9
	formerOrderFields       = 5
	formerTotalsFields      = 8
	formerOutcomeFields     = 6

	formerOrderLeast = 5 // bytes
)

// formerOrderChange reads an order change. Whether its currency was named or assumed is not known of a refund, so it is in its
// order's.
func (in *input) formerOrderChange(c *graph.OrderChange) {
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
func (d *Decoder) formerOrders(f *graph.Fragment) {
	in := &d.in
	n := in.list(formerOrderFields, formerOrderLeast)
	if n == 0 {
		return
	}
	f.Orders = make([]graph.OrderEvidence, 0, n)
	for i := range n {
		at := in.at
		order := graph.OrderEvidence{ID: d.text(), Completed: in.time(), Updated: in.time(), Totals: d.formerTotals()}
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

func (d *Decoder) formerTotals() (t graph.OrderTotals) {
	in := &d.in
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
	t.Coupon = d.text()
	if t == (graph.OrderTotals{}) {
		in.fail(at, "totals without content are nil")
	}
	return t
}

// formerOutcome reads the register of a cancellation or a refund. The refund becomes one of the order's, under the hash of its
// event's id.
func (in *input) formerOutcome(order *graph.OrderEvidence) {
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
