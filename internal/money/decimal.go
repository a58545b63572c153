package money

import "math"

// decimal is a parsed decimal number: the digits of whole and fraction in sequence, with the decimal point before
// digit number point, without leading zeros.
// An example: 00120.0500e1 is whole 120, fraction 05, point 4, so the digits 12005 stand for 1200.5. Whole and
// fraction stay slices of the text: nothing is copied.
type decimal struct {
	whole, fraction []byte
	point           int
}

// maxDigits is the maximum number of digits of an amount, as in int64.
const maxDigits = 19

// maxPower bounds the exponent of 1e9; beyond it the result is either zero or too large.
const maxPower = 1 << 20

// parseDecimal reads a JSON number. It tolerates leading zeros, which text may have.
func parseDecimal(text []byte) (decimal, error) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	whole := digits(text)
	rest := text[len(whole):]
	var fraction []byte
	if len(rest) > 0 && rest[0] == '.' {
		if fraction = digits(rest[1:]); len(fraction) == 0 {
			return decimal{}, ErrNumber
		}
		rest = rest[1+len(fraction):]
	}
	power, ok := parsePower(rest)
	if len(whole) == 0 || !ok {
		return decimal{}, ErrNumber
	}
	d := decimal{whole: whole, fraction: fraction, point: len(whole) + power}
	d.trim()
	if negative && len(d.whole)+len(d.fraction) > 0 {
		return decimal{}, ErrNegative
	}
	return d, nil
}

// parsePower reads e+12, or an empty text.
func parsePower(text []byte) (power int, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0]|0x20 != 'e' {
		return 0, false
	}
	text = text[1:]
	sign := 1
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	if len(text) == 0 || len(digits(text)) < len(text) {
		return 0, false
	}
	for _, c := range text {
		power = min(power*10+int(c-'0'), maxPower)
	}
	return sign * power, true
}

// digits returns the leading digits of text.
func digits(text []byte) []byte {
	n := 0
	for n < len(text) && text[n]-'0' <= 9 {
		n++
	}
	return text[:n]
}

// trim removes the zeros at both ends.
func (d *decimal) trim() {
	for len(d.whole) > 0 && d.whole[0] == '0' {
		d.whole, d.point = d.whole[1:], d.point-1
	}
	for len(d.whole) == 0 && len(d.fraction) > 0 && d.fraction[0] == '0' {
		d.fraction, d.point = d.fraction[1:], d.point-1
	}
	for len(d.fraction) > 0 && d.fraction[len(d.fraction)-1] == '0' {
		d.fraction = d.fraction[:len(d.fraction)-1]
	}
	for len(d.fraction) == 0 && len(d.whole) > 0 && d.whole[len(d.whole)-1] == '0' {
		d.whole = d.whole[:len(d.whole)-1]
	}
}

// digit returns digit number i.
func (d *decimal) digit(i int) uint64 {
	if i < len(d.whole) {
		return uint64(d.whole[i] - '0')
	}
	return uint64(d.fraction[i-len(d.whole)] - '0')
}

// factor reads a number as coefficient / 10^scale, where scale may be negative.
func factor(text []byte) (coefficient uint64, scale int, err error) {
	d, err := parseDecimal(text)
	if err != nil {
		return 0, 0, err
	}
	n := len(d.whole) + len(d.fraction)
	for i := range n {
		digit := d.digit(i)
		if coefficient > (math.MaxUint64-digit)/10 {
			return 0, 0, ErrRange
		}
		coefficient = coefficient*10 + digit
	}
	if n == 0 {
		return 0, 0, nil
	}
	return coefficient, n - d.point, nil
}
