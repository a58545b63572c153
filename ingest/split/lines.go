package split

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/kindred-id/kindred/ingest/segment"
)

// Lines reads records of one line each, in a format that is not JSON: append makes JSON of a line. Empty lines are no records.
type Lines struct {
	in           *bufio.Reader
	max          int
	append       func(dst, line []byte) ([]byte, error)
	line, number int64
	raw, text    []byte // of the current record; reused
}

// NewLines reads the lines of in. A line has at most max bytes.
func NewLines(in io.Reader, max int, append func(dst, line []byte) ([]byte, error)) *Lines {
	return &Lines{in: bufio.NewReaderSize(in, headerMax), max: max, append: append}
}

// Next returns the next record.
func (l *Lines) Next() (Record, error) {
	for {
		long, err := l.read()
		if err != nil {
			return Record{}, err
		}
		if l.line++; !long && len(l.raw) == 0 {
			continue
		}
		l.number++
		r := Record{Line: l.line, Number: l.number}
		if long {
			r.Problem = segment.TooLarge(l.max)
			return r, nil
		}
		if l.text, err = l.append(l.text[:0], l.raw); err != nil {
			r.Problem = &segment.Rejection{Code: segment.CodeUndecodable, Message: err.Error(), Hint: "see that the file is the one that the mapping is for"}
		}
		r.Text = l.text
		return r, nil
	}
}

// read reads a line, without its end. It reports whether the line was too long; then the rest of it is dropped.
func (l *Lines) read() (long bool, err error) {
	l.raw = l.raw[:0]
	for {
		part, err := l.in.ReadSlice('\n')
		if len(l.raw)+len(part) > l.max+len("\r\n") {
			long, l.raw = true, l.raw[:0]
		} else if !long {
			l.raw = append(l.raw, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (long || len(l.raw) > 0), err == nil:
			l.raw = bytes.TrimSuffix(bytes.TrimSuffix(l.raw, []byte{'\n'}), []byte{'\r'})
			return long || len(l.raw) > l.max, nil
		default:
			return false, err
		}
	}
}
