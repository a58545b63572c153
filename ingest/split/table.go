package split

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// Table reads CSV with a header: a row is an object of the columns' names and the cells' texts, without empty cells. The
// header shows the delimiter: comma, semicolon, tab or bar.
type Table struct {
	csv     *csv.Reader
	in      *allowance
	max     int
	columns [][]byte // names as JSON, with the colon after them
	names   []string
	number  int64
	text    []byte // of the current record; reused
}

// delimiters are those that a header may show.
const delimiters = ",;\t|"

// headerMax bounds the line from which the delimiter is found.
const headerMax = 64 << 10

// NewTable reads a table of in. A row has at most max bytes.
func NewTable(in io.Reader, max int) (*Table, error) {
	head := bufio.NewReaderSize(in, headerMax)
	t := &Table{in: &allowance{from: head}, max: max}
	t.csv = csv.NewReader(t.in)
	t.csv.FieldsPerRecord, t.csv.ReuseRecord = -1, true
	line, err := head.Peek(headerMax)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	if mark := head.Buffered() - len(line); mark > 0 {
		_, _ = head.Discard(mark) // it is in the buffer
	}
	line, _, _ = bytes.Cut(bytes.TrimLeft(line, "\r\n"), []byte{'\n'})
	t.csv.Comma = delimiterOf(line)
	t.in.left = headerMax + max
	header, err := t.csv.Read()
	if err != nil {
		return nil, fmt.Errorf("header of the table: %w", err)
	}
	t.name(header)
	return t, nil
}

// delimiterOf returns the delimiter that a header has most often, outside of quotation marks.
func delimiterOf(header []byte) rune {
	best, most := ',', 0
	for _, c := range delimiters {
		n, quoted := 0, false
		for _, b := range header {
			if b == '"' {
				quoted = !quoted
			}
			if !quoted && rune(b) == c {
				n++
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	return best
}

// name takes the names of the columns. A name that repeats is numbered, and a column without a name has its place as
// one.
func (t *Table) name(header []string) {
	taken := make(map[string]bool)
	for i, name := range header {
		if name = strings.TrimSpace(name); name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		for n, first := 2, name; taken[name]; n++ {
			name = fmt.Sprintf("%s %d", first, n)
		}
		taken[name] = true
		t.names = append(t.names, name)
		t.columns = append(t.columns, append(jsontext.AppendVerbatim(nil, name), ':'))
	}
}

// Columns returns the names of the columns.
func (t *Table) Columns() []string { return t.names }

// Delimiter returns the character between cells.
func (t *Table) Delimiter() rune { return t.csv.Comma }

// Next returns the next row.
func (t *Table) Next() (Record, error) {
	t.in.left = t.max + headerMax
	t.number++
	cells, err := t.csv.Read()
	var bad *csv.ParseError
	switch {
	case errors.Is(err, errAllowance):
		return Record{}, fmt.Errorf("record %d: more than %d bytes: see that its quotation marks are closed", t.number, t.max)
	case errors.As(err, &bad):
		return Record{Line: int64(bad.StartLine), Number: t.number, Problem: &segment.Rejection{
			Code:    segment.CodeUndecodable,
			Message: fmt.Sprintf("csv: line %d, byte %d: %v", bad.Line, bad.Column, bad.Err),
			Hint:    `write a quotation mark within a cell as "", and quote the cell`,
		}}, nil
	case err != nil:
		t.number--
		return Record{}, err
	}
	line, _ := t.csv.FieldPos(0)
	r := Record{Line: int64(line), Number: t.number}
	if len(cells) != len(t.columns) {
		r.Problem = &segment.Rejection{
			Code:    segment.CodeUndecodable,
			Message: fmt.Sprintf("csv: has %d cells, and the header has %d columns", len(cells), len(t.columns)),
			Hint:    "see that cells with the delimiter in them are quoted",
		}
		return r, nil
	}
	t.text = append(t.text[:0], '{')
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		if len(t.text) > 1 {
			t.text = append(t.text, ',')
		}
		t.text = jsontext.AppendVerbatim(append(t.text, t.columns[i]...), cell)
	}
	r.Text = append(t.text, '}')
	t.text = r.Text
	return r, nil
}

// errAllowance ends a read after the allowance.
var errAllowance = errors.New("too many bytes")

// allowance bounds the bytes that a record may take: the reader of CSV itself has no bound, and would read a file to its
// end for a quotation mark that is not closed (S1).
type allowance struct {
	from *bufio.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errAllowance
	}
	n, err := a.from.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}
