package jsonscan

import (
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
	boolean // true or false, which no caller tells from other scalars by kind
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
	lexer
	pos    int
	depth  int
	first  bool // just after an opening bracket
	keyAt  int  // of the current key, within its quotes
	keyEnd int  // -1 if the key had escapes, and is in key
	key    []byte
	arena  *Arena
}

// Reset puts the cursor at the start of data; it unescapes keys into arena.
func (s *Scanner) Reset(data []byte, arena *Arena) {
	*s = Scanner{lexer: lexer{data: data}, arena: arena}
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
		return s.refuse(s.pos, Depth, "")
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
		return s.close()
	case s.first:
		s.first = false
	case c == ',':
		s.pos++
		c = s.peek()
	default:
		return s.refuse(s.pos, syntax, "',' or '}'")
	}
	if c != '"' {
		return s.refuse(s.pos, syntax, "a key in quotes")
	}
	start := s.pos + 1
	end, escaped := s.short(start), false
	if end == 0 {
		if end, escaped = s.str(start); end < 0 {
			return s.halt()
		}
	}
	s.pos = end
	if s.peek() != ':' {
		return s.refuse(s.pos, syntax, "':'")
	}
	s.pos++
	if s.keyAt, s.keyEnd = start, end-1; escaped {
		s.key, s.keyEnd = s.arena.Unescape(s.data[start:end-1]), -1
	}
	return true
}

// Key returns the key of the current member, unescaped.
func (s *Scanner) Key() []byte {
	if s.keyEnd < 0 {
		return s.key
	}
	return s.data[s.keyAt:s.keyEnd:s.keyEnd]
}

// More moves to the next element of the current array; after the last one it leaves the array and returns false. Read
// the element before calling More again.
func (s *Scanner) More() bool {
	c := s.peek()
	switch {
	case c == ']':
		return s.close()
	case s.first:
		s.first = false
		if s.pos >= len(s.data) {
			return s.refuse(s.pos, syntax, "a value or ']'")
		}
	case c == ',':
		s.pos++
	default:
		return s.refuse(s.pos, syntax, "',' or ']'")
	}
	return true
}

// close leaves the current object or array, and returns false.
func (s *Scanner) close() bool {
	s.first = false
	s.depth--
	s.pos++
	return false
}

// Value reads the next value as a whole.
func (s *Scanner) Value() Value {
	c := s.peek()
	start := s.pos
	end, escaped := 0, false
	switch {
	case c == '"':
		end, escaped = s.str(start + 1)
	case c|0x20 == '{':
		end = s.skip(start, s.depth)
	default:
		end = s.scalar(start)
	}
	if end < 0 {
		s.halt()
		return Value{}
	}
	s.pos = end
	return Value{Kind: kinds[c], Escaped: escaped, Raw: s.data[start:end:end]}
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

// refuse records the first error, halts and returns false.
func (s *Scanner) refuse(offset int, code ErrorCode, want string) bool {
	s.fail(offset, code, want)
	return s.halt()
}

// halt moves to the end of the input after an error, and returns false (J3).
func (s *Scanner) halt() bool {
	s.pos = len(s.data)
	return false
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
	if s.pos = s.space(s.pos); s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// Balanced moves after the next value by counting only brackets and quotes, and returns its text. It splits a list
// whose elements are scanned one by one later: an error inside an element then affects that element alone. MaxDepth
// does not bound it.
func (s *Scanner) Balanced() []byte {
	s.peek()
	start := s.pos
	end, want := balanced(s.data, start)
	if want != "" {
		s.refuse(end, syntax, want)
		return nil
	}
	s.pos = end
	return s.data[start:end:end]
}
