package row

import "strings"

// arenaChunk is how much an arena allocates at a time, in bytes. What is above a quarter of it is
// allocated by itself, so that little of a chunk is left over.
const arenaChunk = 512

// An arena holds the strings and byte slices of one decoded value, in few allocations. No two of
// them overlap, and appending to one never reaches another (C4).
type arena struct {
	strings strings.Builder
	chunk   []byte
}

// text copies b into a string. left bounds what will still be asked for, b included.
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

// bytes copies b; nil stays nil. left bounds what will still be asked for, b included.
func (a *arena) bytes(b []byte, left int) []byte {
	switch {
	case b == nil:
		return nil
	case len(b) == 0:
		return []byte{} // of a chunk that is not there yet it would be nil
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
