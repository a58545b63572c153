package jsonscan

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// hex maps a hexadecimal digit to its value, and any other byte to -1.
var hex = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i, c := range "0123456789abcdef" {
		table[c] = int8(i)
	}
	for i, c := range "ABCDEF" {
		table[c] = int8(10 + i)
	}
	return table
}()

// Unescape appends to dst the text of the inside of a string (J2): half a surrogate pair becomes U+FFFD, and so does
// NUL. The result is never longer than the inside.
// REQUIRES: the string was scanned without an error.
func Unescape(dst, inside []byte) []byte {
	for {
		i := bytes.IndexByte(inside, '\\')
		if i < 0 {
			return append(dst, inside...)
		}
		dst = append(dst, inside[:i]...)
		c := inside[i+1]
		inside = inside[i+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := rune4(inside)
			inside = inside[4:]
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if len(inside) >= 6 && inside[0] == '\\' && inside[1] == 'u' {
					pair = utf16.DecodeRune(r, rune4(inside[2:]))
				}
				// Only a whole pair takes the second escape. After half of one, that escape is read anew: it may be a
				// character.
				if r = pair; r != utf8.RuneError {
					inside = inside[6:]
				}
			}
			if r == 0 {
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
		default: // a quote, a backslash, a slash
			dst = append(dst, c)
		}
	}
}

// rune4 reads four hexadecimal digits.
func rune4(b []byte) rune {
	return rune(hex[b[0]])<<12 | rune(hex[b[1]])<<8 | rune(hex[b[2]])<<4 | rune(hex[b[3]])
}
