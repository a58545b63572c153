// Package jsontext appends values as JSON text to byte slices.
package jsontext

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD, and so does NUL, which databases reject.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c == 0 {
			dst = append(append(dst, s[start:i]...), "\ufffd"...)
		} else if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), "\ufffd"...)
		} else {
			dst = appendEscape(append(dst, s[start:i]...), c)
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// AppendVerbatim appends s as a JSON string with invalid UTF-8 unchanged, so that a reader that checks the text finds
// it. NUL is escaped.
func AppendVerbatim[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			dst = appendEscape(append(dst, s[start:i]...), c)
			start = i + 1
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// appendEscape appends a byte that JSON strings can only contain as an escape.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// AppendCompact appends JSON text without white space between tokens, so that it fits on a line, and with U+FFFD for
// text that strict readers reject: half a surrogate pair, and NUL. Ingest replaces these now, but older directories
// contain them. REQUIRES: text is valid JSON.
func AppendCompact(dst, text []byte) []byte {
	if jsonscan.Broken(text) {
		text = jsonscan.Mend(nil, text)
	}
	if bytes.IndexByte(text, ' ') < 0 && bytes.IndexByte(text, '\n') < 0 &&
		bytes.IndexByte(text, '\t') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return append(dst, text...)
	}
	inString := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case inString && c == '\\' && i+1 < len(text):
			dst = append(dst, c)
			i++
			c = text[i]
		case c == '"':
			inString = !inString
		case !inString && (c == ' ' || c == '\n' || c == '\t' || c == '\r'):
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// AppendTime appends a time in ms since 1970 as RFC 3339 in UTC with milliseconds, in quotes.
func AppendTime(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	// Four digits do not hold the year. AppendFormat is slower, and writes as many digits as it takes.
	if year < 0 || year > 9999 {
		return append(t.AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z"), '"')
	}
	hour, minute, second := t.Clock()
	milli := t.Nanosecond() / int(time.Millisecond)
	return append(dst, '"',
		digit(year/1000), digit(year/100), digit(year/10), digit(year), '-',
		digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day), 'T',
		digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute), ':', digit(second/10), digit(second), '.',
		digit(milli/100), digit(milli/10), digit(milli), 'Z', '"')
}

func digit(n int) byte { return '0' + byte(n%10) }

// AppendTimeOrNull appends null for no time.
func AppendTimeOrNull(dst []byte, ms int64, known bool) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return AppendTime(dst, ms)
}
