package record

import (
	"math"
	"math/big"
	"strconv"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// appendUnit appends a value; it converts a number in a unit, or the text of one: a time to milliseconds, an amount to a
// decimal fraction. It leaves any other value unchanged, for the event's decoder to judge.
func appendUnit(dst []byte, v jsonscan.Value, unit timeUnit) []byte {
	text := v.Raw
	if v.Kind == jsonscan.String && !v.Escaped {
		text = v.Inside()
	}
	if unit == unitNone || v.Kind != jsonscan.Number && v.Kind != jsonscan.String {
		return append(dst, v.Raw...)
	}
	if unit == unitHundredths {
		if amount, ok := decimal(text); ok {
			return appendFraction(dst, amount.Quo(amount, big.NewRat(100, 1)))
		}
		return append(dst, v.Raw...)
	}
	ms, ok := milliseconds(string(text), unit)
	if !ok {
		return append(dst, v.Raw...)
	}
	return strconv.AppendInt(dst, ms, 10)
}

// decimalMax bounds the text of a number of which a sum is made: larger ones are no amounts.
const decimalMax = 40

// decimal reads a decimal number.
func decimal(text []byte) (*big.Rat, bool) {
	if len(text) == 0 || len(text) > decimalMax {
		return nil, false
	}
	for _, c := range text {
		if (c < '0' || c > '9') && c != '.' && c != '-' { // big.Rat takes fractions and exponents as well
			return nil, false
		}
	}
	return new(big.Rat).SetString(string(text))
}

// appendFraction appends a number that is a decimal fraction.
func appendFraction(dst []byte, r *big.Rat) []byte {
	digits, _ := r.FloatPrec()
	return append(dst, r.FloatString(digits)...)
}

// sum adds up the numbers at a path. some is false if there is none, or if one of the values is no number: an amount
// that is too small would be worse than none.
func (p *picker) sum(of walk) (text []byte, some bool) {
	total, bad := new(big.Rat), false
	_ = p.each(of.value(), of.keys, func(v jsonscan.Value) error {
		n, ok := decimal(p.text(v))
		if !ok {
			bad = true
			return nil
		}
		some = true
		total.Add(total, n)
		return nil
	})
	if bad || !some {
		return nil, false
	}
	return appendFraction(nil, total), true
}

// milliseconds converts a number in a unit, with or without a fraction, and rounds down.
func milliseconds(text string, unit timeUnit) (int64, bool) {
	times, by := int64(1), int64(1)
	switch unit {
	case unitSeconds:
		times = 1000
	case unitMicroseconds:
		by = 1000
	case unitNanoseconds:
		by = 1_000_000
	case unitNone, unitMilliseconds:
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > math.MaxInt64/times || n < math.MinInt64/times {
			return 0, false
		}
		n *= times
		ms := n / by
		if n%by < 0 {
			ms--
		}
		return ms, true
	}
	f, err := strconv.ParseFloat(text, 64)
	f = math.Floor(f * float64(times) / float64(by))
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}
