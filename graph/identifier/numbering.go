package identifier

import "bytes"

//go:generate go run ./numbering -out numbering_table.go

// A number is the digits of a phone number as a person sees them. It is read without allocation and without the
// library, and gives up wherever the two might differ: a wrong answer would split one person's number in two, or join
// two people, while "unknown" costs only time.
type number struct {
	digits [numberDigitsMax]byte
	n      int
	plus   bool // a + goes before them
}

// numberDigitsMax bounds the digits of a number that the table reads: E.164 and what is dialled before it.
const numberDigitsMax = e164DigitsMax + 3

// slashDigitsMax are digits before a slash that are no number by themselves: an area code.
const slashDigitsMax = 6

// scan reads a value of nothing but ASCII digits, a + before them and the marks that people put between them. It
// reports false for any other, and for one that cleanPhone may take for something else than a number: the two must
// agree.
func (x *number) scan(value []byte) bool {
	joints, joint, before := 0, [2]int{}, 0 // the first two marks that a date may have, and the digits before them
	for i, b := range value {
		if b-'0' <= 9 {
			if x.n == numberDigitsMax {
				return false
			}
			x.digits[x.n] = b
			x.n++
			continue
		}
		switch b {
		case '+':
			if x.n > 0 || x.plus {
				return false
			}
			x.plus = true
		case '/', '.', '-':
			if b == '/' && x.n > slashDigitsMax {
				return false
			}
			if joints == 0 {
				before = x.n
			}
			if joints < len(joint) {
				joint[joints] = i
			}
			joints++
		case ' ', '(', ')':
		default:
			return false
		}
	}
	return !mayBeDecimal(value) && (joints < 2 || !mayBeDate(value, before, joint))
}

// mayBeDecimal reports whether a value has a point where a decimal number of one or two places has it.
func mayBeDecimal(value []byte) bool {
	n := len(value)
	return n > 2 && (value[n-2] == '.' || value[n-3] == '.')
}

// mayBeDate reports whether a value may be, or begin with, a date: by the digits before its first mark, since spaces may
// stand before those, and by the places of its first two marks.
func mayBeDate(value []byte, before int, joint [2]int) bool {
	if width := joint[1] - joint[0] - 1; width < 1 || width > 2 {
		return false
	}
	year := value[joint[1]+1:]
	return before == 4 || before <= 2 && (bytes.HasPrefix(year, []byte("19")) || bytes.HasPrefix(year, []byte("20")))
}

// A numberCountry is what the phone library surely makes of the digits after a country code.
type numberCountry struct {
	code     uint16
	possible uint32 // a bit for each length, without the code, of a possible number
	root     uint16
}

// A numberRegion is what it makes of numbers of a region that have no country code.
type numberRegion struct {
	country uint8 // where its country stands
	root    uint16
}

// A numberRow has a bit for each length of numbers that begin alike.
type numberRow struct {
	keep uint32 // the library keeps all digits
	drop uint32 // it takes away the first ones, which are dialled before the number
	cut  uint8  // how many those are
}

// numberLeaf marks the place of a row; other places are those of nodes.
const numberLeaf = 1 << 15

// leading returns how many digits the library takes away from the front of a number. It reports false where the table
// does not know.
//
//	root ──digit──► numberNodes ──digit──► … ──► numberRows: by the length of the whole number, a bit
//	                  ten places each                 keep: all digits    drop: the first cut digits
//
// The walk ends at the first row: the digits that decide are few, and their number differs from country to country. A
// length in neither set is left to the library.
func leading(digits []byte, root uint16) (cut int, sure bool) {
	at := root
	for _, b := range digits {
		if at >= numberLeaf {
			break
		}
		at = numberNodes[at][b-'0']
	}
	if at < numberLeaf {
		return 0, false
	}
	row, length := &numberRows[at-numberLeaf], uint32(1)<<len(digits)
	switch {
	case row.keep&length != 0:
		return 0, true
	case row.drop&length != 0:
		return int(row.cut), true
	}
	return 0, false
}

// countryOf returns the country by whose code a number begins, and how many digits the code has; nil if no code is
// there.
func countryOf(digits []byte) (*numberCountry, int) {
	code := 0
	for i := range min(len(digits), 3) {
		code = code*10 + int(digits[i]-'0')
		if code == 0 {
			break
		}
		if at := numberCountryAt[code]; at != 0 {
			return &numberCountries[at-1], i + 1
		}
	}
	return nil, 0
}

// reading is what is known of a number without asking the phone library.
type reading uint8

const (
	readingUnknown reading = iota // the library knows
	readingRefused                // no possible number
	readingSure                   // a number
)

// read returns the country of a number and its digits after the country code, as the library surely reads them.
func (x *number) read(region numberRegion) (*numberCountry, []byte, reading) {
	if x.n < 3 {
		return nil, nil, readingUnknown
	}
	digits := x.digits[:x.n]
	if x.plus {
		country, code := countryOf(digits)
		if country == nil {
			return nil, nil, readingUnknown
		}
		national := digits[code:]
		cut, sure := leading(national, country.root)
		if !sure {
			return nil, nil, readingUnknown
		}
		return country.judge(national[cut:], cut > 0)
	}
	if digits[0] == '0' && (digits[1] == '0' || digits[1] == '1' && digits[2] == '1') {
		return nil, nil, readingUnknown // perhaps a number abroad
	}
	cut, sure := leading(digits, region.root)
	if !sure {
		return nil, nil, readingUnknown
	}
	return numberCountries[region.country].judge(digits[cut:], true)
}

// judge decides on the digits after the country code. Anew says that the value does not have them there as they are, so
// N1 must be checked.
func (c *numberCountry) judge(national []byte, anew bool) (*numberCountry, []byte, reading) {
	n, significant := len(national), national
	for len(significant) > 0 && significant[0] == '0' {
		significant = significant[1:]
	}
	if n < 2 || c.code == mexico && len(significant) == 11 && significant[0] == '1' {
		return nil, nil, readingUnknown
	}
	if c.possible>>n&1 == 0 {
		if national[n-1] == '0' { // nothing but zeros is another error
			return nil, nil, readingUnknown
		}
		return nil, nil, readingRefused
	}
	if len(significant) < nationalDigitsMin || significant[1]-significant[0] <= 1 && isOneDigit(string(significant)) {
		return nil, nil, readingUnknown
	}
	if anew {
		if cut, sure := leading(national, c.root); !sure || cut > 0 {
			return nil, nil, readingUnknown
		}
	}
	return c, national, readingSure
}
