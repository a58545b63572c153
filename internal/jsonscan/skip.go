package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

// skip checks the value at i, which is at the given depth, and returns the offset after it, or -1 after an error. It
// keeps the cursor in a local variable and the kinds of the open brackets in the bits of a word, the innermost lowest:
// set means object. Every byte that a caller does not pick passes through here, so short strings, keys or values, are
// read inline.
//
//	value   before a value: a bracket goes on to key, or to value again; a quote to text; a scalar to after
//	text    at the quote of a key or a value, which inKey tells apart; then ended
//	ended   after a text: a key goes on, past its colon, to value; a value to after
//	after   after a value: done at the depth of the start; a comma goes on to value or key, a bracket to pop
//	pop     after the last member or element: the object or array is itself a value, so after
//	key     before a key: a quote goes on to text
func (x *lexer) skip(i, depth int) int {
	data, outside := x.data, depth
	var stack uint64
	inKey := false
value:
	if i = x.ahead(i); i >= len(data) {
		return x.fail(i, syntax, "a value")
	}
	switch data[i] {
	case '"':
	case '{', '[':
		if depth == MaxDepth {
			return x.fail(i, Depth, "")
		}
		closing := data[i] + 2 // as ASCII has it
		depth++
		stack = stack<<1 | uint64(data[i]>>5&1) // 1 for an object
		if i = x.ahead(i + 1); i < len(data) && data[i] == closing {
			goto pop
		}
		if stack&1 == 0 {
			goto value
		}
		goto key
	default:
		if i = x.scalar(i); i < 0 {
			return -1
		}
		goto after
	}
text:
	if i+9 <= len(data) {
		w := binary.LittleEndian.Uint64(data[i+1:])
		m := special(w)
		if k := i + 1 + bits.TrailingZeros64(m)>>3; m != 0 && data[k] == '"' {
			x.high |= w
			i = k + 1
			goto ended
		}
	}
	if i, _ = x.str(i + 1); i < 0 {
		return -1
	}
ended:
	if inKey {
		if i = x.ahead(i); i >= len(data) || data[i] != ':' {
			return x.fail(i, syntax, "':'")
		}
		i++
		inKey = false
		goto value
	}
after:
	if depth == outside {
		return i
	}
	if i = x.ahead(i); i >= len(data) {
		return x.fail(i, syntax, "',' or a closing bracket")
	}
	switch {
	case data[i] == ',':
		i = x.ahead(i + 1)
		if stack&1 == 0 {
			goto value
		}
		goto key
	case data[i] == '}' && stack&1 == 0:
		return x.fail(i, syntax, "',' or ']'")
	case data[i] == ']' && stack&1 == 1:
		return x.fail(i, syntax, "',' or '}'")
	case data[i] != '}' && data[i] != ']':
		return x.fail(i, syntax, "',' or a closing bracket")
	}
pop:
	i++
	depth--
	stack >>= 1
	goto after
key:
	if i >= len(data) || data[i] != '"' {
		return x.fail(i, syntax, "a key in quotes")
	}
	inKey = true
	goto text
}
