package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest. It is the width of the bit stack in skip.
const MaxDepth = 64

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds. The zero kind means no value: absent, or cut off by an error.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	Object
	Array
)

var kindNames = [...]string{"nothing", "null", "a boolean", "a number", "a string", "an object", "an array"}

// String names the kind as a sentence would: "an object".
func (k Kind) String() string { return kindNames[k] }

// Value is one value of the input, unchanged.
type Value struct {
	Kind    Kind
	Escaped bool   // the value is a string with a backslash in it
	Raw     []byte // its text, including a string's quotes
}

// Inside returns the text between a string's quotes, which still has its escapes if Escaped.
// REQUIRES: v.Kind is String.
func (v Value) Inside() []byte { return v.Raw[1 : len(v.Raw)-1] }

// Scanner is a cursor over one JSON text. The zero Scanner is ready for Reset. Slices that it returns point into the
// input, except unescaped keys, which are in the arena.
//
//	value:  Object ─► Next ─► Key, value ─► Next … false     a step into an object, and out of it
//	        Array  ─► More ─► value ─► More … false          likewise for an array
//	        Value                                            the whole value, skipped and checked
//
// Invariants:
//   - Every byte is checked exactly once, by the step that passes it; End checks UTF-8 for the whole input, and only
//     if some string had a byte outside ASCII (high).
//   - depth counts the open objects and arrays. A caller leaves each only when Next or More returns false, or else
//     abandons the scan.
type Scanner struct {
	data   []byte
	pos    int
	depth  int
	first  bool   // just after an opening bracket
	spaced bool   // there was white space between tokens
	broken bool   // there was a string that Mend would change
	high   uint64 // the top bits of all string bytes so far: any set bit means not ASCII
	key    []byte
	arena  *Arena
	err    *Error
}

// Reset puts the cursor at the start of data; it unescapes keys into arena.
func (s *Scanner) Reset(data []byte, arena *Arena) {
	*s = Scanner{data: data, arena: arena}
}

// Pos returns the cursor's offset in the input, in bytes.
func (s *Scanner) Pos() int { return s.pos }

// Since returns the input from the offset start to the cursor.
func (s *Scanner) Since(start int) []byte { return s.data[start:s.pos:s.pos] }

// Peek returns the kind of the next value, judged by its first byte.
func (s *Scanner) Peek() Kind { return kinds[s.peek()] }

// Object steps into an object. If the next value is not an object, it returns false and does not move.
func (s *Scanner) Object() bool { return s.open('{') }

// Array steps into an array. If the next value is not an array, it returns false and does not move.
func (s *Scanner) Array() bool { return s.open('[') }

func (s *Scanner) open(bracket byte) bool {
	if s.peek() != bracket {
		return false
	}
	if s.depth == MaxDepth {
		s.fail(s.pos, Depth, "")
		return false
	}
	s.depth++
	s.pos++
	s.first = true
	return true
}

// Next moves to the next member of the current object; after the last one it leaves the object and returns false.
// Read the member's value before calling Next again.
func (s *Scanner) Next() bool {
	c := s.peek()
	switch {
	case c == '}':
		s.close()
		return false
	case s.first:
		s.first = false
	case c == ',':
		s.pos++
		c = s.peek()
	default:
		s.fail(s.pos, syntax, "',' or '}'")
		return false
	}
	if c != '"' {
		s.fail(s.pos, syntax, "a key in quotes")
		return false
	}
	start := s.pos + 1
	var end int
	var escaped bool
	if end = s.short(start); end == 0 {
		if end, escaped = s.str(start); end < 0 {
			return false
		}
	}
	s.pos = end
	if s.peek() != ':' {
		s.fail(s.pos, syntax, "':'")
		return false
	}
	s.pos++
	s.key = s.data[start : end-1 : end-1]
	if escaped {
		s.key = s.arena.Unescape(s.key)
	}
	return true
}

// Key returns the key of the current member, unescaped.
func (s *Scanner) Key() []byte { return s.key }

// More moves to the next element of the current array; after the last one it leaves the array and returns false. Read
// the element before calling More again.
func (s *Scanner) More() bool {
	c := s.peek()
	switch {
	case c == ']':
		s.close()
		return false
	case s.first:
		s.first = false
		if s.pos >= len(s.data) {
			s.fail(s.pos, syntax, "a value or ']'")
			return false
		}
	case c == ',':
		s.pos++
	default:
		s.fail(s.pos, syntax, "',' or ']'")
		return false
	}
	return true
}

