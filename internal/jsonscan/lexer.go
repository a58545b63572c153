package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

// lexer checks the tokens of a text. Its functions take the offset of a token and return the offset after it, or -1
// after an error.
type lexer struct {
	data   []byte
	high   uint64 // the top bits of all string bytes so far, and of some after them: no set bit means ASCII
	spaced bool   // there was white space between tokens
	broken bool   // there was a string that Mend would change
	err    *Error
}

// Spaced reports whether there was white space between the tokens read so far.
func (x *lexer) Spaced() bool { return x.spaced }

// Broken reports whether a string read so far holds half a surrogate pair or a NUL, which Mend replaces.
func (x *lexer) Broken() bool { return x.broken }

// Err returns the first error so far, or nil.
func (x *lexer) Err() *Error { return x.err }

// fail records the first error, and returns -1. It is rare, and would crowd the functions that it is inlined into.
//
//go:noinline
func (x *lexer) fail(offset int, code ErrorCode, want string) int {
	if x.err != nil {
		return -1
	}
	x.err = &Error{Code: code, Offset: offset, want: want}
	if offset < len(x.data) {
		x.err.found, x.err.more = x.data[offset], true
	}
	return -1
}

// ahead skips white space, of which there is usually none.
func (x *lexer) ahead(i int) int {
	if i < len(x.data) && x.data[i] > ' ' {
		return i
	}
	return x.space(i)
}

// space returns the offset of the first byte from i on that is not white space.
func (x *lexer) space(i int) int {
	for i < len(x.data) && kinds[x.data[i]] == white {
		x.spaced = true
		i++
	}
	return i
}

// kinds maps the first byte of a value to its kind, and marks white space.
var kinds = func() (table [256]Kind) {
	for _, c := range "-0123456789" {
		table[c] = Number
	}
	for _, c := range " \t\r\n" {
		table[c] = white
	}
	table['n'], table['t'], table['f'] = Null, boolean, boolean
	table['"'], table['{'], table['['] = String, Object, Array
	return table
}()

// white marks white space in kinds. Callers never see it, because peek skips white space.
const white Kind = 0xff

// scalar checks the value at i, which is not an object or an array.
func (x *lexer) scalar(i int) int {
	if i >= len(x.data) {
		return x.fail(i, syntax, "a value")
	}
	switch x.data[i] {
	case '"':
		if end := x.short(i + 1); end > 0 {
			return end
		}
		i, _ = x.str(i + 1)
		return i
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return x.number(i)
	case 't':
		return x.literal(i, "true")
	case 'f':
		return x.literal(i, "false")
	case 'n':
		return x.literal(i, "null")
	}
	return x.fail(i, syntax, "a value")
}

func (x *lexer) literal(i int, want string) int {
	if end := i + len(want); end <= len(x.data) && string(x.data[i:end]) == want {
		return end
	}
	return x.fail(i, syntax, want)
}

// The following process eight bytes at a time: a special byte sets its top bit in the mask. Borrows can set the top
// bit of a byte above a special one, never of one below it, so the lowest bit is right.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks quotes, backslashes and control characters in w. Flipping bit 1 moves the quote, 0x22, next to the
// control characters, and keeps these below 0x20: one comparison finds both.
func special(w uint64) uint64 {
	low, back := w^ones*2, w^ones*'\\'
	return ((low-ones*0x21)&^low | (back-ones)&^back) & highs
}

// short finds the end of a string of at most seven bytes without a backslash whose inside starts at i. It returns 0 if
// str must search. The word may reach beyond the string, so high may get bits that are not of strings: the worst of
// that is a check of UTF-8 that was not needed.
func (x *lexer) short(i int) int {
	if i+8 > len(x.data) {
		return 0
	}
	w := binary.LittleEndian.Uint64(x.data[i:])
	m := special(w)
	end := i + bits.TrailingZeros64(m)>>3
	if m == 0 || x.data[end] != '"' {
		return 0
	}
	x.high |= w
	return end + 1
}

// str checks the string whose inside starts at i: 16 bytes at a time as long as so many are left, and the last ones one
// by one. It reports whether there were escapes, so that strings without one are used as they are.
func (x *lexer) str(i int) (end int, escaped bool) {
	data, high := x.data, x.high
	for {
		for i+16 <= len(data) {
			v, w := binary.LittleEndian.Uint64(data[i:]), binary.LittleEndian.Uint64(data[i+8:])
			high |= v | w
			if m := special(v); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				goto found
			}
			if m := special(w); m != 0 {
				i += 8 + bits.TrailingZeros64(m)>>3
				goto found
			}
			i += 16
		}
		for i < len(data) && data[i] >= ' ' && data[i] != '"' && data[i] != '\\' {
			high |= uint64(data[i])
			i++
		}
		if i >= len(data) {
			return x.fail(i, syntax, "the closing '\"' of a string"), false
		}
	found:
		switch data[i] {
		case '"':
			x.high = high
			return i + 1, escaped
		case '\\':
			escaped = true
			if i = x.escape(i); i < 0 {
				return -1, false
			}
		default:
			return x.fail(i, syntax, "no raw control character in a string"), false
		}
	}
}

// escape checks the escape sequence at i.
func (x *lexer) escape(i int) int {
	data := x.data
	if i+1 < len(data) {
		switch data[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			return i + 2
		case 'u':
			for k := i + 2; k < i+6; k++ {
				if k >= len(data) || hex[data[k]] < 0 {
					return x.fail(k, syntax, "four hexadecimal digits after \\u")
				}
			}
			n := unicodeEscape(data[i:])
			if n == lone {
				x.broken = true
				n = 6
			}
			return i + n
		}
	}
	return x.fail(i+1, syntax, `one of "\/bfnrtu after a backslash`)
}

// number checks the number at i:
//
//	[-] ( 0 | digits that begin with 1 to 9 ) [ . digits ] [ e or E, [+ or -], digits ]
//
// It only finds the end: what the number is worth, and whether it fits into any type, its reader decides.
func (x *lexer) number(i int) int {
	data := x.data
	if data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if i = x.digits(i); i < 0 {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		if i = x.digits(i + 1); i < 0 {
			return -1
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		return x.digits(i)
	}
	return i
}

// digits skips one or more digits.
func (x *lexer) digits(i int) int {
	data := x.data
	start := i
	for i < len(data) && data[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return x.fail(i, syntax, "a digit")
	}
	return i
}
