package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

// skip checks the next value and moves after it. It keeps the cursor in a local variable and the kinds of the open
// brackets in the bits of a word, the innermost lowest: set means object. Every byte that a caller does not pick
// passes through here, so short strings are read inline.
func (s *Scanner) skip() bool {
	data, i := s.data, s.pos
	high := s.high
	depth := s.depth
	var stack uint64

value:
	if i = s.ahead(data, i); i >= len(data) {
		return s.stray(i, "a value")
	}
	switch data[i] {
	case '"':
		if i+9 <= len(data) {
			w := binary.LittleEndian.Uint64(data[i+1:])
			high |= w
			if m := special(w); m == 0 {
				i += 8 // str continues after the word
			} else if k := i + 1 + bits.TrailingZeros64(m)>>3; data[k] == '"' {
				i = k + 1
				goto after
			}
		}
		if i, _ = s.str(i + 1); i < 0 {
			return false
		}
	case '{':
		if depth == MaxDepth {
			s.fail(i, Depth, "")
			return false
		}
		depth++
		stack = stack<<1 | 1
		if i = s.ahead(data, i+1); i < len(data) && data[i] == '}' {
			goto pop
		}
		goto key
	case '[':
		if depth == MaxDepth {
			s.fail(i, Depth, "")
			return false
		}
		depth++
		stack <<= 1
		if i = s.ahead(data, i+1); i < len(data) && data[i] == ']' {
			goto pop
		}
		goto value
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if i = s.number(i); i < 0 {
			return false
		}
	case 't':
		if i+4 > len(data) || string(data[i:i+4]) != "true" {
			return s.stray(i, "true")
		}
		i += 4
	case 'f':
		if i+5 > len(data) || string(data[i:i+5]) != "false" {
			return s.stray(i, "false")
		}
		i += 5
	case 'n':
		if i+4 > len(data) || string(data[i:i+4]) != "null" {
			return s.stray(i, "null")
		}
		i += 4
	default:
		return s.stray(i, "a value")
	}

after:
	if depth == s.depth {
		s.pos = i
		s.high |= high
		return true
	}
	if i = s.ahead(data, i); i >= len(data) {
		return s.stray(i, "',' or a closing bracket")
	}
	switch data[i] {
	case ',':
		i++
		if stack&1 == 0 {
			goto value
		}
		i = s.ahead(data, i)
		goto key
	case '}':
		if stack&1 == 0 {
			return s.stray(i, "',' or ']'")
		}
	case ']':
		if stack&1 == 1 {
			return s.stray(i, "',' or '}'")
		}
	default:
		return s.stray(i, "',' or a closing bracket")
	}

pop:
	i++
	depth--
	stack >>= 1
	goto after

key:
	if i >= len(data) || data[i] != '"' {
		return s.stray(i, "a key in quotes")
	}
	if i+9 <= len(data) {
		w := binary.LittleEndian.Uint64(data[i+1:])
		high |= w
		if m := special(w); m == 0 {
			i += 8
		} else if k := i + 1 + bits.TrailingZeros64(m)>>3; data[k] == '"' {
			i = k + 1
			goto colon
		}
	}
	if i, _ = s.str(i + 1); i < 0 {
		return false
	}

colon:
	if i = s.ahead(data, i); i >= len(data) || data[i] != ':' {
		return s.stray(i, "':'")
	}
	i++
	goto value
}

// stray records a syntax error and returns false, for skip to return.
func (s *Scanner) stray(i int, want string) bool {
	s.fail(i, syntax, want)
	return false
}

// ahead skips white space, of which there is usually none.
func (s *Scanner) ahead(data []byte, i int) int {
	if i < len(data) && data[i] > ' ' {
		return i
	}
	return s.space(data, i)
}

// number checks the number at i and returns the offset after it, -1 after an error.
func (s *Scanner) number(i int) int {
	data := s.data
	if data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		if i = s.digits(i + 1); i < 0 {
			return -1
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits skips one or more digits; it returns -1 after an error.
func (s *Scanner) digits(i int) int {
	data := s.data
	start := i
	for i < len(data) && data[i]-'0' <= 9 {
		i++
	}
	if i == start {
		s.fail(i, syntax, "a digit")
		return -1
	}
	return i
}

// Balanced moves after the next value by counting only brackets and quotes, and returns its text. It splits a list
// whose elements are scanned one by one later: an error inside an element then affects that element alone. MaxDepth
// does not bound it.
func (s *Scanner) Balanced() []byte {
	s.peek()
	data, start := s.data, s.pos
	open := 0
	for i := start; i < len(data); i++ {
		switch data[i] {
		case '"':
			if i = closingQuote(data, i+1); i < 0 {
				s.fail(len(data), syntax, "the closing '\"' of a string")
				return nil
			}
			if open == 0 {
				return s.take(start, i+1)
			}
		case '{', '[':
			open++
		case '}', ']':
			if open == 0 {
				return s.take(start, i)
			}
			if open--; open == 0 {
				return s.take(start, i+1)
			}
		case ',', ' ', '\t', '\r', '\n':
			if open == 0 {
				return s.take(start, i)
			}
		}
	}
	if open > 0 {
		s.fail(len(data), syntax, "a closing bracket")
		return nil
	}
	return s.take(start, len(data))
}

func (s *Scanner) take(start, end int) []byte {
	if start == end {
		s.fail(start, syntax, "a value")
		return nil
	}
	s.pos = end
	return s.data[start:end:end]
}

// closingQuote returns the offset of the first quote from i on without a backslash before it, or -1.
func closingQuote(data []byte, i int) int {
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}
