// Package money reads amounts of money from text and writes them, without floats.
//
// Internally, an amount is a whole number of its currency's minor units: 1999 is 19.99 US dollars, or 1999 yen. ISO
// 4217 defines the number of decimals (USD 2, JPY 0, KWD 3). Rounding is to the nearest minor unit, half away from
// zero, and exact, because it works on the text. Floats, the obvious representation, can hold neither 19.99 nor the
// sum of a large order exactly.
package money

import (
	"errors"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/currency"
)

// errCurrency is returned when a code is not one of ISO 4217.
var errCurrency = errors.New("not an ISO 4217 currency code")

// ParseCurrency reads a code of three letters in either case, with space around it. It fails with errCurrency.
func ParseCurrency(code []byte) (graph.Currency, error) {
	var c graph.Currency
	if code = trimSpace(code); len(code) != len(c) {
		return graph.Currency{}, errCurrency
	}
	for i, b := range code {
		if b |= 0x20; b < 'a' || b > 'z' {
			return graph.Currency{}, errCurrency
		}
		c[i] = code[i] &^ 0x20
	}
	if !currency.IsCurrency(c) {
		return graph.Currency{}, errCurrency
	}
	return c, nil
}

// Exponent returns the number of decimals of a currency: 2 for USD. It returns 0 if c is not a currency.
func Exponent(c graph.Currency) int { return currency.Decimals(c) }
