package segment

import (
	"bytes"
	"errors"
	"math"
	"regexp"
	"testing"
	"time"
)

func TestTimestamps(t *testing.T) {
	const noon = 1767268800000 // 2026-01-01T12:00:00Z
	for text, want := range map[string]int64{
		"2026-01-01T12:00:00Z":                noon,
		"2026-01-01t12:00:00z":                noon,
		"2026-01-01 12:00:00Z":                noon,
		"2026-01-01T12:00:00.1Z":              noon + 100,
		"2026-01-01T12:00:00.1239999Z":        noon + 123,
		"2026-01-01T12:00:00.123456789+00:00": noon + 123,
		"2026-01-01T12:00:00+05:30":           1767249000000,
		"2026-01-01T12:00:00-08:00":           1767297600000,
		"2024-02-29T00:00:00Z":                1709164800000,
		"1970-01-01T00:00:00Z":                0,
		"1969-12-31T23:30:00-01:00":           1800000,
		"2099-12-31T23:59:59.999Z":            timeEnd - 1,
		"0001-01-01T00:00:00Z":                -62135596800000,
		"1767268800000":                       noon,
		"100000000000":                        100000000000,
		"1767268800000.0":                     noon,
		"1767268800000.999":                   noon,
		"1.7672688e12":                        noon,
		"1.7672688E+12":                       noon,
		" 1767268800000 ":                     noon,

		// Near forms of ISO 8601.
		"2026-01-01T12:00:00+0000":                 noon,
		"2026-01-01T12:00:00-0830":                 noon + 510*60_000,
		"2026-01-01T12:00:00+00":                   noon,
		"2026-01-01T14:00:00+2":                    noon,
		"2026-01-01T12:00Z":                        noon,
		"2026-01-01T12:00+01:00":                   noon - 3_600_000,
		"2026-01-01 12:00:00 UTC":                  noon,
		"2026-01-01 12:00:00.5 UTC":                noon + 500,
		"2026-01-01 12:00:00+00":                   noon,
		"2026-01-01 12:00:00 +0000":                noon,
		"2026-01-01  12:00:00 +0000 UTC":           noon,
		"2026-01-01 12:00:00.1 +0000 UTC m=+0.5":   noon + 100,
		"2026-01-01T13:00:00+01:00[Europe/Berlin]": noon,
		"2026-01-01T12:00:00Z[UTC]":                noon,
		"2026-01-01T12:00:00,123Z":                 noon + 123,
		"2026-01-01T12:00:00:123Z":                 noon + 123,
		"2026-01-01T12:00:00.Z":                    noon,
		"2026-01-01T12:00:00.12345678901234Z":      noon + 123,
		"2026/01/01 12:00:00Z":                     noon,
		"2026-1-1T12:00:00Z":                       noon,
		"20260101T120000Z":                         noon,
		"20260101T1200Z":                           noon,
		"2026-06-30T23:59:60Z":                     1782864000000,
		"2026-06-30T24:00:00Z":                     1782864000000,
		"2026-01-01T12:00:00 GMT":                  noon,
		"2026-01-01T12:00:00 GMT+01:00":            noon - 3_600_000,
		"2026-01-01 07:00:00 EST":                  noon,
		`"2026-01-01T12:00:00Z"`:                   noon,

		// The clock of twelve hours, as a phone set to it writes ISO 8601 too.
		"2026-01-01T12:00:00 PMZ":         noon,
		"2026-01-01T12:00:00.000 p.m.Z":   noon,
		"2026-01-01 12:00 a. m. +00:00":   noon - 12*3_600_000,
		"2026-01-01T1:00:00 PM+0100":      noon,
		"2026-01-01 11:00AM -01:00":       noon,
		"2026-01-01 13:00:00 PM +01:00":   noon,
		"2026-01-01 00:00:00 AM Z":        noon - 12*3_600_000,
		"Jan 1, 2026 4:00:00 AM PST":      noon,
		"Jan 1, 2026, 12:00:00\u202fPM Z": noon,

		// Additions of programs, and invisible marks.
		"2026-01-01T12:00:00+00:00Z":            noon,
		"2026-01-01T12:00:00.000000+00:00z":     noon,
		"/Date(1767268800000)/":                 noon,
		"/Date(1767268800000+0100)/":            noon,
		"/Date(-62135596800000)/":               -62135596800000,
		"/Date(-62135596800000-0800)/":          -62135596800000,
		"\ufeff2026-01-01T12:00:00Z":            noon,
		"\u200e2026-01-01\u00a012:00:00\u00a0Z": noon,
		"2026-01-01T11:00:00\u221201:00":        noon,
		"２０２６-０１-０１T12：00：00Z":                  noon,

		// Forms that name the month.
		"Thu, 01 Jan 2026 12:00:00 GMT":                             noon,
		"Thu, 1 Jan 2026 13:00:00 +0100":                            noon,
		"1 Jan 2026 12:00 UT":                                       noon,
		"Thu Jan 01 2026 14:00:00 GMT+0200 (Eastern European Time)": noon,
		"Thu Jan  1 12:00:00 UTC 2026":                              noon,
		"January 1, 2026 12:00:00 Z":                                noon,
		"01-Jan-2026 12:00:00 GMT":                                  noon,
	} {
		if got, form, ok := parseTime([]byte(text)); got != want || !ok || form != formPlain {
			t.Errorf("%s: %d %d %t, want %d", text, got, form, ok, want)
		}
	}
	for _, c := range []struct {
		text string
		want int64
		form timeForm
	}{
		{"2026-01-01T12:00:00", noon, formNoZone},
		{"2026-01-01T12:00:00.123456", noon + 123, formNoZone},
		{"2026-01-01 12:00", noon, formNoZone},
		{"2026-01-01", noon - 12*3_600_000, formNoZone},
		{"20260101", noon - 12*3_600_000, formNoZone},
		{"20260101120000", noon, formNoZone},
		{"Thu Jan  1 12:00:00 2026", noon, formNoZone},
		{"1 January 2026", noon - 12*3_600_000, formNoZone},
		{"Jan 1, 2026 12:00:00 PM", noon, formNoZone}, // as Gson writes a date
		{"2026-01-01 12:00 PM", noon, formNoZone},
		{"1767268800", noon, formSeconds},
		{"1767268800.123", noon + 123, formSeconds},
		{"1767268800.123456789", noon + 123, formSeconds},
		{"1.7672688e9", noon, formSeconds},
		{"1767268800000123", noon, formSeconds},
		{"1767268800000123456", noon, formSeconds},
		{"0", 0, formSeconds},
		{"-1", -1000, formSeconds},
		{"-62135596800", -62135596800000, formSeconds},
		{"1e400", math.MaxInt64, formSeconds},
		{"-1e400", math.MinInt64, formSeconds},
		{"1e-400", 0, formSeconds},
	} {
		if got, form, ok := parseTime([]byte(c.text)); got != c.want || !ok || form != c.form {
			t.Errorf("%s: %d %d %t, want %d %d", c.text, got, form, ok, c.want, c.form)
		}
	}
	for _, text := range []string{
		"", " ", "-", ".", "e5", "1e", "1e99999", "1.2.3", "0x10", "Invalid Date", "NaN", "null", "yesterday", "12:00", "2026", "2026-01", "2026-01-01T", "2026-01-01T12",
		"2026-01-01T12:00:00+24:00", "2026-01-01T12:00:00+00:60", "2026-01-01T12:00:00ZZ", "2026-00-01T12:00:00Z", "2026-13-01T12:00:00Z",
		"2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T24:00:01Z", "2026-01-01T12:60:00Z",
		"2026-01-01T12:00:61Z", "2026-01-01T1a:00:00Z", "2024-06-ThT03:53:33.917+00:00", "01/02/2026 12:00:00", "2026-01/01 12:00:00", "+275760-09-13T00:00:00.000Z",
		"2026-01-01 13:00:00 AM", "2026-01-01 00:10:00 PM", "2026-01-01 12:00:00 PMT",
		"2026-01-01 12:00:00 P", "2026-01-01T12:00:00+02:00Z", "/Date(1767268800000", "/Date()/", "/Date(1.5)/", "/Date(x)/", "2026-01-01 12:00:00 Europe/Berlin", "2026-01-01 12:00:00 CEST", "Thu, 01 Jan 26 12:00:00 GMT", "Jan 2026", "1 1 Jan 2026", "1 Jan 2026 13:00:00 AM",
		"Jan 1 2026 2027", "1 Jan Feb 2026", "1 Jan 2026 UTC", "1 Foo 2026 12:00:00", "{{timestamp}}", "[object Object]",
	} {
		if text == "2026" { // seconds since 1970, which nobody believes
			continue
		}
		if got, _, ok := parseTime([]byte(text)); ok {
			t.Errorf("%q: %d, want no time", text, got)
		}
	}
}

