package oracle

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// orders are the orders that the events completed or updated, by placement, then id.
func orders(events []graph.Event) []graph.OrderState {
	byID := map[string][]graph.Event{}
	for _, e := range events {
		if e.Order.Kind != graph.OrderNone {
			byID[string(e.Order.ID)] = append(byID[string(e.Order.ID)], e)
		}
	}
	var all []graph.OrderState
	for id, about := range byID {
		if o, ok := order(id, about); ok {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(x, y graph.OrderState) int {
		return cmp.Or(cmp.Compare(x.PlacedAt, y.PlacedAt), cmp.Compare(x.ID, y.ID))
	})
	return all
}

// order is one order from the events about it; ok is false when none completed or updated it.
func order(id string, about []graph.Event) (o graph.OrderState, ok bool) {
	placed := ofKind(about, graph.OrderCompleted)
	totals := ofKind(about, graph.OrderCompleted, graph.OrderUpdated)
	if len(totals) == 0 {
		return graph.OrderState{}, false
	}
	if len(placed) == 0 {
		placed = totals
	}
	o = graph.OrderState{ID: id, Status: graph.OrderPlaced}
	o.PlacedAt = slices.MinFunc(placed, func(x, y graph.Event) int {
		return cmp.Compare(x.Stamp.Time, y.Stamp.Time)
	}).Stamp.Time

	last := slices.MaxFunc(totals, newerTotals).Order
	o.Net, o.Discount, o.Coupon = last.Net, last.Discount, string(last.Coupon)
	o.Currency, o.Rule = last.Currency, last.Rule

	ends := ofKind(about, graph.OrderCancelled, graph.OrderRefunded)
	if len(ends) == 0 {
		return o, true
	}
	end := slices.MaxFunc(ends, newerEnd).Order
	switch {
	case end.Kind == graph.OrderCancelled:
		o.Status = graph.OrderStateCancelled
	case end.Full:
		o.Status, o.Refunded = graph.OrderStateRefunded, o.Net
	default:
		o.Status, o.Refunded = graph.OrderStateRefunded, min(end.Refund, o.Net)
	}
	return o, true
}

func ofKind(events []graph.Event, kinds ...graph.OrderKind) []graph.Event {
	var found []graph.Event
	for _, e := range events {
		if slices.Contains(kinds, e.Order.Kind) {
			found = append(found, e)
		}
	}
	return found
}

func newerTotals(x, y graph.Event) int {
	// An event without money says nothing of totals, so it never replaces those of one with money.
	if hasX, hasY := x.Order.Rule != graph.NetNone, y.Order.Rule != graph.NetNone; hasX != hasY {
		if hasY {
			return -1
		}
		return 1
	}
	return cmp.Or(
		x.Stamp.Compare(y.Stamp),
		cmp.Compare(x.Order.Net, y.Order.Net),
		cmp.Compare(x.Order.Discount, y.Order.Discount),
		bytes.Compare(x.Order.Currency[:], y.Order.Currency[:]),
		bytes.Compare(x.Order.Coupon, y.Order.Coupon),
		cmp.Compare(x.Order.Rule, y.Order.Rule),
	)
}

// newerEnd orders cancellations and refunds; at equal stamps a cancellation is above a refund, and
// a larger refund, of which the full one is the largest, above a smaller.
func newerEnd(x, y graph.Event) int {
	return cmp.Or(
		x.Stamp.Compare(y.Stamp),
		compareBool(x.Order.Kind == graph.OrderCancelled, y.Order.Kind == graph.OrderCancelled),
		compareBool(x.Order.Full, y.Order.Full),
		cmp.Compare(x.Order.Refund, y.Order.Refund),
	)
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}

// money sums the orders that weren't cancelled, by currency code.
func money(all []graph.OrderState) []graph.Money {
	var sums []graph.Money
	for _, o := range all {
		if o.Status == graph.OrderStateCancelled {
			continue
		}
		i := slices.IndexFunc(sums, func(m graph.Money) bool { return m.Currency == o.Currency })
		if i < 0 {
			i = len(sums)
			sums = append(sums, graph.Money{Currency: o.Currency})
		}
		m := &sums[i]
		m.Orders++
		m.Revenue += o.Net - o.Refunded
		m.Discount += o.Discount
		if o.Discount > 0 || o.Coupon != "" {
			m.Discounted++
		}
	}
	slices.SortFunc(sums, func(x, y graph.Money) int { return bytes.Compare(x.Currency[:], y.Currency[:]) })
	return sums
}
