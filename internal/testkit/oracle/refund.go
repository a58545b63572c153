package oracle

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// Worlds are too small for the bounds on the numbers of refunds and lines.

// decimals of the currencies that worlds and cases deal in.
var decimals = map[graph.Currency]int64{
	{'E', 'U', 'R'}: 2, {'U', 'S', 'D'}: 2, {'J', 'P', 'Y'}: 0, {'K', 'W', 'D'}: 3, {'I', 'D', 'R'}: 2,
}

func power(n int64) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil))
}

// nearest rounds to whole minor units, half away from zero.
func nearest(units *big.Rat, c graph.Currency) *big.Int {
	x := new(big.Rat).Mul(units, power(decimals[c]))
	half := big.NewRat(1, 2)
	if x.Sign() < 0 {
		half.Neg(half)
	}
	x.Add(x, half)
	return new(big.Int).Quo(x.Num(), x.Denom())
}

// minor returns an amount of an event in minor units. If the event names no currency, the amount is in hundred-thousandths of
// the unit.
func minor(amount int64, open bool, c graph.Currency) int64 {
	if !open {
		return amount
	}
	return nearest(new(big.Rat).Quo(big.NewRat(amount, 1), power(5)), c).Int64()
}

// giveBack subtracts the refunds from an order. Refunds with the same id are one, and the last event about it counts.
func giveBack(o *graph.OrderState, told []graph.Event, lines []graph.OrderLine) {
	byKey := map[string][]graph.Event{}
	for _, e := range told {
		c := e.Order
		key := fmt.Sprint("refund ", c.Refund.Key)
		if c.Refund.Key == 0 { // the message, and what it gives back
			key = fmt.Sprintf("message %q %v %t %v %v", e.ID, c.Refund, c.Open, c.Currency, c.Lines)
		}
		byKey[key] = append(byKey[key], e)
	}
	sum, full := new(big.Int), false
	for _, about := range byKey {
		c := slices.MaxFunc(about, newerRefund).Order
		if c.Refund.Kind == graph.RefundFull {
			full = true
			o.Refunds++
			continue
		}
		if !c.Open && c.Currency != (graph.Currency{}) && c.Currency != o.Currency {
			o.RefusedRefunds++
			continue
		}
		o.Refunds++
		amount, certain := refundOf(c, o.Currency)
		for _, l := range c.Lines {
			price, ordered, ok := priceOf(l, lines)
			if !ok {
				certain = false
				continue
			}
			units := new(big.Rat).Quo(big.NewRat(price, 1), power(5))
			units.Mul(units, new(big.Rat).Quo(big.NewRat(min(ordered, l.Quantity), 1), power(3)))
			amount.Add(amount, nearest(units, o.Currency))
		}
		if !certain {
			o.UnknownRefunds++
		}
		sum.Add(sum, amount)
	}
	if net := big.NewInt(o.Net); full || sum.Cmp(net) > 0 {
		sum = net
	}
	o.Refunded = sum.Int64()
}

// refundOf returns the amount that a refund names, in minor units, and whether it could be read.
func refundOf(c graph.OrderChange, of graph.Currency) (amount *big.Int, certain bool) {
	switch {
	case c.Refund.Kind == graph.RefundUnknown, c.Refund.Kind == graph.RefundThousandths && decimals[of] != 3:
		return new(big.Int), false
	case !c.Open && c.Currency == (graph.Currency{}) && of == (graph.Currency{'I', 'D', 'R'}):
		return new(big.Int).Mul(big.NewInt(c.Refund.Amount), big.NewInt(100)), true // as it was read before there were sen
	}
	return big.NewInt(minor(c.Refund.Amount, c.Open, of)), true
}

// orderedLines returns the lines of the last event that has any.
func orderedLines(totals []graph.Event) []graph.OrderLine {
	var with []graph.Event
	for _, e := range totals {
		if len(e.Order.Lines) > 0 {
			with = append(with, e)
		}
	}
	if len(with) == 0 {
		return nil
	}
	return slices.MaxFunc(with, func(x, y graph.Event) int {
		return cmp.Or(x.Stamp.Compare(y.Stamp), slices.CompareFunc(x.Order.Lines, y.Order.Lines, compareLine))
	}).Order.Lines
}

// priceOf finds the price of a returned thing, and how many were ordered. All lines that it may mean must have one price.
func priceOf(l graph.OrderLine, lines []graph.OrderLine) (price, ordered int64, ok bool) {
	prices := map[int64]bool{}
	for _, have := range lines {
		if means(l, have) {
			prices[have.Price] = true
			price = have.Price
			ordered += have.Quantity
		}
	}
	return price, ordered, len(prices) == 1
}

// means reports whether two lines may be about one thing: they agree in every name that both have, and share a product id or
// a stock keeping unit, which systems confuse with each other.
func means(l, have graph.OrderLine) bool {
	both := func(a, b uint32) bool { return a > 0 && b > 0 }
	switch {
	case both(l.Variant, have.Variant) && l.Variant != have.Variant,
		both(l.Product, have.Product) && l.Product != have.Product,
		both(l.Product, have.Product) && both(l.SKU, have.SKU) && l.SKU != have.SKU:
		return false
	}
	names := map[uint32]bool{have.Product: true, have.SKU: true}
	delete(names, 0)
	if l.Product > 0 && l.Product == have.Product {
		return true
	}
	return names[l.SKU] || names[l.Product]
}

func newerRefund(x, y graph.Event) int {
	return cmp.Or(
		x.Stamp.Compare(y.Stamp),
		cmp.Compare(x.Order.Refund.Kind, y.Order.Refund.Kind),
		cmp.Compare(x.Order.Refund.Amount, y.Order.Refund.Amount),
		bytes.Compare(x.Order.Currency[:], y.Order.Currency[:]),
		compareBool(x.Order.Open, y.Order.Open),
		slices.CompareFunc(x.Order.Lines, y.Order.Lines, compareLine),
	)
}

func compareLine(x, y graph.OrderLine) int {
	return cmp.Or(
		cmp.Compare(x.Product, y.Product), cmp.Compare(x.SKU, y.SKU), cmp.Compare(x.Variant, y.Variant),
		cmp.Compare(x.Price, y.Price), cmp.Compare(x.Quantity, y.Quantity),
	)
}
