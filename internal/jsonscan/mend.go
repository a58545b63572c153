package jsonscan

import "bytes"

// lone is unicodeEscape's result for an escape of a character that text may not contain.
const lone = 0

// unicodeEscape returns the length of the \uXXXX escape that b begins with: 6 bytes, 12 for both of a surrogate pair,
// or lone for half a pair and for NUL. REQUIRES: the six bytes are present, and hexadecimal.
func unicodeEscape(b []byte) int {
	switch r := rune4(b[2:]); {
	case r == 0:
		return lone
	case r < 0xd800 || r > 0xdfff:
		return 6
	case r > 0xdbff || len(b) < 12 || b[6] != '\\' || b[7] != 'u':
		return lone
	}
	for _, c := range b[8:12] {
		if hex[c] < 0 {
			return lone // and the next escape is a syntax error
		}
	}
	if low := rune4(b[8:]); low < 0xdc00 || low > 0xdfff {
		return lone
	}
	return 12
}

// replacement is the escape of U+FFFD, which is as long as those that it replaces.
const replacement = `\ufffd`

// Mend appends JSON text with U+FFFD for every half of a surrogate pair, which strict readers reject, and for NUL,
// which databases with C strings reject. The length stays the same (J5). REQUIRES: text was scanned without an error.
func Mend(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(dst, text...)
		}
		n := 2
		if text[i+1] == 'u' {
			n = unicodeEscape(text[i:])
		}
		if n == lone {
			dst = append(append(dst, text[:i]...), replacement...)
			text = text[i+len(replacement):]
			continue
		}
		dst = append(dst, text[:i+n]...)
		text = text[i+n:]
	}
}

// Broken reports whether Mend would change text. REQUIRES: as Mend.
func Broken(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		n := 2
		if text[i+1] == 'u' {
			if n = unicodeEscape(text[i:]); n == lone {
				return true
			}
		}
		text = text[i+n:]
	}
}
