package file

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/ingest/split"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// utf8Mark is the byte-order mark that editors and spreadsheets put before UTF-8.
const utf8Mark = "\xef\xbb\xbf"

// trimMark returns text without a leading byte-order mark.
func trimMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte(utf8Mark)) }

// ErrNotNDJSON is in the error of a Reader whose stream as a whole has a format that it can't read.
var ErrNotNDJSON = errors.New("not NDJSON")

// Formats that a Reader reads, the last two with a mapping.
const (
	formatArray    = "a JSON array"
	formatDocument = "one JSON document over several lines"
	formatBatch    = "a JSON document with a list of events"
	formatTable    = "a table, such as CSV"
	formatParquet  = "a Parquet file"
)

// Remedies for files in other formats.
const (
	giveMap    = "give --map NAME or FILE, with the event that its columns become; kindred map guess proposes one"
	toUTF8     = "convert it to UTF-8, as with iconv -f UTF-16 -t UTF-8"
	decompress = "decompress it first"
	exportNew  = "export it as NDJSON, CSV or Parquet"
)

// magics are the first bytes of files in other formats that hold events or tables.
var magics = []struct{ head, name, remedy string }{
	{"PAR1", formatParquet, giveMap},
	{"Obj\x01", "an Avro file", exportNew},
	{"ORC", "an ORC file", exportNew},
	{"ARROW1", "an Arrow file", exportNew},
	{"PK\x03\x04", "a zip archive (or an Excel sheet)", "unzip it, or save the sheet as CSV in UTF-8"},
	{"PK\x05\x06", "a zip archive", "unzip it"},
	{"\xd0\xcf\x11\xe0", "an old Excel sheet", "save the sheet as CSV in UTF-8"},
	{"BZh", "a file compressed with bzip2", decompress},
	{"\xfd7zXZ\x00", "a file compressed with xz", decompress},
	{"\x04\x22\x4d\x18", "a file compressed with lz4", decompress},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", decompress},
	{"SQLite format 3\x00", "an SQLite database", exportNew},
	{"%PDF-", "a PDF document", exportNew},
	{"\x1f\x8b", "a file compressed with gzip twice", decompress},
	{"\x28\xb5\x2f\xfd", "a file compressed with zstd twice", decompress},
	{"\xff\xfe\x00\x00", formatUTF32, "convert it to UTF-8, as with iconv -f UTF-32 -t UTF-8"},
	{"\x00\x00\xfe\xff", formatUTF32, "convert it to UTF-8, as with iconv -f UTF-32 -t UTF-8"},
	{"\xff\xfe", formatUTF16, toUTF8},
	{"\xfe\xff", formatUTF16, toUTF8},
}

const (
	formatUTF16  = "text in UTF-16"
	formatUTF32  = "text in UTF-32"
	formatTar    = "a tar archive"
	formatXML    = "XML or HTML"
	formatBinary = "a binary file"
)

// remedyOf returns what to do about a file in a format.
func remedyOf(format string) string {
	for _, m := range magics {
		if m.name == format {
			return m.remedy
		}
	}
	switch format {
	case formatTable:
		return giveMap
	case formatXML:
		return "see that it is the export, and not a page with an error; " + exportNew
	case formatTar:
		return "unpack it, and give the files in it"
	}
	return exportNew
}

// batchKey is where a document has its events, unless a mapping says otherwise.
const batchKey = "batch"

// headBytes is how many leading bytes of a stream decide its format.
const headBytes = 4096

// OtherFormat names the format of a text that is certainly not NDJSON, as in "a JSON array"; it returns "" for a text
// that may be NDJSON with bad lines.
func OtherFormat(text []byte) string {
	format, _ := otherFormat(text, true, batchKey)
	return format
}

// otherFormat is OtherFormat for a stream that begins with head; ended means that the stream ends there. more means
// that the answer needs more of the stream. A given answer holds for every continuation. It is conservative: if the
// first line is an object, or an object follows it, the text counts as lines. An object with a list at one of keys is a
// document with events, however many lines it has.
func otherFormat(head []byte, ended bool, keys ...string) (format string, more bool) {
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
		return formatUTF16, false
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
		if split.Holds(first, keys...) {
			return formatBatch, false
		}
		if !mayGoOn(first) {
			return "", false
		}
		if len(next) > 0 && goesOn(first, next[0]) {
			return formatDocument, false
		}
		return "", unknown
	case text[0] == '[':
		if !whole(first) {
			return formatArray, false
		}
		if unknown || object {
			return "", unknown
		}
		return formatArray, false
	case isTar(first):
		return formatTar, false
	case unknown || object:
		return "", unknown // not an event, but the next line may be one
	case text[0] == '<':
		return formatXML, false
	case controls(first):
		return formatBinary, false
	case isTable(first):
		return formatTable, false
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

// isTar reports whether a line begins with the header of a tar archive. That has no line break, and is followed by the
// first file, whose events would otherwise be taken, and its first line lost with the header.
func isTar(line []byte) bool {
	const magic = 257 // POSIX.1: ustar, after the name, rights, size, time, checksum and link
	return len(line) > magic && bytes.HasPrefix(line[magic:], []byte("ustar"))
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
	return fmt.Errorf("read %s: %w: this looks like %s: %s. Nothing of it was taken", name, ErrNotNDJSON, format, remedyOf(format))
}
