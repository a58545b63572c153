package oracle

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// orders returns the orders that the events completed or updated, by placement, then id.
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
	placeUnknown(all, byID)
	slices.SortFunc(all, func(x, y graph.OrderState) int {
		return cmp.Or(cmp.Compare(x.PlacedAt, y.PlacedAt), cmp.Compare(x.ID, y.ID))
	})
	return all
}

// placeUnknown gives orders without an amount and a currency the currency of most other orders, and among equally frequent
// ones the alphabetically first. Without other orders, they keep the default that their event was read with.
func placeUnknown(all []graph.OrderState, byID map[string][]graph.Event) {
	var known []graph.OrderState
	unknown := func(o graph.OrderState) bool {
		_, named := namedCurrency(ofKind(byID[o.ID], graph.OrderCompleted, graph.OrderUpdated))
		last := slices.MaxFunc(ofKind(byID[o.ID], graph.OrderCompleted, graph.OrderUpdated), newerTotals).Order
		return o.Rule == graph.NetNone && last.Open && !named
	}
	for _, o := range all {
		if !unknown(o) {
			known = append(known, o)
		}
	}
	sums := money(known)
	if len(sums) == 0 {
		return
	}
	most := slices.MaxFunc(sums, func(x, y graph.Money) int {
		return cmp.Or(cmp.Compare(x.Orders, y.Orders), bytes.Compare(y.Currency[:], x.Currency[:]))
	})
	for i := range all {
		if unknown(all[i]) {
			all[i].Currency = most.Currency
		}
	}
}

// order computes one order from the events about it; ok is false if no event completed or updated it.
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
	o.Coupon, o.Rule = string(last.Coupon), last.Rule
	o.Currency = last.Currency
	if last.Open {
		if named, ok := namedCurrency(totals); ok {
			o.Currency = named
		}
	}
	o.Net, o.Discount = minor(last.Net, last.Open, o.Currency), minor(last.Discount, last.Open, o.Currency)

	giveBack(&o, ofKind(about, graph.OrderRefunded), orderedLines(totals))
	switch {
	case len(ofKind(about, graph.OrderCancelled)) > 0:
		o.Status = graph.OrderStateCancelled
	case o.Refunds > 0:
		o.Status = graph.OrderStateRefunded
	}
	return o, true
}

// namedCurrency returns the currency that was named last, and among those named at one time the alphabetically last.
func namedCurrency(totals []graph.Event) (c graph.Currency, ok bool) {
	var named []graph.Event
	for _, e := range totals {
		if !e.Order.Open && e.Order.Currency != (graph.Currency{}) {
			named = append(named, e)
		}
	}
	if len(named) == 0 {
		return c, false
	}
	return slices.MaxFunc(named, func(x, y graph.Event) int {
		return cmp.Or(cmp.Compare(x.Stamp.Time, y.Stamp.Time), bytes.Compare(x.Order.Currency[:], y.Order.Currency[:]))
	}).Order.Currency, true
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

// newerTotals orders events by which of them gives an order its totals. After the stamp come the values themselves:
// the order of arrival must not decide a tie.
func newerTotals(x, y graph.Event) int {
	// An event without money has no totals, so it never replaces those of an event with money.
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
		cmp.Compare(x.Order.Rule, y.Order.Rule),
		compareBool(x.Order.Open, y.Order.Open),
		bytes.Compare(x.Order.Coupon, y.Order.Coupon),
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
		m.Revenue, m.Discount = atMost63(m.Revenue, o.Net-o.Refunded), atMost63(m.Discount, o.Discount)
		if o.Discount > 0 || o.Coupon != "" {
			m.Discounted++
		}
	}
	slices.SortFunc(sums, func(x, y graph.Money) int { return bytes.Compare(x.Currency[:], y.Currency[:]) })
	return sums
}

// atMost63 returns the sum of two numbers, or the largest number of 63 bits if the sum is larger.
func atMost63(a, b int64) int64 {
	sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
	if !sum.IsInt64() {
		return math.MaxInt64
	}
	return sum.Int64()
}
