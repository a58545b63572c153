// Package money reads amounts of money from text and writes them, without floats.
//
// Inside, an amount is a whole number of its currency's minor units: 1999 is 19.99 US dollars, or
// 1999 yen. How many decimals a currency has is what ISO 4217 says (USD 2, JPY 0, KWD 3).
// Rounding is to the nearest minor unit, half away from zero, and exact: it is done on the text.
package money

import (
	"errors"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/currency"
)

// ErrCurrency is returned when a code is not one of ISO 4217.
var ErrCurrency = errors.New("not an ISO 4217 currency code")

// ParseCurrency reads a code of three letters in either case, with space around it. It fails with ErrCurrency.
func ParseCurrency(code []byte) (graph.Currency, error) {
	var c graph.Currency
	if code = trimSpace(code); len(code) != len(c) {
		return graph.Currency{}, ErrCurrency
	}
	for i, b := range code {
		if b |= 0x20; b < 'a' || b > 'z' {
			return graph.Currency{}, ErrCurrency
		}
		c[i] = code[i] &^ 0x20
	}
	if !currency.Known(c) {
		return graph.Currency{}, ErrCurrency
	}
	return c, nil
}

// Exponent is the number of decimals of a currency: 2 for USD. It is 0 where c is not a currency.
func Exponent(c graph.Currency) int { return currency.Decimals(c) }
