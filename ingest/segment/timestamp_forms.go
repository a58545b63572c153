package segment

import (
	"bytes"
	"math"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// This file reads the forms of a time other than RFC 3339. All of them are off the hot path.

// Bounds between the units of a number since 1970. A time from 1973 to 2286 has only one reading:
//
//	         1e11            1e14            1e17
//	seconds   │ milliseconds  │ microseconds  │ nanoseconds
const (
	secondsEnd = 100_000_000_000             // seconds reach it in the year 5138, milliseconds in 1973
	millisEnd  = 100_000_000_000_000         // milliseconds reach it in the year 5138
	microsEnd  = 100_000_000_000_000_000     // and so on; above are nanoseconds
	epochMax   = uint64(math.MaxInt64 / 100) // bounds the digits that are read
)

// plainTime returns a time in ASCII as far as possible: one kind of space (programs put U+202F before AM), digits for
// full-width digits, a hyphen for the minus sign, and no invisible marks.
func plainTime(text []byte) []byte {
	ascii := true
	for _, b := range text {
		ascii = ascii && b < utf8.RuneSelf
	}
	if ascii {
		return text
	}
	return bytes.Map(func(r rune) rune {
		switch {
		case r == '\u2212':
			return '-'
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, norm.NFKC.Bytes(text))
}

// parseDotNet reads the text after "/Date(" in 1767268800000)/ and 1767268800000+0100)/: milliseconds since 1970 UTC,
// with the program's zone, which has no effect.
func parseDotNet(text []byte) (int64, bool) {
	text, closed := bytes.CutSuffix(text, []byte(")/"))
	if at := bytes.LastIndexAny(text, "+-"); at > 0 {
		text = text[:at]
	}
	n, exponent, digits, ok := parseDecimal(text)
	return n, closed && ok && exponent == 0 && digits > 0
}

// parseEpoch reads a number since 1970: whole, decimal, or with an exponent. Its size determines the unit. A number
// of 8 or 14 digits that is a date, such as 20261031 and 20261031123456, is read as that date: as a number since 1970
// it would be implausible.
func parseEpoch(text []byte) (int64, timeForm, bool) {
	n, exponent, digits, ok := parseDecimal(text)
	if !ok {
		return 0, 0, false
	}
	if len(text) == digits && (digits == 8 || digits == 14) {
		if ms, ok := parseCompact(text); ok {
			return ms, formNoZone, true
		}
	}
	form, size := formSeconds, scale(n, exponent)
	if size < 0 {
		size = -size
	}
	switch {
	case size < secondsEnd:
		exponent += 3
	case size < millisEnd:
		form = formPlain
	case size < microsEnd:
		exponent -= 3
	default:
		exponent -= 6
	}
	return scale(n, exponent), form, true
}

// parseDecimal reads [-]digits[.digits][e[+-]digits] as n times a power of ten; digits counts those before the point.
//
// Digits are read until value has 17 or 18 of them, which fit into 64 bits with room for the sign. Those of the
// whole part after that count in the exponent alone, and those of the fraction are beyond a millisecond.
func parseDecimal(text []byte) (n int64, exponent, digits int, ok bool) {
	b := text
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	value, seen, point := uint64(0), 0, false
	for ; len(b) > 0; b = b[1:] {
		digit := b[0] - '0'
		switch {
		case b[0] == '.' && !point:
			point = true
			continue
		case digit > 9:
		default:
			if seen++; !point {
				digits++
			}
			if value < epochMax {
				if value = value*10 + uint64(digit); point {
					exponent--
				}
			} else if !point {
				exponent++
			}
			continue
		}
		break
	}
	if seen == 0 {
		return 0, 0, 0, false
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		down := len(b) > 0 && b[0] == '-'
		if down || len(b) > 0 && b[0] == '+' {
			b = b[1:]
		}
		if len(b) == 0 || len(b) > 4 {
			return 0, 0, 0, false
		}
		shift := 0
		for ; len(b) > 0 && b[0]-'0' <= 9; b = b[1:] {
			shift = shift*10 + int(b[0]-'0')
		}
		if down {
			shift = -shift
		}
		exponent += shift
	}
	if n = int64(value); negative {
		n = -n
	}
	return n, exponent, digits, len(b) == 0
}

// scale returns n times ten to the exponent, saturated at the ends of int64.
//
// An exponent may be in the thousands. Either loop ends after at most 19 rounds all the same: n has at most 19
// digits, so it has then reached an end of int64 or 0.
func scale(n int64, exponent int) int64 {
	for ; exponent > 0 && n != 0; exponent-- {
		if n > math.MaxInt64/10 || n < math.MinInt64/10 {
			if n < 0 {
				return math.MinInt64
			}
			return math.MaxInt64
		}
		n *= 10
	}
	for ; exponent < 0 && n != 0; exponent++ {
		n /= 10
	}
	return n
}

// parseCompact reads 20261031 and 20261031123456.
func parseCompact(b []byte) (int64, bool) {
	c := clock{year: pair(b, 0)*100 + pair(b, 2), month: pair(b, 4), day: pair(b, 6)}
	if len(b) == 14 {
		c.hour, c.minute, c.second = pair(b, 8), pair(b, 10), pair(b, 12)
	}
	return c.ms()
}

// clock is a time in its own zone.
type clock struct {
	year, month, day     int
	hour, minute, second int
	millis               int64
	offset               int // minutes ahead of UTC
}

// ms returns the time in ms since 1970 UTC; ok is false for an invalid time. Second 60 is the first second of the
// next minute, and 24:00:00 is midnight of the next day.
func (c *clock) ms() (int64, bool) {
	if c.year < 0 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > daysIn(c.year, c.month) ||
		c.hour < 0 || c.hour > 24 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 60 ||
		c.hour == 24 && (c.minute > 0 || c.second > 0 || c.millis > 0) {
		return 0, false
	}
	seconds := int64((c.hour*60+c.minute-c.offset)*60 + c.second)
	return int64(daysBefore(c.year, c.month, c.day))*86_400_000 + seconds*1000 + c.millis, true
}

// timeReader reads a time piece by piece.
type timeReader struct {
	rest []byte
	at   clock
	form timeForm
}

// parseNearISO reads forms that resemble ISO 8601, with the year first, and times that name the month.
func parseNearISO(text []byte) (int64, timeForm, bool) {
	r := timeReader{rest: text}
	ok := false
	if len(r.rest) > 0 && r.rest[0]-'0' <= 9 && r.leadingDigits() >= 4 {
		ok = r.date() && r.clockAndZone()
	} else {
		ok = r.named()
	}
	if !ok {
		return 0, 0, false
	}
	ms, ok := r.at.ms()
	return ms, r.form, ok
}

func (r *timeReader) leadingDigits() int {
	n := 0
	for n < len(r.rest) && r.rest[n]-'0' <= 9 {
		n++
	}
	return n
}

// number reads least to most digits.
func (r *timeReader) number(least, most int) (n int, ok bool) {
	digits := r.leadingDigits()
	if digits < least || digits > most {
		return 0, false
	}
	for _, c := range r.rest[:digits] {
		n = n*10 + int(c-'0')
	}
	r.rest = r.rest[digits:]
	return n, true
}

// fixed reads the first n digits of a longer run.
func (r *timeReader) fixed(n int) (value int, ok bool) {
	if r.leadingDigits() < n {
		return 0, false
	}
	for _, c := range r.rest[:n] {
		value = value*10 + int(c-'0')
	}
	r.rest = r.rest[n:]
	return value, true
}

// take consumes a byte if it is next.
func (r *timeReader) take(c byte) bool {
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *timeReader) spaces() {
	for r.take(' ') {
	}
}

// date reads 2026-10-31, 2026/10/31, 2026-1-5 or 20261031.
func (r *timeReader) date() (ok bool) {
	digits := r.leadingDigits()
	if digits != 4 && digits != 8 {
		return false
	}
	if r.at.year, ok = r.fixed(4); !ok {
		return false
	}
	if digits == 8 {
		r.at.month, _ = r.fixed(2)
		r.at.day, _ = r.fixed(2)
		return true
	}
	for _, separator := range []byte("-/.") {
		if r.take(separator) {
			if r.at.month, ok = r.number(1, 2); !ok || !r.take(separator) {
				return false
			}
			r.at.day, ok = r.number(1, 2)
			return ok
		}
	}
	return false
}

// clockAndZone reads the text after the date: nothing, or the time of day and its zone.
func (r *timeReader) clockAndZone() bool {
	if len(r.rest) == 0 {
		r.form = formNoZone
		return true
	}
	if !r.take('T') && !r.take('t') && !r.take(' ') {
		return false
	}
	r.spaces()
	if !r.timeOfDay() {
		return false
	}
	r.spaces()
	if len(r.rest) == 0 {
		r.form = formNoZone
		return true
	}
	return r.zone() && r.ignorable()
}

// timeOfDay reads 12:34, 12:34:56, 12:34:56.789 with any number of digits and a comma or a colon for the point, 123456
// and 1234. AM or PM may follow.
func (r *timeReader) timeOfDay() bool { return r.clock24() && r.halfDay() }

func (r *timeReader) clock24() (ok bool) {
	if digits := r.leadingDigits(); digits == 4 || digits == 6 {
		r.at.hour, _ = r.fixed(2)
		r.at.minute, _ = r.fixed(2)
		if digits == 6 {
			r.at.second, _ = r.fixed(2)
			r.fraction()
		}
		return true
	}
	if r.at.hour, ok = r.number(1, 2); !ok || !r.take(':') {
		return false
	}
	if r.at.minute, ok = r.number(2, 2); !ok {
		return false
	}
	if !r.take(':') {
		return true
	}
	if r.at.second, ok = r.number(2, 2); ok {
		r.fraction()
	}
	return ok
}

// halfDay reads AM or PM, also as a.m., if it is next, and adjusts the hour. An hour above 12 may have it if it
// agrees.
func (r *timeReader) halfDay() bool {
	rest := bytes.TrimLeft(r.rest, " ")
	if len(rest) < 2 || rest[0]|0x20 != 'a' && rest[0]|0x20 != 'p' {
		return true
	}
	evening := rest[0]|0x20 == 'p'
	dotted := rest[1] == '.'
	if rest = rest[1:]; dotted {
		rest = bytes.TrimLeft(rest[1:], " ")
	}
	if len(rest) == 0 || rest[0]|0x20 != 'm' {
		return true // a zone
	}
	if rest = rest[1:]; dotted && len(rest) > 0 && rest[0] == '.' {
		rest = rest[1:]
	}
	if len(rest) > 0 && isLetter(rest[0]) && rest[0]|0x20 != 'z' {
		return true
	}
	r.rest = rest
	switch hour := r.at.hour; {
	case evening && hour == 0, !evening && hour > 12:
		return false
	case evening && hour < 12:
		r.at.hour += 12
	case !evening && hour == 12:
		r.at.hour = 0
	}
	return true
}

func (r *timeReader) fraction() {
	if !r.take('.') && !r.take(',') && !r.take(':') {
		return
	}
	unit := int64(100)
	for ; len(r.rest) > 0 && r.rest[0]-'0' <= 9; r.rest = r.rest[1:] {
		r.at.millis += int64(r.rest[0]-'0') * unit
		unit /= 10
	}
}

// zoneNames are the unambiguous zones of RFC 2822, in minutes ahead of UTC.
var zoneNames = map[string]int{
	"Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
}

// zone reads Z, UTC, +02, +0200, +02:00, GMT+0200 and the names of RFC 2822.
func (r *timeReader) zone() bool {
	letters := 0
	for letters < len(r.rest) && letters < 4 && isLetter(r.rest[letters]) {
		letters++
	}
	if letters > 0 {
		if letters == 4 {
			return false
		}
		var name [4]byte
		for i, c := range r.rest[:letters] {
			name[i] = c &^ 0x20
		}
		offset, known := zoneNames[string(name[:letters])]
		if !known {
			return false
		}
		r.at.offset, r.rest = offset, r.rest[letters:]
		if offset != 0 || len(r.rest) == 0 || r.rest[0] != '+' && r.rest[0] != '-' {
			return true
		}
	}
	return r.offset()
}

// offset reads +02, +0200 and +02:00.
func (r *timeReader) offset() (ok bool) {
	sign := 1
	if r.take('-') {
		sign = -1
	} else if !r.take('+') {
		return false
	}
	hour, minute := 0, 0
	switch r.leadingDigits() {
	case 1, 2:
		hour, _ = r.number(1, 2)
		if r.take(':') {
			if minute, ok = r.number(2, 2); !ok {
				return false
			}
		}
	case 4:
		hour, _ = r.fixed(2)
		minute, _ = r.fixed(2)
	default:
		return false
	}
	if hour > 23 || minute > 59 {
		return false
	}
	if r.at.offset = sign * (hour*60 + minute); r.at.offset == 0 && !r.take('Z') { // Python's isoformat() + "Z"
		r.take('z')
	}
	return true
}

// ignorable reports whether the rest only repeats the zone: [Europe/Berlin], (CEST), or UTC m=+0.01 as Go writes it.
func (r *timeReader) ignorable() bool {
	bracket := len(r.rest) > 0 && (r.rest[0] == '[' || r.rest[0] == '(')
	spaced := len(r.rest) > 0 && r.rest[0] == ' '
	r.spaces()
	switch {
	case len(r.rest) == 0:
		return true
	case bracket:
		return true
	case spaced:
		return r.rest[0] == '(' || r.rest[0] == '[' || isLetter(r.rest[0])
	}
	return false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

const (
	monthNames   = "janfebmaraprmayjunjulaugsepoctnovdec"
	weekdayNames = "sunmontuewedthufrisat"
)

// named reads times that name the month, such as those of RFC 2822 and of HTTP ("Thu, 01 Oct 2026 09:00:00 GMT"), of
// JavaScript ("Thu Oct 01 2026 11:00:00 GMT+0200 (CEST)"), and of C ("Thu Oct  1 09:00:00 2026"). The parts may come
// in any order, each once; their forms distinguish year and time of day, so that nothing is guessed.
func (r *timeReader) named() bool {
	var month, day, year, time, zone bool
	for {
		for len(r.rest) > 0 && (r.rest[0] == ' ' || r.rest[0] == ',') {
			r.rest = r.rest[1:]
		}
		if len(r.rest) == 0 || r.rest[0] == '(' {
			break
		}
		once := func(have *bool) bool { first := !*have; *have = true; return first }
		switch c := r.rest[0]; {
		case c-'0' <= 9:
			digits := r.leadingDigits()
			switch {
			case digits < len(r.rest) && r.rest[digits] == ':':
				if !once(&time) || !r.timeOfDay() {
					return false
				}
			case digits == 4:
				r.at.year, _ = r.fixed(4)
				if !once(&year) {
					return false
				}
			case digits <= 2:
				r.at.day, _ = r.number(1, 2)
				if !once(&day) {
					return false
				}
				r.take('-') // 01-Oct-2026
			default:
				return false
			}
		case isLetter(c):
			if at := r.word(monthNames); at > 0 {
				r.at.month = at
				if !once(&month) {
					return false
				}
				r.take('-')
				continue
			}
			if r.word(weekdayNames) > 0 {
				continue
			}
			if !time || !once(&zone) || !r.zone() {
				return false
			}
		default:
			if !time || !once(&zone) || !r.zone() {
				return false
			}
		}
	}
	if !month || !day || !year {
		return false
	}
	if !zone {
		r.form = formNoZone
	}
	return true
}

// word reads a word that begins with one of the three-letter names, and returns its number from 1; else 0.
func (r *timeReader) word(names string) int {
	letters := 0
	for letters < len(r.rest) && isLetter(r.rest[letters]) {
		letters++
	}
	if letters < 3 {
		return 0
	}
	for i := 0; i < len(names); i += 3 {
		if foldPrefix(r.rest, names[i:i+3]) {
			r.rest = r.rest[letters:]
			r.take('.')
			return i/3 + 1
		}
	}
	return 0
}
