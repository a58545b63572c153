package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

var texts = []string{
	`null`, `true`, `false`, `0`, `-0`, `1.5e-7`, `""`, `"a"`, `[]`, `{}`, ` [ 1 , 2 ] `, `{"a":{"b":[1,{"c":null}]},"d":"e"}`,
	`{"a":1,}`, `[1,]`, `[1 2]`, `{"a" 1}`, `{"a":}`, `{a:1}`, `{"a":1}}`, `{"a":1]`, `[1}`, `[`, `{`, `{"a"`, `{"a":`, `{"a":1,`, `[1,`, ``, ` `,
	`01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`, `0x1`, `tru`, `truex`, `nul`, `fals`, `NaN`,
	`"\n"`, `"\x"`, `"\u12"`, `"\u12G4"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx\u0041"`, `"\ude00\ud83d"`, `"\u0000"`, `"\`, `"\"`, `"\\"`,
	"\"a\nb\"", "\"a\x00b\"", "\"\x7f\"", "\"\xff\"", "\"\xc3\xa9\"", "\xff", "{\"\xc3\":1}", "\ufeff{}",
	`"eight by"`, `"seven b"`, `"ninenines"`, `{"a long key that spans several words":"a long value that spans several words \" and goes on"}`,
	`{"a\u0062c":1}`, `{"":{"":""}}`, `[[],[[]],{}]`, `[1,2,3]x`, `"a" "b"`, `{"a":1 "b":2}`,
}

// fits reports whether b nests at most MaxDepth deep, for a valid b.
func fits(b []byte) bool {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest <= MaxDepth
}

// walk reads the next value by stepping into every object and array, and rebuilds it without white space.
func walk(s *Scanner, out []byte) []byte {
	if s.Object() {
		out = append(out, '{')
		for n := 0; s.Next(); n++ {
			if n > 0 {
				out = append(out, ',')
			}
			key, _ := json.Marshal(string(s.Key()))
			out = append(append(out, key...), ':')
			out = walk(s, out)
		}
		return append(out, '}')
	}
	if s.Array() {
		out = append(out, '[')
		for n := 0; s.More(); n++ {
			if n > 0 {
				out = append(out, ',')
			}
			out = walk(s, out)
		}
		return append(out, ']')
	}
	v := s.Value()
	if v.Kind == String {
		text, _ := json.Marshal(string(Unescape(nil, v.Inside())))
		return append(out, text...)
	}
	return append(out, v.Raw...)
}

// checkScan compares the scanner with encoding/json (J1, J2), both skipping and walking.
func checkScan(t *testing.T, data []byte) {
	t.Helper()
	want := json.Valid(data) && utf8.Valid(data) && fits(data)
	var s Scanner
	var arena Arena

	s.Reset(data, &arena)
	v := s.Value()
	err := s.End()
	if (err == nil) != want {
		t.Fatalf("skip %q: %v, want valid %t", data, err, want)
	}
	if err == nil && !bytes.Equal(v.Raw, bytes.Trim(data, " \t\r\n")) {
		t.Fatalf("skip %q: raw %q", data, v.Raw)
	}
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Offset < 0 || e.Offset > len(data)) {
		t.Fatalf("skip %q: error %v without a place", data, err)
	}

	s.Reset(data, &arena)
	got := walk(&s, nil)
	if err := s.End(); (err == nil) != want {
		t.Fatalf("walk %q: %v, want valid %t", data, err, want)
	}
	if want {
		var a, b any
		if json.Unmarshal(data, &a) != nil || json.Unmarshal(got, &b) != nil {
			return // a number beyond float64
		}
		if a = withoutNUL(a); a == nil && string(v.Raw) != "null" {
			return
		}
		aText, _ := json.Marshal(a)
		bText, _ := json.Marshal(b)
		if !bytes.Equal(aText, bText) {
			t.Fatalf("walk %q: rebuilt %s, want %s", data, bText, aText)
		}
		s.Reset(data, &arena)
		if text := s.Balanced(); !bytes.Equal(text, v.Raw) || s.End() != nil {
			t.Fatalf("balanced %q: %q, %v", data, text, s.End())
		}
	}
}

