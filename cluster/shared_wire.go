package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/storage"
)

// A change on its way to the owner is its operations and the rows that it rests on:
//
//	count, length, operations │ rows │ key, 0 │ key, 1, value │ …
//
// Numbers are varints, and strings have their length before them. The answer is a byte, and what it needs:
//
//	0 offset │ 1 conflict │ 2 decided elsewhere │ 3 reason
const (
	answerMade = iota
	answerConflict
	answerElsewhere
	answerRefused
)

func appendChange(b []byte, c *control.Change) []byte {
	ops, count := c.Batch.Ops()
	b = appendText(binary.AppendUvarint(b, uint64(count)), ops)
	b = binary.AppendUvarint(b, uint64(len(c.Was)))
	for _, key := range slices.Sorted(maps.Keys(c.Was)) {
		value := c.Was[key]
		if b = appendText(b, []byte(key)); value == nil {
			b = append(b, 0)
			continue
		}
		b = appendText(append(b, 1), value)
	}
	return b
}

func appendText(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

var errChange = errors.New("cluster: a change of another node can't be read")

func parseChange(b []byte) (*control.Change, error) {
	in := changeReader{b: b}
	count := in.number()
	ops := in.text()
	rows := in.number()
	was := control.Rows{}
	for range min(rows, uint64(len(b))) {
		key := string(in.text())
		switch in.number() {
		case 0:
			was[key] = nil
		case 1:
			was[key] = append([]byte{}, in.text()...)
		default:
			in.bad = true
		}
	}
	if in.bad || len(in.b) > 0 || count > 1<<32-1 {
		return nil, errChange
	}
	batch, err := storage.BatchOf(ops, uint32(count))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errChange, err)
	}
	return &control.Change{Was: was, Batch: batch}, nil
}

// changeReader reads until something does not fit.
type changeReader struct {
	b   []byte
	bad bool
}

func (in *changeReader) number() uint64 {
	v, n := binary.Uvarint(in.b)
	if in.bad || n <= 0 {
		in.bad = true
		return 0
	}
	in.b = in.b[n:]
	return v
}

func (in *changeReader) text() []byte {
	n := in.number()
	if in.bad || n > uint64(len(in.b)) {
		in.bad = true
		return nil
	}
	text := in.b[:n]
	in.b = in.b[n:]
	return text
}

func appendAnswer(next int64, err error) []byte {
	switch {
	case err == nil:
		return binary.AppendUvarint([]byte{answerMade}, uint64(next))
	case errors.Is(err, catalog.ErrConflict):
		return []byte{answerConflict}
	case errors.Is(err, errElsewhere):
		return []byte{answerElsewhere}
	}
	return append([]byte{answerRefused}, err.Error()...)
}

func parseAnswer(b []byte) (next int64, err error) {
	if len(b) == 0 {
		return 0, errElsewhere
	}
	switch b[0] {
	case answerMade:
		v, n := binary.Uvarint(b[1:])
		if n <= 0 {
			return 0, errChange
		}
		return int64(v), nil
	case answerConflict:
		return 0, catalog.ErrConflict
	case answerElsewhere:
		return 0, errElsewhere
	case answerRefused:
		return 0, errors.New(string(b[1:]))
	}
	return 0, errChange
}
