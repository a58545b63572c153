package identifier

import (
	"unicode"
	"unicode/utf8"
)

// isInvisible reports whether a character has no shape of its own: what copying out of documents, chats and phone books leaves
// within an address or a number. Soft hyphens, joiners, marks of direction, fillers, variation selectors.
func isInvisible(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	}
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u3164', '\uffa0':
		return true
	}
	return false
}

// narrow gives the ASCII character of which r is the full-width form, or r.
func narrow(r rune) rune {
	switch {
	case '\uff01' <= r && r <= '\uff5e':
		return r - '\uff01' + '!'
	case r >= utf8.RuneSelf && unicode.IsSpace(r):
		return ' '
	}
	return r
}

// unwrap takes away what spreadsheets put around a value to keep it text: ="…", quotes on both sides, an apostrophe before it.
func unwrap(text string) string {
	if len(text) > 3 && text[:2] == `="` && text[len(text)-1] == '"' {
		return text[2 : len(text)-1]
	}
	if n := len(text); n > 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		return text[1 : n-1]
	}
	if len(text) > 1 && text[0] == '\'' {
		return text[1:]
	}
	return text
}
