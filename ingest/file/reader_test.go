package file

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/kindred-id/kindred/ingest/segment"
)

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t testing.TB, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

// drain reads a stream to its end and returns its lines as "number:text" and the bytes it accounted for.
func drain(t testing.TB, source io.Reader, lineMax int) (lines []string, passed int64, err error) {
	t.Helper()
	r, err := NewReader(source, "test", lineMax)
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	for {
		c, err := r.Next()
		if c == nil {
			if again, errAgain := r.Next(); again != nil || !errors.Is(errAgain, err) {
				t.Errorf("after the end: %v, %v", again, errAgain)
			}
			return lines, passed, err
		}
		if cap(c.data) > max(2*chunkTarget, lineMax+2) {
			t.Errorf("a chunk of %d bytes", cap(c.data))
		}
		passed += c.SourceBytes
		c.Lines(func(line int64, raw []byte, tooLong *segment.Rejection) {
			if tooLong != nil {
				raw = []byte(tooLong.Code)
			}
			lines = append(lines, fmt.Sprintf("%d:%s", line, raw))
		})
		c.Release()
	}
}

func TestReaderFindsLines(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"\n\n":                  "",
		"a":                     "1:a",
		"a\n":                   "1:a",
		"a\r\n\r\nb\n \t\n c\n": "1:a 3:b 5: c",
		"\xef\xbb\xbfa\nb":      "1:a 2:b",
		"{a\x00\nb":             "1:{a\x00 2:b",
	} {
		for _, source := range [][]byte{[]byte(text), gzipped(t, text), zstandard(t, text)} {
			if text != "" && text[0] == 0xef && source[0] != 0xef {
				continue // the mark is for plain text
			}
			for _, r := range []io.Reader{bytes.NewReader(source), iotest.OneByteReader(bytes.NewReader(source)), iotest.DataErrReader(bytes.NewReader(source))} {
				lines, passed, err := drain(t, r, 0)
				if got := strings.Join(lines, " "); got != want || err != nil || passed != int64(len(source)) {
					t.Errorf("%q as %x: %q, %d of %d bytes, %v", text, source[:min(4, len(source))], got, passed, len(source), err)
				}
			}
		}
	}
}

// Lines of all lengths over many chunks, in every format, come out unchanged.
func TestReaderKeepsLinesWhole(t *testing.T) {
	var text strings.Builder
	var want []string
	for i := range 6000 {
		line := strings.Repeat(string(rune('a'+i%26)), i*7919%900)
		if i%2000 == 1999 {
			line = strings.Repeat("long", 100_000) // above a chunk, below the limit
		}
		text.WriteString(line + "\n")
		if line != "" {
			want = append(want, fmt.Sprintf("%d:%s", i+1, line))
		}
	}
	half := text.Len() / 2
	for name, source := range map[string][]byte{
		"plain": []byte(text.String()), "gzip": gzipped(t, text.String()), "zstd": zstandard(t, text.String()),
		"gzip in members":              append(gzipped(t, text.String()[:half]), gzipped(t, text.String()[half:])...),
		"zstd in frames":               append(zstandard(t, text.String()[:half]), zstandard(t, text.String()[half:])...),
		"zstd after a skippable frame": append([]byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2}, zstandard(t, text.String())...),
	} {
		lines, passed, err := drain(t, bytes.NewReader(source), 0)
		if err != nil || passed != int64(len(source)) || len(lines) != len(want) {
			t.Errorf("%s: %d lines of %d, %d bytes of %d, %v", name, len(lines), len(want), passed, len(source), err)
			continue
		}
		for i := range want {
			if lines[i] != want[i] {
				t.Errorf("%s: line %d is %.40s, want %.40s", name, i, lines[i], want[i])
				break
			}
		}
	}
}

