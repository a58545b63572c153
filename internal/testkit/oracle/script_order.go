package oracle

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

var orderWords = map[string]graph.OrderKind{
	"completed": graph.OrderCompleted, "updated": graph.OrderUpdated, "cancelled": graph.OrderCancelled, "refunded": graph.OrderRefunded,
}

// parseOrder reads the part of an event about an order, as in completed:o1=100EUR;P1x2x40 or refunded:o1=30#r1. It is not ok
// if the word is not about an order.
func parseOrder(word string) (c graph.OrderChange, ok bool, err error) {
	verb, rest, _ := strings.Cut(word, ":")
	if c.Kind, ok = orderWords[verb]; !ok {
		return c, false, nil
	}
	words := strings.Split(rest, ";")
	id, amount, stated := strings.Cut(words[0], "=")
	c.ID = []byte(id)
	for _, text := range words[1:] {
		l, err := parseProduct(text)
		if err != nil {
			return c, true, err
		}
		c.Lines = append(c.Lines, l)
	}
	amount, refund, _ := strings.Cut(amount, "#")
	var value int64
	if c.Kind != graph.OrderCancelled {
		if value, err = parseAmount(&c, amount, stated); err != nil {
			return c, true, err
		}
	}
	switch {
	case c.Kind != graph.OrderRefunded && stated:
		c.Net, c.Rule = value, graph.NetRevenue
	case c.Kind == graph.OrderRefunded && !stated && len(c.Lines) == 0:
		c.Refund.Kind = graph.RefundFull
	case c.Kind == graph.OrderRefunded:
		c.Refund = graph.RefundChange{Kind: graph.RefundAmount, Amount: value}
	}
	if refund != "" {
		c.Refund.Key, err = strconv.ParseUint(refund, 10, 64)
	}
	return c, true, err
}

// parseAmount reads an amount with or without a currency, which it names for the event.
// Units become minor units of the currency. Without a code the amount is open: in hundred-thousandths of a unit, cut
// off.
func parseAmount(c *graph.OrderChange, text string, stated bool) (int64, error) {
	digits := strings.TrimRight(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	if code := text[len(digits):]; code != "" {
		c.Currency = graph.Currency([]byte(code))
	} else if c.Open = true; c.Kind != graph.OrderRefunded {
		c.Currency = usDollar
	}
	if !stated {
		return 0, nil
	}
	units, ok := new(big.Rat).SetString(digits)
	if !ok {
		return 0, fmt.Errorf("amount %q", text)
	}
	if c.Open {
		units.Mul(units, power(5))
		return new(big.Int).Quo(units.Num(), units.Denom()).Int64(), nil
	}
	return nearest(units, c.Currency).Int64(), nil
}

var usDollar = graph.Currency{'U', 'S', 'D'}

// parseProduct reads a line of an order as in P1x2x40: two of product 1 at 40 each; of a refund without the price.
func parseProduct(text string) (l graph.OrderLine, err error) {
	words := strings.Split(strings.TrimPrefix(text, "P"), "x")
	var numbers [3]int64
	for i, w := range words[:min(len(words), len(numbers))] {
		if numbers[i], err = strconv.ParseInt(w, 10, 64); err != nil {
			return l, err
		}
	}
	return graph.OrderLine{Product: uint32(numbers[0]), Quantity: numbers[1] * 1000, Price: numbers[2] * 100_000}, nil
}

// orderWants writes the orders of profiles in the form of a case: "order o1 = 50EUR refunded", with details of refunds.
func orderWants(profiles []graph.Profile) (lines []string) {
	for i := range profiles {
		for _, o := range profiles[i].Orders {
			revenue := new(big.Rat)
			if o.Status != graph.OrderStateCancelled {
				revenue.Quo(big.NewRat(o.Net-o.Refunded, 1), power(decimals[o.Currency]))
			}
			line := fmt.Sprintf("order %s = %s%s %s", o.ID, revenue.FloatString(int(decimals[o.Currency])), o.Currency, o.Status)
			if o.RefusedRefunds > 0 {
				line += fmt.Sprintf(", %d refused", o.RefusedRefunds)
			}
			if o.UnknownRefunds > 0 {
				line += fmt.Sprintf(", %d unknown", o.UnknownRefunds)
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}
