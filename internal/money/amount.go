package money

import (
	"errors"
	"math"
	"math/bits"
	"strconv"

	"github.com/kindred-id/kindred/graph"
)

// The problems of an amount.
var (
	ErrNumber   = errors.New("not a decimal number")                // textual money: "$19.99", "19,99", "free"
	ErrNegative = errors.New("negative")                            // below zero
	ErrRange    = errors.New("too large, or too exact, to be kept") // beyond 2^63-1 minor units

	// ErrAmbiguous is for texts such as 1,234 and 1.234.
	ErrAmbiguous = errors.New("either thousands or decimals, which can't be told")
)

// Parse reads an amount of money from decimal text, such as 19.99 or 1.5e3, into minor units of a
// currency with that many decimals. It fails with ErrNumber, ErrNegative or ErrRange.
func Parse(text []byte, exponent int) (int64, error) { return parse(text, exponent, true) }

// ParseOpen is Parse for an amount in an unknown currency: into units of 10^-graph.OpenDecimals, truncated.
func ParseOpen(text []byte) (int64, error) { return parse(text, graph.OpenDecimals, false) }

// parse reads decimal text into units of 10^-exponent. It takes digits one by one, from the first to the one that
// rounds, so no step goes through a float. With round, half a unit rounds up; without, what is beyond the unit is cut
// off.
func parse(text []byte, exponent int, round bool) (int64, error) {
	d, err := parseDecimal(text)
	if err != nil {
		return 0, err
	}
	n := len(d.whole) + len(d.fraction)
	cut := d.point + exponent // the digits before it are the amount, the digit at it rounds
	if n == 0 || cut < 0 {
		return 0, nil
	}
	if cut > maxDigits {
		return 0, ErrRange
	}
	minor := uint64(0)
	for i := range cut {
		digit := uint64(0)
		if i < n {
			digit = d.digit(i)
		}
		if minor > (math.MaxInt64-digit)/10 {
			return 0, ErrRange
		}
		minor = minor*10 + digit
	}
	if round && cut < n && d.digit(cut) >= 5 {
		minor++
	}
	return checked(0, minor)
}

// ParseLine reads the amount of one line of an order, price times quantity, rounded once, at the end. It fails like
// Parse, and with ErrRange if a factor has more than 19 significant digits.
func ParseLine(price, quantity []byte, exponent int) (int64, error) {
	p, pScale, err := factor(price)
	if err != nil {
		return 0, err
	}
	q, qScale, err := factor(quantity)
	if err != nil {
		return 0, err
	}
	// The product of two factors of 64 bits fits 128, so it is exact: only the scaling to minor units below rounds.
	hi, lo := bits.Mul64(p, q)
	drop := pScale + qScale - exponent // decimals beyond the minor unit
	for ; drop < 0; drop++ {
		if hi|lo == 0 {
			return 0, nil
		}
		if hi > 0 {
			return 0, ErrRange
		}
		hi, lo = bits.Mul64(lo, 10)
	}
	// Digits are cut one by one, and the last one cut decides: half a unit rounds up. If the number is 0 before all
	// digits are cut, it was below half a unit.
	last := uint64(0)
	for ; drop > 0 && hi|lo > 0; drop-- {
		hi, lo, last = over10(hi, lo)
	}
	if drop > 0 {
		last = 0
	}
	if last >= 5 {
		var carry uint64
		lo, carry = bits.Add64(lo, 1, 0)
		hi += carry
	}
	return checked(hi, lo)
}

// over10 divides by ten; the remainder is the removed digit.
func over10(hi, lo uint64) (quoHi, quoLo, remainder uint64) {
	quoHi, remainder = hi/10, hi%10
	quoLo, remainder = bits.Div64(remainder, lo, 10)
	return quoHi, quoLo, remainder
}

// checked is the amount of a number of 128 bits, if it fits into 63: the sign bit is for sums after refunds.
func checked(hi, lo uint64) (int64, error) {
	if hi > 0 || lo > math.MaxInt64 {
		return 0, ErrRange
	}
	return int64(lo), nil
}

// Add sums two amounts. It fails with ErrRange.
func Add(a, b int64) (int64, error) {
	if b > math.MaxInt64-a {
		return 0, ErrRange
	}
	return a + b, nil
}

// Append appends an amount as decimal text in the currency's unit: "19.99", "-0.05", "1999".
func Append(dst []byte, minor int64, c graph.Currency) []byte {
	size := uint64(minor)
	if minor < 0 {
		dst = append(dst, '-')
		size = -size
	}
	exponent := Exponent(c)
	unit := uint64(1)
	for range exponent {
		unit *= 10
	}
	dst = strconv.AppendUint(dst, size/unit, 10)
	if exponent == 0 {
		return dst
	}
	dst = append(dst, '.')
	for rest := size % unit; exponent > 0; exponent-- {
		unit /= 10
		dst = append(dst, '0'+byte(rest/unit))
		rest %= unit
	}
	return dst
}

// AppendOpen appends an amount in units of 10^-graph.OpenDecimals as decimal text without trailing zeros: "19.99", "1000".
func AppendOpen(dst []byte, open int64) []byte {
	size := uint64(open)
	if open < 0 {
		dst = append(dst, '-')
		size = -size
	}
	unit := uint64(1)
	for range graph.OpenDecimals {
		unit *= 10
	}
	dst = strconv.AppendUint(dst, size/unit, 10)
	rest := size % unit
	if rest == 0 {
		return dst
	}
	for dst = append(dst, '.'); rest > 0; rest %= unit {
		unit /= 10
		dst = append(dst, '0'+byte(rest/unit))
	}
	return dst
}
