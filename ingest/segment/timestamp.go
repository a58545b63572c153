package segment

import (
	"bytes"
	"math"
)

// Times of events are within these bounds, from 1970 to before the year 2100, regardless of the options: ms since
// 1970 UTC.
const (
	timeMin = 0
	timeEnd = 4102444800000
)

// timeForm is the notation of a time, as far as it is counted.
type timeForm uint8

const (
	formPlain   timeForm = iota // RFC 3339, or ms since 1970
	formNoZone                  // without a zone: read as UTC
	formSeconds                 // a number since 1970 of another unit than ms
)

// parseTime reads a time of an event into ms since 1970 UTC, in any of the forms of docs/data.md. It truncates to
// milliseconds, and saturates at the ends of int64.
func parseTime(text []byte) (ms int64, form timeForm, ok bool) {
	if ms, ok = parseRFC3339(text); ok {
		return ms, formPlain, true
	}
	text = bytes.Trim(plainTime(text), " \t\r\n\"'") // the quotes of a text that was encoded twice
	if inside, found := bytes.CutPrefix(text, []byte("/Date(")); found {
		ms, ok = parseDotNet(inside)
		return ms, formPlain, ok
	}
	if ms, form, ok = parseEpoch(text); ok {
		return ms, form, true
	}
	return parseNearISO(text)
}

// rfc3339Min is the length of 2006-01-02T15:04:05Z.
const rfc3339Min = 20

// parseRFC3339 reads 2006-01-02T15:04:05.999999999+07:00 into ms since 1970 UTC, truncated to milliseconds. It
// accepts lower-case t and z, and a space for the T.
func parseRFC3339(b []byte) (int64, bool) {
	if len(b) < rfc3339Min || b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' ||
		b[10]|0x20 != 't' && b[10] != ' ' {
		return 0, false
	}
	century, year, month, day := pair(b, 0), pair(b, 2), pair(b, 5), pair(b, 8)
	hour, minute, second := pair(b, 11), pair(b, 14), pair(b, 17)
	year += century * 100
	if (century|year|month|day|hour|minute|second) < 0 || month < 1 || month > 12 || day < 1 ||
		day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	ms := int64(daysBefore(year, month, day))*86_400_000 + int64((hour*60+minute)*60+second)*1000

	rest := b[19:]
	if rest[0] == '.' {
		digits := 0
		for unit := int64(100); digits+1 < len(rest) && rest[digits+1]-'0' <= 9; digits++ {
			ms += int64(rest[digits+1]-'0') * unit
			unit /= 10
		}
		if digits == 0 || digits > 9 {
			return 0, false
		}
		rest = rest[1+digits:]
	}
	if len(rest) == 1 && rest[0]|0x20 == 'z' {
		return ms, true
	}
	if len(rest) != 6 || rest[0] != '+' && rest[0] != '-' || rest[3] != ':' {
		return 0, false
	}
	hour, minute = pair(rest, 1), pair(rest, 4)
	if (hour|minute) < 0 || hour > 23 || minute > 59 {
		return 0, false
	}
	offset := int64(hour*60+minute) * 60_000
	if rest[0] == '+' {
		offset = -offset
	}
	return ms + offset, true
}

// pair reads two digits at i; it returns a negative number if they are not digits.
func pair(b []byte, i int) int {
	tens, units := b[i]-'0', b[i+1]-'0'
	if tens > 9 || units > 9 {
		return math.MinInt32
	}
	return int(tens)*10 + int(units)
}

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// daysIn is the number of days of a month, by the Gregorian calendar.
func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return monthDays[month]
}

// daysBefore counts the days from 1970-01-01 to a date of the Gregorian calendar. Years begin in
// March here, so that the leap day is the last of its year.
func daysBefore(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	const before1970 = 719468 // days from 0000-03-01
	return 365*year + floorDiv(year, 4) - floorDiv(year, 100) + floorDiv(year, 400) + (153*(month-3)+2)/5 + day - 1 - before1970
}

// floorDiv divides rounding down; year may be -1.
func floorDiv(a, b int) int {
	if a < 0 {
		return -1
	}
	return a / b
}