func TestReaderSkipsLinesThatAreTooLong(t *testing.T) {
	long := strings.Repeat("x", 10_000_000)
	for text, want := range map[string]string{
		"a\n" + long + "\nb\n":                "1:a 2:event_too_large 3:b",
		long + "\r\nb":                        "1:event_too_large 2:b",
		"a\n" + long:                          "1:a 2:event_too_large",
		long + "\n" + long + "\n\nb\n" + long: "1:event_too_large 2:event_too_large 4:b 5:event_too_large",
		"a\n" + long[:1<<20] + "\r\nb":        "1:a 2:" + long[:1<<20] + " 3:b",
		"a\n" + long[:1<<20] + "y\nb":         "1:a 2:" + long[:1<<20] + "y 3:b", // left to the decoder: the room is that of a line with CR and LF
		"a\n" + long[:1<<20] + "y\r\nb":       "1:a 2:event_too_large 3:b",
	} {
		for _, source := range [][]byte{[]byte(text), gzipped(t, text)} {
			lines, _, err := drain(t, bytes.NewReader(source), 1<<20)
			if got := strings.Join(lines, " "); got != want || err != nil {
				t.Errorf("%d bytes: %.60s (%d), want %.60s (%d), %v", len(text), got, len(got), want, len(want), err)
			}
		}
	}
}

// A line of a quarter of a gigabyte, a quarter of a megabyte as gzip, costs the memory of one line (see drain), and one rejection.
func TestReaderStandsABomb(t *testing.T) {
	if testing.Short() {
		t.Skip("inflates 256 MB")
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	same := bytes.Repeat([]byte("x"), 1<<20)
	for range 256 {
		if _, err := w.Write(same); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprint(w, "\nb\n")
	w.Close()
	lines, _, err := drain(t, &b, 1<<20)
	if got := strings.Join(lines, " "); got != "1:event_too_large 2:b" || err != nil {
		t.Errorf("%.80s, %v", got, err)
	}
}

func TestReaderTellsWhereAStreamBrokeOff(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "line %d %x\n", i, i*i*7919)
	}
	for name, source := range map[string][]byte{"gzip": gzipped(t, text.String()), "zstd": zstandard(t, text.String())} {
		lines, passed, err := drain(t, bytes.NewReader(source[:len(source)*2/3]), 0)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := fmt.Sprintf("read test: broken off at byte %d of it, after line %d: ", len(source)*2/3, len(lines))
		if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s…", name, err, want)
		}
		if name == "gzip" && len(lines) == 0 || passed > int64(len(source)*2/3) {
			t.Errorf("%s: %d lines, %d bytes before it", name, len(lines), passed)
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, fmt.Sprintf("%d:line %d ", i+1, i)) {
				t.Errorf("%s: line %d is %s", name, i, line)
			}
		}
	}
	broken := errors.New("the disk is gone")
	lines, _, err := drain(t, io.MultiReader(strings.NewReader("a\nb\nhalf a li"), iotest.ErrReader(broken)), 0)
	if got := strings.Join(lines, " "); got != "1:a 2:b" || !errors.Is(err, broken) {
		t.Errorf("%s, %v", got, err)
	}
	if _, _, err := drain(t, bytes.NewReader([]byte{0x1f, 0x8b, 0x08}), 0); err == nil || !strings.Contains(err.Error(), "read test: gzip header: unexpected EOF") {
		t.Errorf("cut header: %v", err)
	}
	if _, _, err := drain(t, iotest.ErrReader(broken), 0); !errors.Is(err, broken) {
		t.Errorf("first read: %v", err)
	}
}

// A complete line is returned even if the stream stays open.
func TestReaderDoesNotWaitForAFullChunk(t *testing.T) {
	from, to := io.Pipe()
	defer to.Close()
	go fmt.Fprint(to, "a\nb\nhalf")
	r, err := NewReader(from, "pipe", 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	c.Lines(func(int64, []byte, *segment.Rejection) { n++ })
	if n != 2 {
		t.Errorf("%d lines", n)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := to.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Close left the source open: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("a\r\n\nb"), uint8(3))
	f.Add(gzipped(f, "a\nbbbbbbbb\nc"), uint8(4))
	f.Add(zstandard(f, "a\nbbbbbbbb\nc"), uint8(4))
	f.Fuzz(func(t *testing.T, source []byte, lineMax uint8) {
		a, passedA, errA := drain(t, bytes.NewReader(source), int(lineMax))
		b, passedB, errB := drain(t, iotest.HalfReader(bytes.NewReader(source)), int(lineMax))
		if strings.Join(a, "\n") != strings.Join(b, "\n") || (errA == nil) != (errB == nil) || errA == nil && passedA != passedB {
			t.Fatalf("%q, %d, %v, or in small pieces %q, %d, %v", a, passedA, errA, b, passedB, errB)
		}
	})
}
