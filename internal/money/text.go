package money

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/kindred-id/kindred/graph"
)

// textMax bounds the length of an amount in a string, in bytes.
const textMax = 48

// Room is memory in which ReadText may write a plain number.
type Room [textMax + 1]byte

// Text is the parsed text of an amount: a plain decimal number, and the text around it.
type Text struct {
	Number   []byte // digits with at most one point, and perhaps an exponent: "1299.00", "1e2"
	Negative bool
	// Mark is the sign or code of the currency beside the number; zero if absent.
	Mark Mark
	// Thousandths means that the number has one separator, with up to three digits before it and three after it. The text
	// alone does not determine whether it is 1.234 or 1234: Number has the separator as a decimal point.
	Thousandths, Comma bool
}

// ReadNumber parses a JSON number, which is never ambiguous.
func ReadNumber(text []byte) Text {
	if len(text) > 0 && text[0] == '-' {
		return Text{Number: text[1:], Negative: true}
	}
	return Text{Number: text}
}

// ReadText parses an amount in a string. It fails with ErrNumber. Number may point into room.
//
//   - It accepts surrounding space, a plus or minus before the number, and the sign or code of a currency before or
//     after it, or both.
//   - Of two kinds of separators, the last is the decimal one and occurs once. The other separates groups of three
//     digits; commas may group as in India (12,34,567.00).
//   - A separator that occurs more than once groups; so does a space and an apostrophe.
//   - A single point or comma is the decimal one. With three digits after it and up to three before it, the number is
//     also Thousandths.
func ReadText(text []byte, room *Room) (Text, error) {
	text = trimSpace(text)
	if len(text) > 0 && text[0]-'0' <= 9 {
		if _, err := parseDecimal(text); err == nil { // as in nearly all events
			t := Text{Number: text}
			t.Thousandths = thousandths(text)
			return t, nil
		}
	}
	if len(text) > textMax {
		return Text{}, ErrNumber
	}
	first, last := bytes.IndexFunc(text, isDigit), bytes.LastIndexFunc(text, isDigit)
	if first < 0 {
		return Text{}, ErrNumber
	}
	if first > 0 && (text[first-1] == '.' || text[first-1] == ',') && (first == 1 || text[first-2] <= ' ' || text[first-2] == '-') {
		first-- // .50
	}
	var t Text
	before, after := trimSpace(text[:first]), trimSpace(text[last+1:])
	before, t.Negative = cutSign(before)
	if before, ok := readMark(before, &t); !ok || len(before) > 0 {
		return Text{}, ErrNumber
	}
	if after, ok := readMark(after, &t); !ok || len(after) > 0 {
		return Text{}, ErrNumber
	}
	number, err := t.plain(text[first:last+1], room[:0])
	t.Number = number
	return t, err
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// trimSpace removes space of all kinds around an amount, and invisible marks.
func trimSpace(text []byte) []byte {
	if n := len(text); n == 0 || text[0] > ' ' && text[0] < utf8.RuneSelf && text[n-1] > ' ' && text[n-1] < utf8.RuneSelf {
		return text
	}
	return bytes.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == 0 })
}

// IsZero reports whether a plain number is zero: -0.00 is not negative.
func IsZero(number []byte) bool {
	d, err := parseDecimal(number)
	return err == nil && len(d.whole)+len(d.fraction) == 0
}

// TrimSpace does the same for names and codes beside amounts.
func TrimSpace(text []byte) []byte { return trimSpace(text) }

// cutSign removes a plus or minus from either end of the text before a number: -€5, €-5.
func cutSign(text []byte) (rest []byte, negative bool) {
	for _, sign := range [...]struct {
		text     string
		negative bool
	}{{"-", true}, {"\u2212", true}, {"+", false}} {
		if rest, ok := bytes.CutPrefix(text, []byte(sign.text)); ok {
			return trimSpace(rest), sign.negative
		}
		if rest, ok := bytes.CutSuffix(text, []byte(sign.text)); ok {
			return trimSpace(rest), sign.negative
		}
	}
	return text, false
}

// readMark reads a sign or code. If the amount has one already, both must be able to mean the same currency.
func readMark(text []byte, t *Text) (rest []byte, ok bool) {
	if len(text) == 0 {
		return nil, true
	}
	m, ok := parseMark(text)
	if !ok {
		return text, false
	}
	if t.Mark.codes != "" {
		m, ok = m.both(t.Mark)
	}
	t.Mark = m
	return nil, ok
}

// separator is a kind of separator between groups of digits.
type separator uint8

const (
	noSeparator separator = iota
	point
	comma
	space
	apostrophe
)

// separatorOf is the kind of a separator. The spaces are those that locales put between groups: plain, no-break,
// narrow no-break, thin.
func separatorOf(r rune) separator {
	switch r {
	case '.':
		return point
	case ',':
		return comma
	case ' ', '\u00a0', '\u202f', '\u2009':
		return space
	case '\'', '\u2019':
		return apostrophe
	}
	return noSeparator
}

// groupsMax exceeds the number of groups in an amount of 63 bits.
const groupsMax = 10

