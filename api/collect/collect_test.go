package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/kindred-id/kindred/api/document"
	"github.com/klauspost/compress/zstd"
)

const bodyMax = 2 * meterStep

// newCollector refuses what it can refuse without an engine; what reaches the engine panics.
func newCollector() *Collector {
	return &Collector{Config: Config{MaxBody: bodyMax, MaxEvents: 10}, bodies: newBodyRoom(4 * bodyMax)}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Requests without an event that could be read are refused before the engine is asked. Room that a body took is given back.
func TestRefusals(t *testing.T) {
	c := newCollector()
	for _, r := range []struct {
		name, query, body, encoding string
		code                        document.Code
		detail                      string
	}{
		{"results", "results=some", `{}`, "", document.CodeBadParameter, "results"},
		{"live", "live=no", `{}`, "", document.CodeBadParameter, "live"},
		{"wait", "wait=long", `{}`, "", document.CodeBadParameter, "wait"},
		{"nothing", "", "", "", document.CodeEmptyBody, ""},
		{"blanks", "", " \r\n", "", document.CodeEmptyBody, ""},
		{"a byte-order mark", "", utf8Mark, "", document.CodeEmptyBody, ""},
		{"nothing, compressed", "", gzipped(t, " "), "", document.CodeEmptyBody, ""},
		{"a word", "", "hello", "", document.CodeInvalidBody, ""},
		{"an open list", "", `[{"type":"page"}`, "", document.CodeInvalidBody, ""},
		{"lines", "", "{\"type\":\"page\"}\n{\"type\":\"page\"}\n", "", document.CodeInvalidBody, "NDJSON"},
		{"a large body", "", strings.Repeat(" ", bodyMax+1), "", document.CodeBodyTooLarge, "131072"},
		{"a body that inflates", "", gzipped(t, strings.Repeat(" ", bodyMax+1)), "gzip", document.CodeBodyTooLarge, "inflated"},
		{"half a stream", "", gzipped(t, "{}")[:15], "gzip", document.CodeBadEncoding, "cut short"},
		{"another encoding", "", "\x01\x02", "br", document.CodeUnknownEncoding, ""},
	} {
		req := httptest.NewRequest("POST", "/v1/batch?"+r.query, strings.NewReader(r.body))
		req.Header.Set("Content-Encoding", r.encoding)
		if r.name == "a large body" {
			req.ContentLength = -1 // chunked: only reading it shows its size
		}
		w := httptest.NewRecorder()
		if p := c.post(0)(w, req); p == nil || p.Code != r.code || !strings.Contains(p.Detail, r.detail) || w.Body.Len() > 0 {
			t.Errorf("%s: %+v, want %s with %q", r.name, p, r.code, r.detail)
		}
	}
	if !c.bodies.all.TryAcquire(4*bodyMax) || !c.bodies.begun.TryAcquire(2*bodyMax) {
		t.Error("some of the room was not given back")
	}
}

// A body is inflated by what it is, whatever its header says, and a proxy's header without compression is believed to be old.
func TestBodies(t *testing.T) {
	const want = `{"type":"page","anonymousId":"a"}`
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	zstandard := string(encoder.EncodeAll([]byte(want), nil))
	room := newBodyRoom(4 * bodyMax)
	var b bodyReader // one for all, as requests share it
	for _, c := range []struct{ name, sent, header string }{
		{"plain", want, ""},
		{"after a mark", utf8Mark + want, ""},
		{"gzip without a header", gzipped(t, want), ""},
		{"gzip called zstd", gzipped(t, want), "zstd"},
		{"zstd without a header", zstandard, ""},
		{"plain called gzip", want, " GZIP "},
		{"gzip, again", gzipped(t, want), "gzip"},
		{"zstd, again", zstandard, "zstd"},
	} {
		m, err := room.begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.read(nil, iotest.OneByteReader(strings.NewReader(c.sent)), c.header, bodyMax, m)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		m.release()
	}
}

// Bodies that begin may take half of the room, so that one which has begun can grow; where none is left, it is refused.
func TestBodyRoom(t *testing.T) {
	room := newBodyRoom(4 * meterStep)
	first, err := room.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := room.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := room.begin(gone); err == nil {
		t.Error("a third body began: half of the room is for bodies that grow")
	}
	if !first.need(3*meterStep) || first.need(3*meterStep+1) {
		t.Error("the first body can take what the second does not hold, and no more")
	}
	if second.need(meterStep + 1) {
		t.Error("the second body grew where there is no room")
	}
	first.release()
	if !second.need(4 * meterStep) {
		t.Error("released room is not to be had")
	}
	second.release()
}
