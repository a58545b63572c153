package file

import (
	"archive/tar"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/segment"
)

// A file of another format is reported in one message; a file that may be NDJSON with bad lines is read line by line.
func TestOtherFormats(t *testing.T) {
	event := `{"type":"page","userId":"u1"}`
	for _, c := range []struct{ text, want string }{
		{"[" + event + "]", "a JSON array"},
		{"[\n" + event + ",\n" + event + "\n]\n", "a JSON array"},
		{"\ufeff \n [" + event + ",\n" + event + "]", "a JSON array"},
		{"{\n  \"type\": \"page\",\n  \"userId\": \"u1\"\n}\n", "one JSON document"},
		{"{\r\n}\r\n", "one JSON document"},
		{"{\"batch\": [\n  " + event + "\n]}", "a JSON document with a list"},
		{"{\"batch\":[" + event + "]}", "a JSON document with a list"},
		{"{\"sentAt\":\"x\",\"batch\" : [" + event + "]}\n{\"batch\":[]}", "a JSON document with a list"},
		{"{ \"type\": \"page\",\n  \"userId\": \"u1\" }", "one JSON document"},
		{"type,user_id\npage,u1\n", "CSV"},
		{"\ufefftype;user_id\r\npage;u1\r\n", "CSV"},
		{"\"type\",\"user_id\"\n\"page\",\"u1\"\n", "CSV"},
		{"type\tuser_id\npage\tu1\n", "CSV"},
		{"\xff\xfe{\x00\"\x00", "UTF-16"},
		{"\xfe\xff\x00{\x00\"", "UTF-16"},
		{"{\x00\"\x00t\x00", "UTF-16"},
		{"\x00{\x00\"\x00t", "UTF-16"},
		{"\xff\xfe\x00\x00{\x00\x00\x00", "UTF-32"},
		{"\x00\x00\xfe\xff\x00\x00\x00{", "UTF-32"},
		{tarred(t, event+"\n"+event+"\n"), "tar"},
		{tarred(t, "type,user_id\npage,u1\n"), "tar"},
		{"PAR1\x15\x04", "Parquet"},
		{"PK\x03\x04\x14\x00", "zip"},
		{"Obj\x01\x04", "Avro"},
		{"\x7fELF\x02\x01", "binary"},
		{"<?xml version=\"1.0\"?>\n<events/>", "XML"},

		{"", ""},
		{"\n\n", ""},
		{event, ""},
		{event + "\n" + event, ""},
		{"\ufeff" + event + "\n", ""},
		{"# exported 2026-01-01, by hand\n" + event, ""},
		{"a,b,c\n" + event, ""},
		{"not json\nneither\n", ""},
		{"{\"type\":\"tra\n" + event, ""}, // cut off
		{"{\"type\":\"track\",\n" + event, ""},
		{"{\"a\":1},\n{\"a\":2},\n", ""}, // commas after each line
		{"[1]\n" + event, ""},
		{"7\n", ""},
		{"\"a,b\"\n", ""},
		{"{a\x00\nb", ""},
	} {
		got := OtherFormat([]byte(c.text))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%.80q looks like %q, want %q", c.text, got, c.want)
		}
		for _, compress := range []func(string) string{
			func(s string) string { return s },
			func(s string) string { return string(gzipped(t, s)) },
			func(s string) string { return string(zstandard(t, s)) },
		} {
			r, err := NewReader(strings.NewReader(compress(c.text)), "events", 0)
			if err != nil {
				t.Fatal(err)
			}
			lines := 0
			for err == nil {
				var chunk *Chunk
				if chunk, err = r.Next(); chunk == nil {
					break
				}
				chunk.Events(func(Place, []byte, *segment.Rejection) { lines++ })
			}
			if strings.Contains(c.want, "JSON") {
				if err != nil || lines == 0 {
					t.Errorf("%.80q: %d events, %v", c.text, lines, err)
				}
				continue
			}
			if (c.want != "") != errors.Is(err, ErrNotNDJSON) || c.want != "" && (lines > 0 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "events")) {
				t.Errorf("%.80q: %d lines, %v", c.text, lines, err)
			}
		}
	}
}

