// Package money reads amounts of money from decimal text and writes them, without floats.
//
// Inside, an amount is a whole number of its currency's minor units: 1999 is 19.99 US dollars, or
// 1999 yen. How many decimals a currency has is what the Unicode CLDR says (USD 2, JPY 0, KWD 3).
// Rounding is to the nearest minor unit, half away from zero, and exact: it is done on the text.
package money

import (
	"errors"
	"sync"

	"golang.org/x/text/currency"

	"github.com/kindred-id/kindred/graph"
)

// ErrCurrency is returned when a code is not one of ISO 4217.
var ErrCurrency = errors.New("not an ISO 4217 currency code")

// ParseCurrency reads a code of three letters in either case. It fails with ErrCurrency.
func ParseCurrency(code []byte) (graph.Currency, error) {
	var c graph.Currency
	if len(code) != len(c) {
		return graph.Currency{}, ErrCurrency
	}
	for i, b := range code {
		if b |= 0x20; b < 'a' || b > 'z' {
			return graph.Currency{}, ErrCurrency
		}
		c[i] = code[i] &^ 0x20
	}
	if exponents()[slot(c)] < 0 {
		return graph.Currency{}, ErrCurrency
	}
	return c, nil
}

// Exponent is the number of decimals of a currency: 2 for USD. It is 0 where c is not a currency.
func Exponent(c graph.Currency) int {
	if i := slot(c); i >= 0 {
		return max(0, int(exponents()[i]))
	}
	return 0
}

const letters = 26

// slot numbers the codes of three capitals; -1 for anything else.
func slot(c graph.Currency) int {
	n := 0
	for _, b := range c {
		if b < 'A' || b > 'Z' {
			return -1
		}
		n = n*letters + int(b-'A')
	}
	return n
}

// exponents holds the decimals of every code, by slot; -1 where there is no such currency. It is
// made once, when money is first read: the library's own look-up allocates.
var exponents = sync.OnceValue(func() *[letters * letters * letters]int8 {
	var table [letters * letters * letters]int8
	for i := range table {
		table[i] = -1
		code := []byte{'A' + byte(i/letters/letters), 'A' + byte(i/letters%letters), 'A' + byte(i%letters)}
		if unit, err := currency.ParseISO(string(code)); err == nil {
			scale, _ := currency.Standard.Rounding(unit)
			table[i] = int8(scale)
		}
	}
	return &table
})
