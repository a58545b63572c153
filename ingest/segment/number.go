package segment

import (
	"bytes"
	"strconv"

	"github.com/kindred-id/kindred/graph/identifier"
)

// appendNumber appends the canonical text of a JSON number, so that 12345, 12345.0 and 1.2345e4 are one id: without
// exponent, zeros at the end of a fraction, or the sign of zero. It computes with digits, not with floats, so a large
// number stays exact. zeros is the number of zeros at the end of the result that raw does not contain. If the text is
// longer than identifier.MaxBytes, it stays as written.
//
// REQUIRES: raw is a JSON number.
//
//	raw        digits   point   text        zeros
//	12345.0    12345    5       12345       0
//	1.2345e4   12345    5       12345       0
//	0.00120    12       -2      0.0012      0
//	5e3        5        4       5000        3
func appendNumber(dst, raw []byte) (text []byte, zeros int) {
	if isInteger(raw) {
		return append(dst, raw...), 0
	}
	rest, negative := bytes.CutPrefix(raw, []byte("-"))
	exponent := 0
	if at := bytes.IndexAny(rest, "eE"); at >= 0 {
		e, err := strconv.Atoi(string(rest[at+1:]))
		if err != nil || e > identifier.MaxBytes || e < -identifier.MaxBytes {
			return append(dst, raw...), 0
		}
		exponent, rest = e, rest[:at]
	}
	whole, fraction, _ := bytes.Cut(rest, []byte("."))
	// The number is 0.digits times ten to the power of point.
	digits := append(append(make([]byte, 0, len(rest)), whole...), fraction...)
	point := len(whole) + exponent
	for len(digits) > 0 && digits[0] == '0' {
		digits, point = digits[1:], point-1
	}
	digits = bytes.TrimRight(digits, "0")
	if len(digits) == 0 {
		return append(dst, '0'), 0
	}
	if max(point, len(digits)-point, len(digits)) >= identifier.MaxBytes {
		return append(dst, raw...), 0
	}
	if negative {
		dst = append(dst, '-')
	}
	switch {
	case point <= 0:
		dst = append(dst, "0."...)
		dst = append(dst, bytes.Repeat([]byte("0"), -point)...)
		return append(dst, digits...), 0
	case point >= len(digits):
		dst = append(dst, digits...)
		written := len(whole) + len(fraction)
		return append(dst, bytes.Repeat([]byte("0"), point-len(digits))...), max(point-written, 0)
	}
	dst = append(dst, digits[:point]...)
	return append(append(dst, '.'), digits[point:]...), 0
}

// isInteger reports whether a JSON number is written as an integer other than -0.
func isInteger(raw []byte) bool {
	for _, b := range raw {
		if b == '.' || b == 'e' || b == 'E' {
			return false
		}
	}
	return raw[0] != '-' || raw[1] != '0'
}
