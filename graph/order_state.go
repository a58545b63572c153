package graph

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph/currency"
)

// OrderStatus is the state of an order.
type OrderStatus uint8

// The order states.
const (
	OrderPlaced         OrderStatus = 1 + iota
	OrderStateCancelled             // counts for nothing
	OrderStateRefunded              // counts as an order, with what was not refunded
)

var orderStatusNames = [...]string{"unknown", "placed", "cancelled", "refunded"}

func (s OrderStatus) String() string { return orderStatusNames[s] }

// OrderState is an order as it stands. Money is in minor units of Currency.
//
// An order exists once an event completed or updated it: PlacedAt is the time of the earliest
// completed event (of the earliest updated one where none completed it). Totals (Net, Discount, Coupon, Rule)
// are those of the completed or updated event with the highest stamp, of those that carry money (all,
// where none does). Currency is the one that this event names, else the one that the order's other events name,
// else the default. An order that was ever cancelled is cancelled. Refunded is the sum of its refunds, never above Net.
type OrderState struct {
	ID       string
	PlacedAt int64
	Net      int64
	Discount int64
	Refunded int64
	Coupon   string
	Currency Currency
	Rule     NetRule
	Status   OrderStatus

	Refunds        int  // that count: in the order's currency
	UnknownRefunds int  // of those, whose amount is not known, all of it or a part
	RefusedRefunds int  // in another currency: they take nothing off
	RefundsLeftOut bool // there are more than RefundsMax

	assumed bool // no event names the currency
}

// Money sums the orders of one currency, in its minor units. Cancelled orders are left out. A sum above 63 bits stays at the largest value.
type Money struct {
	Currency   Currency
	Orders     uint64
	Revenue    int64 // net, less refunds
	Discount   int64
	Discounted uint64 // orders with a discount or a coupon
}

// state is the order as it stands.
//
// REQUIRES: o.known()
func (o *OrderEvidence) state() OrderState {
	t := &o.Totals
	s := OrderState{
		ID: o.ID, PlacedAt: o.Completed, Net: t.Net, Discount: t.Discount,
		Coupon: t.Coupon, Currency: t.Currency, Rule: t.Rule, Status: OrderPlaced,
	}
	if s.PlacedAt == noTime {
		s.PlacedAt = o.Updated
	}
	if t.Open {
		if s.assumed = o.Named.Currency == (Currency{}); !s.assumed {
			s.Currency = o.Named.Currency
		}
		decimals := currency.Decimals(s.Currency)
		s.Net, s.Discount = settle(t.Net, decimals), settle(t.Discount, decimals)
	}
	if len(o.Refunds) > 0 {
		o.settleRefunds(&s)
	}
	switch {
	case o.Cancelled:
		s.Status = OrderStateCancelled
	case s.Refunds > 0:
		s.Status = OrderStateRefunded
	}
	return s
}

// addOrders settles the orders and sums them up by currency. An order of which neither an amount nor a currency
// is known counts in the currency that most others are in.
func (p *Profile) addOrders(orders []OrderEvidence) {
	if len(orders) == 0 {
		return
	}
	p.Orders = make([]OrderState, 0, len(orders))
	nowhere := 0
	for i := range orders {
		if !orders[i].hasTotals() {
			continue
		}
		p.Orders = append(p.Orders, orders[i].state())
		if o := &p.Orders[len(p.Orders)-1]; o.nowhere() {
			nowhere++
		} else {
			p.addMoney(o)
		}
	}
	slices.SortFunc(p.Orders, func(a, b OrderState) int {
		return cmp.Or(cmp.Compare(a.PlacedAt, b.PlacedAt), strings.Compare(a.ID, b.ID))
	})
	if nowhere == 0 {
		return
	}
	most := mostOrders(p.Money)
	var main Currency
	if most >= 0 {
		main = p.Money[most].Currency
	}
	for i := range p.Orders {
		if o := &p.Orders[i]; o.nowhere() {
			if most >= 0 {
				o.Currency = main
			}
			p.addMoney(o)
		}
	}
}

// nowhere reports whether neither an amount nor a currency of the order is known.
func (o *OrderState) nowhere() bool { return o.assumed && o.Rule == NetNone }

// addMoney adds an order to the sum of its currency.
func (p *Profile) addMoney(o *OrderState) {
	if o.Status == OrderStateCancelled {
		return
	}
	at, found := slices.BinarySearchFunc(p.Money, o.Currency, func(m Money, c Currency) int { return bytes.Compare(m.Currency[:], c[:]) })
	if !found {
		p.Money = slices.Insert(p.Money, at, Money{Currency: o.Currency})
	}
	m := &p.Money[at]
	m.Orders++
	m.Revenue = saturatedSum(m.Revenue, o.Net-o.Refunded)
	m.Discount = saturatedSum(m.Discount, o.Discount)
	if o.Discount > 0 || o.Coupon != "" {
		m.Discounted++
	}
}
