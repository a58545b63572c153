package money

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/kindred-id/kindred/graph"
)

// TextMax bounds the bytes of an amount that a string holds.
const TextMax = 48

// Room is where ReadText may write a plain number.
type Room [TextMax + 1]byte

// Text is an amount as an event has it, taken apart: a plain decimal number, and what stands around it.
type Text struct {
	Number   []byte // digits with at most one point, and perhaps a power: "1299.00", "1e2"
	Negative bool
	// Mark is the sign or code of the currency that stands beside the number; zero when there is none.
	Mark Mark
	// Thousandths says that the number has one separator, up to three digits before it and three behind it. Whether that is
	// 1.234 or 1234 is not known from the text alone: Number takes the separator for a decimal one.
	Thousandths, Comma bool
}

// ReadNumber takes a JSON number apart. What it is, is never in doubt.
func ReadNumber(text []byte) Text {
	if len(text) > 0 && text[0] == '-' {
		return Text{Number: text[1:], Negative: true}
	}
	return Text{Number: text}
}

// ReadText takes an amount in a string apart. It fails with ErrNumber. Number may point into room.
//
//   - Space around it, a sign of plus or minus before it, and the sign or code of a currency before or behind it, or both, are read.
//   - Of two kinds of separators, the last is the decimal one and stands once. The other stands between groups of three digits;
//     commas may group them as India does (12,34,567.00).
//   - A separator that stands more than once groups; so does a space and an apostrophe.
//   - One point or comma is the decimal one. With three digits behind it and up to three before it, it is Thousandths too.
func ReadText(text []byte, room *Room) (Text, error) {
	text = trimSpace(text)
	if len(text) > 0 && text[0]-'0' <= 9 {
		if _, err := parseDecimal(text); err == nil { // as nearly all are
			t := Text{Number: text}
			t.Thousandths = thousandths(text)
			return t, nil
		}
	}
	if len(text) > TextMax {
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

// trimSpace drops space of all kinds around an amount, and marks that nobody sees.
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

// TrimSpace is for names and codes beside amounts.
func TrimSpace(text []byte) []byte { return trimSpace(text) }

// cutSign takes one plus or minus off either end of what stands before a number: -€5, €-5.
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

// readMark reads a sign or code. Where there is one already, both must be able to mean one currency.
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

// separator says what stands between groups of digits.
type separator uint8

const (
	noSeparator separator = iota
	point
	comma
	space
	apostrophe
)

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

// groupsMax is more groups than an amount of 63 bits has.
const groupsMax = 10

// plain turns digits with separators into a plain decimal number, in room.
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
		whole, fraction = groups[:n+1], nil // all of them group
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

// grouped reports whether groups of digits are those of one whole number.
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

// thousandths reports whether a plain number has one point that may as well group.
func thousandths(number []byte) bool {
	whole := digits(number)
	rest := number[len(whole):]
	return len(rest) == 4 && rest[0] == '.' && isThousandths(whole, digits(rest[1:]))
}

func isThousandths(whole, rest []byte) bool {
	return len(rest) == 3 && len(whole) > 0 && len(whole) <= 3 && whole[0] != '0'
}

// In decides what the number is in a currency with that many decimals, and writes a plain one. It fails with ErrAmbiguous.
//
//   - A point that may group is the decimal one where the currency has three decimals.
//   - A comma that may group does so where the currency has no decimals.
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
type Mark struct{ codes string } // that it may mean, with a space between

// IsZero reports whether there is none.
func (m Mark) IsZero() bool { return m.codes == "" }

// Means reports whether the mark may stand for a currency.
func (m Mark) Means(c graph.Currency) bool {
	for i := 0; i+len(c) <= len(m.codes); i += len(c) + 1 {
		if m.codes[i:i+len(c)] == string(c[:]) {
			return true
		}
	}
	return false
}

// Currency is the one that the mark means: the only one, or the likely one of several. It is not ok where that can't be said.
func (m Mark) Currency(likely graph.Currency) (c graph.Currency, ok bool) {
	if len(m.codes) == len(c) {
		return graph.Currency([]byte(m.codes)), true
	}
	return likely, m.Means(likely)
}

// both is what two marks of one amount may mean together, as in $5 CAD.
func (m Mark) both(o Mark) (Mark, bool) {
	if len(o.codes) < len(m.codes) {
		m, o = o, m
	}
	if len(m.codes) != len(graph.Currency{}) {
		return m, m == o
	}
	return m, o.Means(graph.Currency([]byte(m.codes)))
}
