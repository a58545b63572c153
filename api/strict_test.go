package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

// strict checks that text is one JSON value as RFC 8259 and I-JSON (RFC 7493, 2.1) have it: UTF-8, and no escape of half a
// surrogate pair; beyond them, no NUL. encoding/json is lenient about all three.
type strict struct {
	text string
	at   int
}

var errStrict = errors.New("not strict JSON")

func checkStrict(text string) error {
	s := &strict{text: text}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%w: not UTF-8", errStrict)
	}
	if s.value(0) && s.space() && s.at == len(text) {
		return nil
	}
	return fmt.Errorf("%w at byte %d: %.60q", errStrict, s.at, text[min(s.at, len(text)):])
}

func (s *strict) space() bool {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
	return true
}

func (s *strict) take(token string) bool {
	if !strings.HasPrefix(s.text[s.at:], token) {
		return false
	}
	s.at += len(token)
	return true
}

func (s *strict) value(depth int) bool {
	s.space()
	switch {
	case depth > 100 || s.at == len(s.text):
		return false
	case s.take("{"):
		return s.list("}", func() bool { s.space(); return s.string() && s.space() && s.take(":") && s.value(depth+1) })
	case s.take("["):
		return s.list("]", func() bool { return s.value(depth + 1) })
	case s.text[s.at] == '"':
		return s.string()
	}
	return s.take("true") || s.take("false") || s.take("null") || s.number()
}

func (s *strict) list(end string, element func() bool) bool {
	if s.space(); s.take(end) {
		return true
	}
	for element() {
		if s.space(); s.take(end) {
			return true
		}
		if !s.take(",") {
			return false
		}
	}
	return false
}

func (s *strict) digits() bool {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}

func (s *strict) number() bool {
	s.take("-")
	if !s.take("0") && !s.digits() || s.take(".") && !s.digits() {
		return false
	}
	if s.take("e") || s.take("E") {
		_ = s.take("+") || s.take("-")
		return s.digits()
	}
	return true
}

func (s *strict) string() bool {
	if !s.take(`"`) {
		return false
	}
	high := false // the escape before was the first half of a pair
	for s.at < len(s.text) {
		c := s.text[s.at]
		if high && c != '\\' || c < ' ' {
			return false
		}
		s.at++
		switch {
		case c == '"':
			return true
		case c == '\\' && s.take("u"):
			var r rune
			if s.at+4 > len(s.text) {
				return false
			}
			if _, err := fmt.Sscanf(s.text[s.at:s.at+4], "%04x", &r); err != nil || r == 0 {
				return false
			}
			s.at += 4
			if low := 0xdc00 <= r && r <= 0xdfff; low != high {
				return false
			}
			high = 0xd800 <= r && r <= 0xdbff
		case c == '\\':
			if high || s.at == len(s.text) || strings.IndexByte(`"\/bfnrt`, s.text[s.at]) < 0 {
				return false
			}
			s.at++
		}
	}
	return false
}

func TestStrict(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":[1,-0.5e+7,"\ud83d\ude00",null,true,{}]}`: true, ` "x" `: true, `"\ud83d"`: false, `"\ude00"`: false, `"\ud83dx"`: false,
		`"\ud83d\n"`: false, `"\ud83d\ud83d\ude00"`: false, `"\u0000"`: false, `"\u12"`: false, "\"\x01\"": false, "\"\xff\"": false, `01`: false, `1.`: false,
		`{"a":1,}`: false, `{a:1}`: false, `[1 2]`: false, `1 2`: false, `"`: false, `"\x"`: false, ``: false, `"\u2028\u0001\uffff"`: true,
	} {
		if got := checkStrict(text) == nil; got != want {
			t.Errorf("%s: strict %t, want %t", text, got, want)
		}
	}
}

// oddStrings are insides of JSON strings that make trouble somewhere, and random ones of their pieces.
func oddStrings(n int) []string {
	pieces := []string{
		`\ud83d`, `\ude00`, `\ud83d\ude00`, `\uD800`, `\udbff\udfff`, `\u0000`, `\u0001`, `\u001f`, `\u007f`, `\u0085`, `\u2028`, `\ufeff`, `\ufffe`, `\uffff`, `\ufffd`,
		`\udbff\udc`, `\\ud83d`, `\\\ud83d`, `\"`, `\\`, `\/`, `\b\f\n\r\t`, "é", "日", "😀", "\u2028", "\ufffe", "\ufeff", "\x7f", "a", "u0000", `\u0061`, " ", "'", "<&>",
	}
	rng := rand.New(rand.NewPCG(7, 7))
	all := []string{`cut \ud83d`}
	for range n {
		var b strings.Builder
		for range 1 + rng.IntN(5) {
			if piece := pieces[rng.IntN(len(pieces))]; piece != `\udbff\udc` { // that one is no JSON
				b.WriteString(piece)
			}
		}
		all = append(all, b.String())
	}
	return all
}