func TestEveryDay(t *testing.T) {
	for day := time.Date(-1, 12, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2500; day = day.AddDate(0, 0, 1) {
		if got := int64(daysBefore(day.Year(), int(day.Month()), day.Day())) * 86400; day.Year() >= 0 && got != day.Unix() {
			t.Fatalf("%s: %d, want %d", day, got, day.Unix())
		}
	}
}

// strict is RFC 3339 as we take it, but for the ranges of its numbers.
var strict = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$`)

// lenient are offsets that time.Parse takes, though no clock shows them.
var lenient = regexp.MustCompile(`[+-](24:\d\d|\d\d:60)$`)

// FuzzTimestamp holds the parser against time.Parse.
func FuzzTimestamp(f *testing.F) {
	for _, text := range []string{
		"2026-01-01T12:00:00Z", "2026-01-01t12:00:00.123456789-08:00", "2024-02-29 23:59:59+23:59", "0000-02-29T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00-01:60", "1900-02-29T00:00:00Z",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := parseRFC3339(text)
		if !strict.Match(text) {
			if ok {
				t.Fatalf("%q is taken for a time", text)
			}
			return
		}
		canonical := bytes.ToUpper(text)
		canonical[10] = 'T'
		want, err := time.Parse(time.RFC3339Nano, string(canonical))
		if lenient.Match(canonical) {
			err = errors.New("offset out of range")
		}
		if ok != (err == nil) || ok && got != want.UnixMilli() {
			t.Fatalf("%q: %d %t, want %d %v", text, got, ok, want.UnixMilli(), err)
		}
	})
}

// FuzzParseTime holds every form against time.Parse: what both read, they read alike. Whatever the text is, it is read or not.
func FuzzParseTime(f *testing.F) {
	layouts := []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02", "2006-01-02T15:04Z07:00",
		time.RFC1123, time.RFC1123Z, time.ANSIC, time.UnixDate, "Mon Jan 02 2006 15:04:05 GMT-0700 (MST)", "20060102T150405Z0700", "20060102", "20060102150405",
	}
	at := time.Date(2026, 10, 31, 23, 59, 58, 123456789, time.FixedZone("PST", -8*3600))
	for _, layout := range layouts {
		f.Add([]byte(at.Format(layout)))
	}
	f.Add([]byte("1759309200.123"))
	f.Add([]byte("-1e+18"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, _, ok := parseTime(text)
		if !ok {
			return
		}
		for _, layout := range layouts {
			want, err := time.Parse(layout, string(text))
			if _, offset := want.Zone(); err != nil || lenient.Match(text) || offset == 0 && layout == time.UnixDate || layout == time.RFC1123 && offset == 0 {
				continue // the zones of others' names are UTC to package time
			}
			if want.Year() >= 0 && got != want.UnixMilli() {
				t.Fatalf("%q as %s: %d, want %d", text, layout, got, want.UnixMilli())
			}
		}
	})
}