// withoutNUL replaces NUL by U+FFFD in all strings; it returns nil if two keys of an object become equal.
func withoutNUL(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "\ufffd")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, value := range v {
			clean[strings.ReplaceAll(key, "\x00", "\ufffd")] = withoutNUL(value)
		}
		if len(clean) < len(v) {
			return nil
		}
		return clean
	}
	return v
}

func TestScanAgreesWithEncodingJSON(t *testing.T) {
	for _, text := range texts {
		checkScan(t, []byte(text))
		checkScan(t, []byte(`{"k":`+text+`}`))
		checkScan(t, []byte(` [ `+text+` , `+text+` ] `))
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Add([]byte(strings.Repeat("[", 65) + strings.Repeat("]", 65)))
	f.Fuzz(checkScan)
}

func TestErrorsNameThePlace(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + `[]` + strings.Repeat("}", MaxDepth)
	for _, c := range []struct {
		text   string
		code   ErrorCode
		offset int
		says   string
	}{
		{`{"a":1,}`, syntax, 7, `byte 7: want a key in quotes, found '}'`},
		{`{"a":tru}`, syntax, 5, `byte 5: want true, found 't'`},
		{`{"a":"x`, syntax, 7, `byte 7: want the closing '"' of a string, found the end`},
		{`{"a":1} 2`, syntax, 8, `byte 8: want the end, found '2'`},
		{"{\"a\":\"\t\"}", syntax, 6, `byte 6: want no raw control character in a string, found '\t'`},
		{"{\"a\":\"x\xffy\"}", UTF8, 7, `byte 7: not UTF-8`},
		{deep, Depth, 5 * MaxDepth, `byte 320: nested more than 64 deep`},
	} {
		var s Scanner
		s.Reset([]byte(c.text), new(Arena))
		s.Value()
		var e *Error
		if err := s.End(); !errors.As(err, &e) || e.Code != c.code || e.Offset != c.offset || err.Error() != c.says {
			t.Errorf("%q: %v, want %s", c.text, err, c.says)
		}
	}
}

func TestErrorsStick(t *testing.T) {
	var s Scanner
	s.Reset([]byte(`{"a":{"b":[1,x]},"c":2}`), new(Arena))
	steps := 0
	s.Object()
	for s.Next() {
		s.Object()
		for s.Next() {
			s.Array()
			for s.More() {
				if s.Value(); s.Err() != nil {
					steps++
				}
			}
		}
	}
	if steps != 1 || s.Err() == nil || s.Err().Offset != 13 || s.Value().Kind != None || s.Object() || s.Array() {
		t.Fatalf("%d steps after the error %v", steps, s.Err())
	}
}

func TestUnicodeKeysAreUnescaped(t *testing.T) {
	var s Scanner
	s.Reset([]byte(`{"u\u0073er\u00ccd":"x"}`), new(Arena))
	if !s.Object() || !s.Next() || string(s.Key()) != "userÌd" {
		t.Fatalf("key %q", s.Key())
	}
}

func TestBalancedLeavesAnElementsTroubleInside(t *testing.T) {
	var s Scanner
	s.Reset([]byte(`[{"a":nonsense,"b":"]}\""}, 12,[[],{}] ,"x"]`), new(Arena))
	var got []string
	for s.Array(); s.More(); {
		got = append(got, string(s.Balanced()))
	}
	want := []string{`{"a":nonsense,"b":"]}\""}`, `12`, `[[],{}]`, `"x"`}
	if err := s.End(); err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestArenaNeverMovesWhatItHandedOut(t *testing.T) {
	var a Arena
	var kept [][]byte
	for round := range 3 {
		kept = kept[:0]
		for i := range 3000 {
			b := a.Reserve(i % 97)
			for range i % 101 { // sometimes more than was reserved
				b = append(b, byte(i))
			}
			kept = append(kept, a.Keep(b))
		}
		kept = append(kept, a.Keep(append(a.Reserve(1<<20), 'x')))
		for i, b := range kept[:3000] {
			if len(b) != i%101 || bytes.Count(b, []byte{byte(i)}) != len(b) {
				t.Fatalf("round %d: slice %d was overwritten: %x", round, i, b)
			}
		}
		a.Reset()
	}
	if allocs := testing.AllocsPerRun(10, func() {
		for range 1000 {
			a.Keep(append(a.Reserve(100), "bytes"...))
		}
		a.Reset()
	}); allocs != 0 {
		t.Errorf("a warm arena allocates %v times", allocs)
	}
}
