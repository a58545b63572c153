package file

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// utf8Mark is the byte-order mark that editors and spreadsheets put before UTF-8.
const utf8Mark = "\xef\xbb\xbf"

// trimMark returns text without a leading byte-order mark.
func trimMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte(utf8Mark)) }

// ErrNotNDJSON is in the error of a Reader whose stream as a whole has another format.
var ErrNotNDJSON = errors.New("not NDJSON")

// magics are the first bytes of files in other formats that hold events or tables.
var magics = []struct{ head, name string }{
	{"PAR1", "a Parquet file"},
	{"Obj\x01", "an Avro file"},
	{"ORC", "an ORC file"},
	{"ARROW1", "an Arrow file"},
	{"PK\x03\x04", "a zip archive (or an Excel sheet)"},
	{"PK\x05\x06", "a zip archive"},
	{"BZh", "a file compressed with bzip2"},
	{"\xfd7zXZ\x00", "a file compressed with xz"},
	{"\x04\x22\x4d\x18", "a file compressed with lz4"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{"SQLite format 3\x00", "an SQLite database"},
	{"%PDF-", "a PDF document"},
	{"\x1f\x8b", "a file compressed with gzip twice"},
	{"\x28\xb5\x2f\xfd", "a file compressed with zstd twice"},
	{"\xff\xfe", "text in UTF-16"},
	{"\xfe\xff", "text in UTF-16"},
}

// headBytes is how many leading bytes of a stream decide its format.
const headBytes = 4096

// OtherFormat names the format of a text that is certainly not NDJSON, as in "a JSON array"; it returns "" for a text
// that may be NDJSON with bad lines.
func OtherFormat(text []byte) string {
	format, _ := otherFormat(text, true)
	return format
}

// otherFormat is OtherFormat for a stream that begins with head; ended means that the stream ends there. more means
// that the answer needs more of the stream. A given answer holds for every continuation. It is conservative: if the
// first line is an object, or an object follows it, the text counts as lines.
func otherFormat(head []byte, ended bool) (format string, more bool) {
	if len(head) >= headBytes {
		head, ended = head[:headBytes], true
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.head)) {
			return m.name, false
		}
		if !ended && bytes.HasPrefix([]byte(m.head), head) {
			return "", true
		}
	}
	if len(head) < 4 && !ended {
		return "", true
	}
	if len(head) >= 4 && (head[0] == 0 && head[1] != 0 && head[2] == 0 || head[1] == 0 && head[0] != 0 && head[3] == 0) {
		return "text in UTF-16", false
	}
	text := bytes.TrimLeft(trimMark(head), " \t\r\n")
	first, rest, lineEnds := bytes.Cut(text, []byte{'\n'})
	if len(text) == 0 || !lineEnds && !ended {
		return "", !ended
	}
	next := bytes.TrimLeft(rest, " \t\r\n")
	unknown := len(next) == 0 && !ended
	object := len(next) > 0 && next[0] == '{'
	switch {
	case text[0] == '{':
		if !mayGoOn(first) {
			return "", false
		}
		if len(next) > 0 && goesOn(first, next[0]) {
			return "one JSON document over several lines", false
		}
		return "", unknown
	case text[0] == '[':
		if !whole(first) {
			return "a JSON array", false
		}
		if unknown || object {
			return "", unknown
		}
		return "a JSON array", false
	case unknown || object:
		return "", unknown // not an event, but the next line may be one
	case text[0] == '<':
		return "XML or HTML", false
	case controls(first):
		return "a binary file", false
	case isTable(first):
		return "a table, such as CSV", false
	}
	return "", false
}

// mayGoOn reports whether the answer of goesOn depends on the next character.
func mayGoOn(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r")
	return bytes.IndexByte([]byte("{[:,"), line[len(line)-1]) >= 0
}

// whole reports whether a line is a complete JSON value.
func whole(line []byte) bool {
	var s jsonscan.Scanner
	s.Reset(line, new(jsonscan.Arena))
	s.Value()
	return s.End() == nil
}

// goesOn reports whether an object that begins on a line continues on the next, which begins with c. After a line
// that was truncated, another event follows.
func goesOn(line []byte, c byte) bool {
	line = bytes.TrimRight(line, " \t\r")
	switch line[len(line)-1] {
	case '{':
		return c == '"' || c == '}'
	case '[', ':':
		return true
	case ',':
		return c == '"' && !whole(line[:len(line)-1])
	}
	return false
}

// controls reports whether bytes are binary: they have control characters that text does not contain.
func controls(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			return true
		}
	}
	return false
}

// isTable reports whether a line looks like the header of a table: two or more separated fields, of which the first
// is a word.
func isTable(line []byte) bool {
	line = bytes.TrimRight(line, "\r")
	if whole(line) {
		return false
	}
	c := line[0]
	if word := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '"' || c == '_' || '0' <= c && c <= '9' || c >= 0x80; !word {
		return false
	}
	for _, separator := range []byte{',', ';', '\t', '|'} {
		if bytes.IndexByte(line, separator) > 0 {
			return true
		}
	}
	return false
}

func notNDJSON(name, format string) error {
	return fmt.Errorf("read %s: %w: this looks like %s; want a JSON object on each line, in UTF-8, plain or compressed with gzip or zstd. Nothing of it was taken",
		name, ErrNotNDJSON, format)
}
