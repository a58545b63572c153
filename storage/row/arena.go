package row

import "strings"

// arenaChunk is the size of the chunks that an arena allocates, in bytes. A value above a quarter of it gets an
// allocation of its own, so that a chunk wastes little.
const arenaChunk = 512

// An arena holds the strings and byte slices of one decoded value, in few allocations. They never overlap, and
// appending to one never overwrites another (C4).
//
// A component lives for long, and most of its strings are short: an allocation for each costs more in headers and
// rounding than in text. The price is that one string which outlives the others keeps its chunk.
type arena struct {
	strings strings.Builder
	chunk   []byte
}

// text copies b into a string. left is an upper bound of the bytes that the rest of the value needs, including b.
func (a *arena) text(b []byte, left int) string {
	if len(b) > arenaChunk/4 {
		return string(b)
	}
	if a.strings.Cap()-a.strings.Len() < len(b) {
		a.strings.Reset()
		a.strings.Grow(min(arenaChunk, left))
	}
	start := a.strings.Len()
	a.strings.Write(b)
	return a.strings.String()[start:]
}

// bytes copies b; nil stays nil. left is an upper bound of the bytes that the rest of the value needs, including b.
func (a *arena) bytes(b []byte, left int) []byte {
	switch {
	case b == nil:
		return nil
	case len(b) == 0:
		return []byte{} // not a slice of the chunk, which would be nil before the first allocation
	case len(b) > arenaChunk/4:
		return append(make([]byte, 0, len(b)), b...)
	}
	if cap(a.chunk)-len(a.chunk) < len(b) {
		a.chunk = make([]byte, 0, min(arenaChunk, left))
	}
	start := len(a.chunk)
	a.chunk = append(a.chunk, b...)
	return a.chunk[start:len(a.chunk):len(a.chunk)]
}
