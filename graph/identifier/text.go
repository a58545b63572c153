package identifier

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// marks say what kinds of bytes a value holds: one pass finds out, and the ordinary value then
// skips whatever it has no need of.
type marks uint8

const (
	markWide     marks = 1 << iota // not ASCII
	markControl                    // ASCII control character
	markUpper                      // A-Z
	markDigit                      // 0-9
	markAt                         // @
	markTemplate                   // % { [ < *, one of which is in every template
	markOdd                        // what is in every template and in the text of an object, and begins what has no letter
)

var byteMarks = func() (table [256]marks) {
	for b := range table {
		switch {
		case b >= utf8.RuneSelf:
			table[b] = markWide
		case b < ' ' || b == 0x7f:
			table[b] = markControl
		case 'A' <= b && b <= 'Z':
			table[b] = markUpper
		case '0' <= b && b <= '9':
			table[b] = markDigit
		case b == '@':
			table[b] = markAt
		case b == '%' || b == '{' || b == '[' || b == '<' || b == '*':
			table[b] = markTemplate | markOdd
		case b == '-' || b == '_' || b == '.' || b == '+' || b == ' ' || b == ')' || b == '/' || 'a' <= b && b <= 'z':
		default:
			table[b] = markOdd
		}
	}
	return table
}()

// marksOf finds the marks of a value.
func marksOf(value []byte) (m marks) {
	for _, b := range value {
		m |= byteMarks[b]
	}
	return m
}

// scan finds the marks of a value. It fails on what is no text.
func scan(value []byte) (marks, error) {
	m := marksOf(value)
	if m&markControl != 0 {
		return m, errControl
	}
	if m&markWide != 0 {
		if !utf8.Valid(value) {
			return m, errNotUTF8
		}
		if bytes.ContainsFunc(value, unicode.IsControl) {
			return m, errControl
		}
	}
	return m, nil
}

// trim cuts off the white space around a value. It counts as white space what no eye can see and
// spreadsheets add: the byte order mark and the zero-width space.
func trim(raw []byte) []byte {
	if len(raw) > 0 && isPlain(raw[0]) && isPlain(raw[len(raw)-1]) {
		return raw
	}
	return bytes.TrimFunc(raw, isSpace)
}

// isPlain reports whether a byte is by itself a character that trim leaves.
func isPlain(b byte) bool { return ' ' < b && b < utf8.RuneSelf }

func isSpace(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' }

// appendLower appends text in lower case, by the simple mapping of Unicode: it depends on no
// language, so the Turkish İ and I are both i, and ı stays. REQUIRES: text is UTF-8.
func appendLower(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		b := text[i]
		if b < utf8.RuneSelf {
			dst = append(dst, lowerByte(b))
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		dst = utf8.AppendRune(dst, unicode.ToLower(r))
		i += size
	}
	return dst
}

func lowerByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b |= 0x20
	}
	return b
}