// plain writes digits with separators as a plain decimal number, into room. The separators decide, by three rules:
//
//   - One point or comma is the decimal separator; if three digits follow, it may as well separate thousands, and In
//     decides by the currency.
//   - Spaces and apostrophes only ever group, and so does a separator that repeats.
//   - Else the last one is the decimal separator, and those before it group: 1.234,56 and 1,234.56.
//
// It fails with ErrNumber where groups do not have the sizes that people write (grouped).
func (t *Text) plain(text, room []byte) ([]byte, error) {
	var (
		groups     [groupsMax + 1][]byte
		separators [groupsMax]separator
		n          int
	)
	for rest := text; ; n++ {
		groups[n] = digits(rest)
		if rest = rest[len(groups[n]):]; len(rest) == 0 {
			break
		}
		r, size := utf8.DecodeRune(rest)
		if separators[min(n, groupsMax-1)] = separatorOf(r); separators[min(n, groupsMax-1)] == noSeparator || n == groupsMax-1 {
			return nil, ErrNumber
		}
		rest = rest[size:]
	}
	if n == 0 {
		return append(room, text...), nil
	}
	whole, fraction := groups[:n], groups[n]
	last := separators[n-1]
	switch {
	case n == 1 && (last == point || last == comma):
		t.Comma = last == comma
		t.Thousandths = isThousandths(groups[0], groups[1])
	case last == space || last == apostrophe, n > 1 && separators[0] == last:
		whole, fraction = groups[:n+1], nil // all separators group
	}
	if !grouped(whole, separators[:len(whole)-1]) {
		return nil, ErrNumber
	}
	if len(whole[0]) == 0 {
		room = append(room, '0')
	}
	for _, g := range whole {
		room = append(room, g...)
	}
	if fraction != nil {
		room = append(append(room, '.'), fraction...)
	}
	return room, nil
}

// grouped reports whether groups of digits form one whole number: a first group of one to three digits, not beginning
// with 0, then groups of three, and one kind of separator. Groups of two before a last group of three are Indian
// lakhs, 12,34,567, which are written with commas.
func grouped(groups [][]byte, separators []separator) bool {
	if len(groups) == 1 {
		return true
	}
	end := len(groups) - 1
	if len(groups[0]) == 0 || groups[0][0] == '0' || len(groups[0]) > 3 || len(groups[end]) != 3 {
		return false
	}
	size := len(groups[1])
	if end > 1 && size == 2 && (separators[0] != comma || len(groups[0]) > 2) {
		return false
	}
	for i, g := range groups[1:end] {
		if separators[i+1] != separators[0] || len(g) != size || size < 2 || size > 3 {
			return false
		}
	}
	return true
}

// thousandths reports whether a plain number has one point that may also separate thousands.
func thousandths(number []byte) bool {
	whole := digits(number)
	rest := number[len(whole):]
	return len(rest) == 4 && rest[0] == '.' && isThousandths(whole, digits(rest[1:]))
}

// isThousandths reports whether digits with one separator can be read both ways: 1,234 is a thousand, or one and 234
// thousandths. A leading zero decides it, as nobody groups 0,234.
func isThousandths(whole, rest []byte) bool {
	return len(rest) == 3 && len(whole) > 0 && len(whole) <= 3 && whole[0] != '0'
}

// In decides how to read the number in a currency with the given decimals, and returns it as a plain one. It fails with ErrAmbiguous.
//
//   - A point that may separate thousands is the decimal one if the currency has three decimals.
//   - A comma that may separate thousands does so if the currency has no decimals.
func (t *Text) In(decimals int) ([]byte, error) {
	switch {
	case !t.Thousandths, !t.Comma && decimals == 3:
		return t.Number, nil
	case t.Comma && decimals == 0:
		return bytes.Replace(t.Number, []byte("."), nil, 1), nil
	}
	return nil, ErrAmbiguous
}

// Mark is the sign or code of a currency beside an amount.
type Mark struct{ codes string } // those it may mean, separated by spaces

// IsZero reports whether the amount has no mark.
func (m Mark) IsZero() bool { return m.codes == "" }

// Means reports whether the mark may mean a currency.
func (m Mark) Means(c graph.Currency) bool {
	for i := 0; i+len(c) <= len(m.codes); i += len(c) + 1 {
		if m.codes[i:i+len(c)] == string(c[:]) {
			return true
		}
	}
	return false
}

// Currency returns the currency of the mark: its only one, or the likely one of several. ok is false if neither applies.
func (m Mark) Currency(likely graph.Currency) (c graph.Currency, ok bool) {
	if len(m.codes) == len(c) {
		return graph.Currency([]byte(m.codes)), true
	}
	return likely, m.Means(likely)
}

// both returns the common meaning of two marks of one amount, as in $5 CAD.
func (m Mark) both(o Mark) (Mark, bool) {
	if len(o.codes) < len(m.codes) {
		m, o = o, m
	}
	if len(m.codes) != len(graph.Currency{}) {
		return m, m == o
	}
	return m, o.Means(graph.Currency([]byte(m.codes)))
}
