package jsonscan

import (
	"fmt"
	"unicode/utf8"
)

// ErrorCode classifies the problem of a text.
type ErrorCode uint8

// The codes.
const (
	syntax ErrorCode = 1 + iota // not JSON
	UTF8                        // not UTF-8
	Depth                       // nested more than MaxDepth deep
)

// Error is the place and the reason of a rejection. It quotes at most one byte of the text.
type Error struct {
	Code   ErrorCode
	Offset int // in bytes, from 0
	want   string
	found  byte
	more   bool // found is a byte, not the end
}

func (e *Error) Error() string {
	switch e.Code {
	case UTF8:
		return fmt.Sprintf("byte %d: not UTF-8", e.Offset)
	case Depth:
		return fmt.Sprintf("byte %d: nested more than %d deep", e.Offset, MaxDepth)
	}
	if !e.more {
		return fmt.Sprintf("byte %d: want %s, found the end", e.Offset, e.want)
	}
	return fmt.Sprintf("byte %d: want %s, found %q", e.Offset, e.want, e.found)
}

// invalidUTF8 returns the offset of the first byte of data that is not valid UTF-8.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}