// Whatever strings events have, everywhere, each line that goes out is JSON for strict readers, jq among them.
func TestWhatGoesOutIsStrict(t *testing.T) {
	w := newFed(t)
	odd := oddStrings(600)
	var ids []string
	for i := 0; i+4 <= len(odd); i += 4 {
		a, b, c, d := odd[i], odd[i+1], odd[i+2], odd[i+3]
		id := fmt.Sprintf("u%d", i)
		ids = append(ids, "user_id:"+id)
		w.feed(
			fmt.Sprintf(`{"type":"identify","messageId":"%s%d","userId":"%s","anonymousId":"%s","traits":{"%s":"%s","bio":{"k%s":["%s"]}},"context":{"page":{"%s":"%s"},"locale": "%s"}}`,
				a, i, id, b, c, d, a, b, c, d, a),
			fmt.Sprintf(`{"type":"track","event":"%s","userId":"%s","messageId":"t%d","properties":{"%s":"%s","%s":{"x": "%s"}}}`, b, id, i, c, d, a, b),
			fmt.Sprintf(`{"type":"track","event":"Order Completed","userId":"%s","messageId":"o%d","properties":{"order_id":"%s%d","revenue":5,"coupon":"%s","products":[{"category":"%s"}]}}`, id, i, a, i, c, d),
			fmt.Sprintf(`{"type":"page","name":"%s","userId":"%s","messageId":"p%d","context":{"traits":{"email":"%s@x.org"}}}`, c, id, i, d),
		)
	}
	var lines []string
	read := func(path string) {
		a := w.get(path)
		if a.status != 200 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		for line := range strings.Lines(a.body) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	read("/v1/export")
	if len(lines) < 100 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, id := range ids {
		for _, part := range []string{"", "/events", "/orders", "/how"} {
			if a := w.get("/v1/profiles/" + id + part); a.status == 200 {
				lines = append(lines, strings.Split(strings.TrimSpace(a.body), "\n")...)
			} else if part != "/how" {
				t.Fatalf("%s%s: %s", id, part, a.body)
			}
		}
	}
	changes := 0
	for _, e := range parse(t, w.get("/v1/changes?cursor=start&follow=false").body) {
		if e.data != "" {
			changes++
			lines = append(lines, e.data)
		}
	}
	if changes == 0 {
		t.Fatal("no changes")
	}
	for _, line := range lines {
		if err := checkStrict(line); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
	}
	checkJQ(t, lines)
}

// checkJQ lets jq read lines, where there is one; in CI there is.
func checkJQ(t *testing.T, lines []string) {
	t.Helper()
	jq, err := exec.LookPath("jq")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI needs jq: see .ci/setup")
		}
		t.Skip("no jq")
	}
	cmd := exec.Command(jq, "-c", "1")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
	out, err := cmd.CombinedOutput()
	if err != nil || bytes.Count(out, []byte("\n")) != len(lines) {
		t.Fatalf("jq read %d of %d lines: %v %.200s", bytes.Count(out, []byte("\n")), len(lines), err, out)
	}
}

// Two user ids that differ in a lone surrogate are nobody, and not one person.
func TestLoneSurrogatesJoinNobody(t *testing.T) {
	w := newWorld(t, nil)
	w.post("/v1/batch", `[{"type":"identify","messageId":"1","userId":"\ud800abc","anonymousId":"a1"},{"type":"identify","messageId":"2","userId":"\ud801abc","anonymousId":"a2"}]`).
		want(t, 200, `"accepted":2`, `"invalid":2`, `"mended":2`)
	w.get("/v1/profiles/anonymous_id:a1").want(t, 200, `"events":1`)
}

// A byte-order mark before a body is skipped, compressed or not; a body of another format is named.
func TestMarksBeforeBodies(t *testing.T) {
	w := newWorld(t, nil)
	event := "\ufeff" + `{"type":"page","userId":"u1","messageId":"m%d"}`
	w.post("/v1/batch", fmt.Sprintf(event, 1)).want(t, 200, `"accepted":1`)
	w.post("/v1/page", "\ufeff "+fmt.Sprintf(`[{"userId":"u1","messageId":"m%d"}]`, 2)).want(t, 200, `"accepted":1`)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprintf(z, event, 3)
	z.Close()
	r := httptest.NewRequest("POST", "/v1/batch", &packed)
	r.Header.Set("Content-Encoding", "gzip")
	w.do(r).want(t, 200, `"accepted":1`)
	w.post("/v1/batch", "\ufeff").want(t, 400, `"empty_body"`)
	w.post("/v1/batch", "\xff\xfe{\x00}\x00").want(t, 400, "this looks like text in UTF-16")
	w.post("/v1/batch", "{\"type\":\"page\",\"userId\":\"u1\"}\r\n{\"type\":\"page\"}\n").want(t, 400, "this looks like NDJSON", "kindred ingest --to")
	w.post("/v1/batch", "type,user_id\npage,u1\n").want(t, 400, "this looks like a table, such as CSV")
}
