package ingest

import (
	"bytes"
	"errors"
	"regexp"
	"testing"
	"time"
)

func TestTimestamps(t *testing.T) {
	for text, want := range map[string]int64{
		"2026-01-01T12:00:00Z":                1767268800000,
		"2026-01-01t12:00:00z":                1767268800000,
		"2026-01-01 12:00:00Z":                1767268800000,
		"2026-01-01T12:00:00.1Z":              1767268800100,
		"2026-01-01T12:00:00.1239999Z":        1767268800123,
		"2026-01-01T12:00:00.123456789+00:00": 1767268800123,
		"2026-01-01T12:00:00+05:30":           1767249000000,
		"2026-01-01T12:00:00-08:00":           1767297600000,
		"2024-02-29T00:00:00Z":                1709164800000,
		"1970-01-01T00:00:00Z":                0,
		"1969-12-31T23:30:00-01:00":           1800000,
		"2099-12-31T23:59:59.999Z":            timeEnd - 1,
		"1767268800000":                       1767268800000,
		"100000000000":                        100000000000,
	} {
		if got, r := readTimestamp("timestamp", []byte(text)); got != want || r != nil {
			t.Errorf("%s: %d %v, want %d", text, got, r, want)
		}
	}
	for text, want := range map[string]Code{
		"":                                 CodeBadTimestamp,
		"2026-01-01":                       CodeBadTimestamp,
		"2026-01-01T12:00:00":              CodeBadTimestamp,
		"2026-01-01T12:00:00.Z":            CodeBadTimestamp,
		"2026-01-01T12:00:00.1234567890Z":  CodeBadTimestamp,
		"2026-01-01T12:00:00,5Z":           CodeBadTimestamp,
		"2026-01-01T12:00:00+0530":         CodeBadTimestamp,
		"2026-01-01T12:00:00+24:00":        CodeBadTimestamp,
		"2026-01-01T12:00:00+00:60":        CodeBadTimestamp,
		"2026-01-01T12:00:00ZZ":            CodeBadTimestamp,
		"2026-00-01T12:00:00Z":             CodeBadTimestamp,
		"2026-13-01T12:00:00Z":             CodeBadTimestamp,
		"2026-02-29T12:00:00Z":             CodeBadTimestamp,
		"2100-02-29T12:00:00Z":             CodeBadTimestamp,
		"2026-01-00T12:00:00Z":             CodeBadTimestamp,
		"2026-01-01T24:00:00Z":             CodeBadTimestamp,
		"2026-01-01T12:60:00Z":             CodeBadTimestamp,
		"2026-01-01T12:00:60Z":             CodeBadTimestamp,
		"2026-01-01T1a:00:00Z":             CodeBadTimestamp,
		"1767268800":                       CodeBadTimestamp,
		"0":                                CodeBadTimestamp,
		"1.7e12":                           CodeBadTimestamp,
		"-":                                CodeBadTimestamp,
		"-1":                               CodeTimestampOutOfRange,
		"1969-12-31T23:59:59.999Z":         CodeTimestampOutOfRange,
		"1970-01-01T00:00:00+00:01":        CodeTimestampOutOfRange,
		"2100-01-01T00:00:00Z":             CodeTimestampOutOfRange,
		"2099-12-31T23:59:59-00:01":        CodeTimestampOutOfRange,
		"0000-01-01T00:00:00Z":             CodeTimestampOutOfRange,
		"9999-12-31T23:59:59Z":             CodeTimestampOutOfRange,
		"4102444800000":                    CodeTimestampOutOfRange,
		"99999999999999999999999999999999": CodeTimestampOutOfRange,
	} {
		if got, r := readTimestamp("timestamp", []byte(text)); r == nil || r.Code != want {
			t.Errorf("%s: %d %v, want %s", text, got, r, want)
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
