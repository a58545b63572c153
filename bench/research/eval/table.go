package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// table reads a CSV with a header, by the names of its columns.
type table struct {
	name   string
	reader *csv.Reader
	column map[string]int
	cells  []string
	err    error
}

func newTable(name string, r io.Reader, columns ...string) (*table, error) {
	t := &table{name: name, reader: csv.NewReader(r), column: map[string]int{}}
	t.reader.ReuseRecord = true
	header, err := t.reader.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: read the header: %w", name, err)
	}
	for i, c := range header {
		t.column[c] = i
	}
	for _, c := range columns {
		if _, ok := t.column[c]; !ok {
			return nil, fmt.Errorf("%s: there is no column %s in the header; it needs %v", name, c, columns)
		}
	}
	return t, nil
}

// next goes to the next line. After the last, and after an error, it returns false.
func (t *table) next() bool {
	if t.err != nil {
		return false
	}
	t.cells, t.err = t.reader.Read()
	if errors.Is(t.err, io.EOF) {
		t.err = nil
		return false
	}
	return t.err == nil
}

func (t *table) text(column string) string { return t.cells[t.column[column]] }

func (t *table) number(column string) float64 {
	v, err := strconv.ParseFloat(t.text(column), 64)
	if err != nil && t.err == nil {
		line, _ := t.reader.FieldPos(0)
		t.err = fmt.Errorf("%s, line %d: %s is %q, which is no number", t.name, line, column, t.text(column))
	}
	return v
}
