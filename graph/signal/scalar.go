package signal

import (
	"bytes"
	"math"
	"strconv"
)

// ScalarKind is the type of a Scalar.
type ScalarKind uint8

// The kinds of scalars. Of an absent property there is no scalar at all.
const (
	Null ScalarKind = iota
	Text
	Number
	Bool
)

// Scalar is a value of a property or a trait that is no list and no object. Its bytes belong to the event.
type Scalar struct {
	Kind ScalarKind
	Text []byte  // of a Text, unescaped; of a Number as it was written
	Num  float64 // of a Number
	True bool    // of a Bool
}

// number returns the scalar as a number. Libraries send prices as texts, so a text that is a number counts as one.
func (s Scalar) number() (float64, bool) {
	switch s.Kind {
	case Number:
		return s.Num, true
	case Text:
		if len(s.Text) == 0 || len(s.Text) > maxNumberLen || !numeral(s.Text) {
			return 0, false
		}
		n, err := strconv.ParseFloat(string(s.Text), 64)
		return n, err == nil && !math.IsInf(n, 0)
	}
	return 0, false
}

const maxNumberLen = 32

// numeral reports whether text may be a number as JSON writes them. ParseFloat takes "Inf", "0x1p-2" and "1_000", too.
func numeral(text []byte) bool {
	return len(bytes.Trim(text, "+-.0123456789eE")) == 0 && bytes.ContainsAny(text, "0123456789")
}

// Units are ten-thousandths: sums of a property are kept as integers, so that their order does not matter.
const (
	unitsPerOne = 10_000
	unitsMax    = 1_000_000_000 * unitsPerOne // of one event
)

// Units returns the scalar in ten-thousandths, rounded half to even, and limited to a thousand million either way; 0 and false
// of what is no number.
func (s Scalar) Units() (int64, bool) {
	n, ok := s.number()
	if !ok || math.IsNaN(n) {
		return 0, false
	}
	return int64(max(-unitsMax, min(unitsMax, math.RoundToEven(n*unitsPerOne)))), true
}

// Key returns the scalar as a text, by which distinct values are told apart: a number as its shortest form. At most ValueMax bytes.
// A scalar and its key have the same units.
func (s Scalar) Key() []byte {
	switch s.Kind {
	case Number:
		return strconv.AppendFloat(nil, s.Num, 'g', -1, 64)
	case Bool:
		return strconv.AppendBool(nil, s.True)
	case Text:
		return clip(s.Text)
	}
	return nil
}

// ValueMax is the length, in bytes, up to which a value is kept. Longer ones are cut at a character.
const ValueMax = 200

func clip(text []byte) []byte {
	if len(text) <= ValueMax {
		return text
	}
	end := ValueMax
	for end > 0 && text[end]&0xc0 == 0x80 {
		end--
	}
	return text[:end]
}
