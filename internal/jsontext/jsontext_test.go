package jsontext

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestAppendString(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	texts := []string{"", "plain", `q"b\`, "\x00\x1f\n\r\t\x7f", "ü日🎉", "\xff", "a\xf0\x9f\x8e", "\u2028<&>", "\ufffd", "\xed\xa0\x80"}
	for range 2000 {
		b := make([]byte, rng.IntN(12))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		texts = append(texts, string(b))
	}
	for _, text := range texts {
		for _, encoded := range [][]byte{AppendString([]byte("x"), text), AppendString([]byte("x"), []byte(text))} {
			var got string
			if err := json.Unmarshal(encoded[1:], &got); err != nil || got != strings.ToValidUTF8(text, "\ufffd") && !equalRunes(got, strings.ReplaceAll(text, "\x00", "\ufffd")) {
				t.Fatalf("%q became %s (%v)", text, encoded, err)
			}
		}
	}
}

// AppendVerbatim escapes exactly the bytes that JSON requires.
func TestAppendVerbatim(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, `q"b\`: `"q\"b\\"`, "\x00\x1f\n\r\t\x7f": `"\u0000\u001f\n\r\t` + "\x7f\"", "ü日": `"ü日"`, "a\xffb\xed\xa0\x80": "\"a\xffb\xed\xa0\x80\"",
	} {
		if got := AppendVerbatim([]byte("x"), text); string(got) != "x"+want {
			t.Errorf("%q became %s, want %s", text, got[1:], want)
		}
		if got := AppendVerbatim(nil, []byte(text)); string(got) != want {
			t.Errorf("%q became %s, want %s", text, got, want)
		}
	}
}

// equalRunes compares text as range does: one U+FFFD for each invalid byte.
func equalRunes(a, b string) bool { return a == string([]rune(b)) }

func TestAppendCompact(t *testing.T) {
	for _, text := range []string{
		`1`, `{"a":1}`, "{ \"a\" :\n[1,\t2 , {\"b c\":\" \\\" x \\\\\"}\r\n] }", `"  \\"`, ` [ ] `, `{"k": "a\nb  c"}`,
	} {
		var want bytes.Buffer
		if err := json.Compact(&want, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := AppendCompact(nil, []byte(text)); string(got) != want.String() {
			t.Errorf("%q: got %q, want %q", text, got, want.String())
		}
	}
}

func TestAppendTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	times := []int64{0, 1, 999, 951782400000, 4102444799999, -1, -62135596800000, 253402300799999, 253402300800000}
	for range 1000 {
		times = append(times, rng.Int64N(4102444800000))
	}
	for _, ms := range times {
		want := `"` + time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") + `"`
		if got := string(AppendTime(nil, ms)); got != want {
			t.Errorf("%d: got %s, want %s", ms, got, want)
		}
	}
}
