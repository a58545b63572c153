package jsonscan

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
)

// loneHalf searches valid JSON text for an escape of half a surrogate pair, or of NUL, independently of Mend: escape by escape.
func loneHalf(text string) bool {
	var units []uint16   // of consecutive escapes
	bad := func() bool { // more U+FFFD than were written as such
		lost := 0
		for _, r := range utf16.Decode(units) {
			if r == 0xfffd {
				lost++
			}
		}
		return lost > count(units, 0xfffd) || count(units, 0) > 0
	}
	for i := 0; i < len(text); {
		if text[i] == '\\' && text[i+1] == 'u' {
			var unit uint16
			for _, c := range []byte(strings.ToLower(text[i+2 : i+6])) {
				unit = unit<<4 | uint16(strings.IndexByte("0123456789abcdef", c))
			}
			units = append(units, unit)
			i += 6
			continue
		}
		if bad() {
			return true
		}
		units = units[:0]
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return bad()
}

func count(units []uint16, want uint16) (n int) {
	for _, u := range units {
		if u == want {
			n++
		}
	}
	return n
}

// J5: encoding/json reads the same text before and after, except for NUL.
func TestMend(t *testing.T) {
	pieces := []string{
		`\ud83d`, `\ude00`, `\uD83D`, `\uDE00`, `\ud83d\ude00`, `\u0000`, `\ufffd`, `\u0061`, `\udbff`, `\udfff`, `\ue000`, `\ud7ff`, `\\`, `\"`, `\n`, "u0000", "d83d", "a", "\u00e9", "\U0001f600",
	}
	rng := rand.New(rand.NewPCG(3, 3))
	mended := 0
	for range 30_000 {
		var b strings.Builder
		for range rng.IntN(7) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		text := []byte(`{"` + b.String() + `":["` + b.String() + `"]}`)
		var s Scanner
		s.Reset(text, new(Arena))
		s.Value()
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		out := Mend(nil, text)
		broken := loneHalf(string(text))
		if s.Broken() != broken || Broken(text) != broken || !broken && !bytes.Equal(out, text) {
			t.Fatalf("%s: scanned %t, asked %t, want %t", text, s.Broken(), Broken(text), broken)
		}
		if len(out) != len(text) || loneHalf(string(out)) || Broken(out) {
			t.Fatalf("%s became %s", text, out)
		}
		var before, after map[string][]string
		if json.Unmarshal(text, &before) != nil || json.Unmarshal(out, &after) != nil {
			t.Fatalf("%s became %s", text, out)
		}
		for key, list := range before {
			key, value := strings.ReplaceAll(key, "\x00", "\ufffd"), strings.ReplaceAll(list[0], "\x00", "\ufffd")
			if len(after[key]) != 1 || after[key][0] != value {
				t.Fatalf("%s became %s", text, out)
			}
		}
		if broken {
			mended++
		}
	}
	if mended < 1000 {
		t.Errorf("%d mended", mended)
	}
}