// tarred is an archive of one file.
func tarred(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "events.ndjson", Mode: 0o600, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A long array on one line is read as an array, and is no line that is too long.
func TestLongArray(t *testing.T) {
	r, err := NewReader(strings.NewReader("["+strings.Repeat(`{"type":"page","userId":"u1"},`, 100_000)+"{}]"), "events", 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	events, last := 0, Place{}
	for {
		chunk, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if chunk == nil {
			break
		}
		chunk.Events(func(at Place, _ []byte, problem *segment.Rejection) {
			if events++; problem != nil {
				t.Fatal(problem)
			}
			last = at
		})
		chunk.Release()
	}
	if events != 100_001 || last != (Place{1, 100_001}) {
		t.Errorf("%d events, the last at %+v", events, last)
	}
}

// A byte-order mark is skipped: at the start of the stream, inside compressed data, and where files were concatenated.
func TestMarksAreSkipped(t *testing.T) {
	text := "\ufeff{\"a\":1}\n{\"b\":\"\ufeff\"}\n\ufeff{\"c\":3}\r\n"
	for _, source := range []string{text, string(gzipped(t, text)), string(zstandard(t, text)), string(gzipped(t, text[:11])) + string(gzipped(t, text[11:]))} {
		r, err := NewReader(strings.NewReader(source), "events", 0)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for {
			chunk, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if chunk == nil {
				break
			}
			chunk.Lines(func(_ int64, raw []byte, _ *segment.Rejection) { lines = append(lines, string(raw)) })
		}
		if got := strings.Join(lines, "|"); got != "{\"a\":1}|{\"b\":\"\ufeff\"}|{\"c\":3}" {
			t.Errorf("%q", got)
		}
	}
}

func FuzzOtherFormat(f *testing.F) {
	f.Add([]byte("{\n\"a\":1}"))
	f.Add([]byte("[1]\n{"))
	for _, text := range []string{"a,b\n", "a,b\n{", "PAR1", "\ufeff[1,2", "{\"a\":[\n{", "\x00a\x00b", "a\x01,\nb", "{\n{", "<a>", "\r\n \n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		event := append([]byte(`{"type":"page"}`+"\n"), b...)
		if got := OtherFormat(event); got != "" {
			t.Fatalf("after an event: %q", got)
		}
		whole := OtherFormat(b)
		for n := range b {
			if format, more := otherFormat(b[:n], false); !more && format != whole {
				t.Fatalf("%q by its first %d bytes, %q by all", format, n, whole)
			}
		}
	})
}

// The format decided by a stream's beginning holds for every continuation, and reads of any size give the same lines.
func TestOtherFormatStays(t *testing.T) {
	pieces := []string{"{", "}", "[", "]", ",", ":", "\n", "\r\n", " ", "\"a\"", "1", "a", "<", "\ufeff", "\xef", "P", "PAR1", "PK\x03\x04", "\x00", "\x01", `{"a":1}`, "\t", ";", "\xff\xfe"}
	rng := rand.New(rand.NewPCG(5, 5))
	told := 0
	for i := range 30_000 {
		var b strings.Builder
		for range rng.IntN(9) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		text := b.String()
		if i == 0 {
			text = tarred(t, "{}\n")
		}
		whole := OtherFormat([]byte(text))
		for n := range len(text) {
			if format, more := otherFormat([]byte(text[:n]), false); !more && format != whole {
				t.Fatalf("%.80q: %q by its first %d bytes, %q by all", text, format, n, whole)
			}
		}
		if whole != "" {
			told++
		}
		if got := OtherFormat([]byte("{\"type\":\"page\"}\n" + text)); got != "" {
			t.Fatalf("%q after an event: %q", text, got)
		}
	}
	if told < 1000 {
		t.Errorf("%d told", told)
	}
}