func (s *Scanner) close() {
	s.first = false
	s.depth--
	s.pos++
}

// Value reads the next value as a whole.
func (s *Scanner) Value() Value {
	c := s.peek()
	start := s.pos
	if c == '"' {
		end, escaped := s.str(start + 1)
		if end < 0 {
			return Value{}
		}
		s.pos = end
		return Value{Kind: String, Escaped: escaped, Raw: s.data[start:end:end]}
	}
	if !s.skip() {
		return Value{}
	}
	return Value{Kind: kinds[c], Raw: s.data[start:s.pos:s.pos]}
}

// End checks that nothing follows the value, and that the input is UTF-8. It returns the first error of the scan,
// which is an *Error.
func (s *Scanner) End() error {
	if s.err == nil {
		if s.peek(); s.pos < len(s.data) {
			s.fail(s.pos, syntax, "the end")
		} else if s.high&highs != 0 && !utf8.Valid(s.data) {
			s.fail(invalidUTF8(s.data), UTF8, "")
		}
	}
	if s.err != nil {
		return s.err
	}
	return nil
}

// Spaced reports whether there was white space between the tokens read so far.
func (s *Scanner) Spaced() bool { return s.spaced }

// Broken reports whether a string read so far holds half a surrogate pair or a NUL, which Mend replaces.
func (s *Scanner) Broken() bool { return s.broken }

// Err returns the first error so far, or nil.
func (s *Scanner) Err() *Error { return s.err }

// fail records the first error and moves to the end of the input (J3).
func (s *Scanner) fail(offset int, code ErrorCode, want string) {
	if s.err != nil {
		return
	}
	s.err = &Error{Code: code, Offset: offset, want: want}
	if offset < len(s.data) {
		s.err.found, s.err.more = s.data[offset], true
	}
	s.pos = len(s.data)
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *Scanner) peek() byte {
	if s.pos < len(s.data) {
		if c := s.data[s.pos]; c > ' ' {
			return c
		}
	}
	return s.peekFar()
}

func (s *Scanner) peekFar() byte {
	s.pos = s.space(s.data, s.pos)
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// space returns the offset of the first byte from i on that is not white space.
func (s *Scanner) space(data []byte, i int) int {
	for i < len(data) && kinds[data[i]] == white {
		s.spaced = true
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
	table['n'], table['t'], table['f'] = Null, Bool, Bool
	table['"'], table['{'], table['['] = String, Object, Array
	return table
}()

// white marks white space in kinds. Callers never see it, because peek skips white space.
const white Kind = 0xff

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

// short finds the end of a string of at most seven bytes whose inside starts at i: the offset after its closing
// quote. It returns 0 if str must search.
func (s *Scanner) short(i int) int {
	if i+8 > len(s.data) {
		return 0
	}
	w := binary.LittleEndian.Uint64(s.data[i:])
	m := special(w)
	if i += bits.TrailingZeros64(m) >> 3; m == 0 || s.data[i] != '"' {
		return 0
	}
	s.high |= w
	return i + 1
}

// str finds the end of the string whose inside starts at i: the offset after its closing quote, -1 after an error.
func (s *Scanner) str(i int) (end int, escaped bool) {
	data := s.data
	high := s.high
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
			s.fail(i, syntax, "the closing '\"' of a string")
			return -1, false
		}
	found:
		switch data[i] {
		case '"':
			s.high = high
			return i + 1, escaped
		case '\\':
			escaped = true
			if i = s.escape(i); i < 0 {
				return -1, false
			}
		default:
			s.fail(i, syntax, "no raw control character in a string")
			return -1, false
		}
	}
}

// escape checks the escape sequence at i and returns the offset after it, -1 after an error.
func (s *Scanner) escape(i int) int {
	data := s.data
	if i+1 < len(data) {
		switch data[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			return i + 2
		case 'u':
			for k := i + 2; k < i+6; k++ {
				if k >= len(data) || hex[data[k]] < 0 {
					s.fail(k, syntax, "four hexadecimal digits after \\u")
					return -1
				}
			}
			n := unicodeEscape(data[i:])
			if n == lone {
				s.broken = true
				n = 6
			}
			return i + n
		}
	}
	s.fail(i+1, syntax, `one of "\/bfnrtu after a backslash`)
	return -1
}
