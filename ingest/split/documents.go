package split

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/kindred-id/kindred/ingest/segment"
)

// Documents reads JSON documents, one after the other. A list is one record an element; an object with a list of records
// at one of the keys likewise; any other object is one record.
//
//	[{…}, {…}]    {"batch": [{…}, {…}], "sentAt": …}    {…} {…}
//
// An element ends where its brackets close, so what is wrong inside it is its own matter (S2). Members of a document
// beside its list are not read.
type Documents struct {
	in     *bufio.Reader
	keys   []string
	max    int
	line   int64
	number int64
	within within
	first  bool   // no element of the list was read yet
	text   []byte // of the current record; reused
	large  bool   // the current record has more than max bytes, and text is not all of it
}

// within is where in a document the reader is.
type within uint8

const (
	betweenDocuments within = iota
	inList                  // a document that is a list
	inMember                // a list in a document
)

// NewDocuments reads documents of in. Lists of records are at keys. A record has at most max bytes.
func NewDocuments(in io.Reader, max int, keys ...string) *Documents {
	return &Documents{in: bufio.NewReaderSize(in, 64<<10), keys: keys, max: max, line: 1}
}

// Holds reports whether the document that begins with head has a list at one of keys.
func Holds(head []byte, keys ...string) bool {
	d := NewDocuments(bytes.NewReader(head), len(head), keys...)
	list, err := d.value()
	return err == nil && list
}

// Next returns the next record.
func (d *Documents) Next() (Record, error) {
	for {
		c, err := d.skipSpace()
		switch {
		case errors.Is(err, io.EOF) && d.within == betweenDocuments:
			return Record{}, io.EOF
		case err != nil:
			return Record{}, d.cut(err)
		case d.within != betweenDocuments && c == ']':
			if err := d.leave(); err != nil {
				return Record{}, d.cut(err)
			}
			continue
		case d.within != betweenDocuments:
			if err := d.separator(c); err != nil {
				return Record{}, err
			}
		case c == '[':
			d.within, d.first = inList, true
			continue
		case c != '{':
			return Record{}, fmt.Errorf("%s: not JSON: want an object or a list of them, got %q", place(d.line, d.number+1), c)
		default:
			_ = d.in.UnreadByte() // it was just read
		}
		line := d.line
		list, err := d.value()
		if err != nil {
			return Record{}, d.cut(err)
		}
		if list {
			d.within, d.first = inMember, true
			continue
		}
		d.number++
		r := Record{Text: d.text, Line: line, Number: d.number}
		if d.large {
			r.Text, r.Problem = nil, segment.TooLarge(d.max)
		}
		return r, nil
	}
}

// cut says where a document broke off.
func (d *Documents) cut(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("broken off after %s: %w", place(d.line, d.number), err)
}

// leave ends a list: in a document, also what follows the list in it.
func (d *Documents) leave() error {
	if d.within == inMember {
		d.text, d.large = d.text[:0], true // what follows is dropped
		if _, err := d.rest('{'); err != nil {
			return err
		}
	}
	d.within = betweenDocuments
	return nil
}

// separator steps over the comma before an element; c is the first byte after the last element, or of the first one.
func (d *Documents) separator(c byte) error {
	if d.first {
		d.first = false
		return d.in.UnreadByte()
	}
	if c != ',' {
		return fmt.Errorf("not JSON after %s: want , or ], got %q", place(d.line, d.number), c)
	}
	c, err := d.skipSpace()
	if err != nil {
		return d.cut(err)
	}
	if c == ']' || c == ',' {
		return fmt.Errorf("not JSON after %s: want a record after the comma, got %q", place(d.line, d.number), c)
	}
	return d.in.UnreadByte()
}

// skipSpace returns the first byte that is no white space.
func (d *Documents) skipSpace() (byte, error) {
	for {
		c, err := d.in.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case c == '\n':
			d.line++
		case c != ' ' && c != '\t' && c != '\r':
			return c, nil
		}
	}
}

// add appends a byte to the record, as long as it is not too large.
func (d *Documents) add(c byte) {
	if len(d.text) >= d.max {
		d.large = true
		return
	}
	d.text = append(d.text, c)
}

// value reads the next value into text. list means that it is a document, that its list of records has just begun, and
// that text is not needed.
func (d *Documents) value() (list bool, err error) {
	d.text, d.large = d.text[:0], false
	c, err := d.in.ReadByte()
	if err != nil {
		return false, err
	}
	d.add(c)
	switch c {
	case '{', '[':
		return d.rest(c)
	case '"':
		return false, d.str(nil)
	}
	for { // a number, a literal, or no JSON at all
		c, err := d.in.ReadByte()
		if err != nil {
			return false, err
		}
		if c == ',' || c == ']' || c == '}' || c <= ' ' {
			return false, d.in.UnreadByte()
		}
		d.add(c)
	}
}

// keyMax bounds a key that is compared with those of lists.
const keyMax = 256

// rest reads what follows the opening bracket of a value, up to the bracket that closes it.
func (d *Documents) rest(opening byte) (list bool, err error) {
	document := opening == '{' && d.within == betweenDocuments
	var key []byte // the last text at depth 1
	depth, named := 1, false
	for depth > 0 {
		c, err := d.in.ReadByte()
		if err != nil {
			return false, err
		}
		d.add(c)
		switch c {
		case '\n':
			d.line++
			continue
		case ' ', '\t', '\r':
			continue
		case '"':
			if document && depth == 1 && !named {
				key = key[:0]
				err = d.str(&key)
			} else {
				err = d.str(nil)
			}
			if err != nil {
				return false, err
			}
			continue
		case '[', '{':
			if c == '[' && document && depth == 1 && named && slices.Contains(d.keys, string(key)) {
				return true, nil
			}
			depth++
		case ']', '}':
			depth--
		case ',':
			named = named && depth > 1
		case ':':
			named = named || depth == 1
		}
	}
	return false, nil
}

// str reads the rest of a string, and keeps what is inside it in key, if that is given.
func (d *Documents) str(key *[]byte) error {
	for {
		c, err := d.in.ReadByte()
		if err != nil {
			return err
		}
		d.add(c)
		switch c {
		case '"':
			return nil
		case '\n':
			d.line++
		case '\\':
			if c, err = d.in.ReadByte(); err != nil {
				return err
			}
			d.add(c)
		}
		if key != nil && len(*key) < keyMax {
			*key = append(*key, c)
		}
	}
}
