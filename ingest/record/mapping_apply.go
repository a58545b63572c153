package record

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// picker reads the values at a mapping's paths in one pass over a record.
type picker struct {
	mapping *Mapping
	root    *pick
	scan    jsonscan.Scanner
	arena   jsonscan.Arena // of unescaped keys
	values  []jsonscan.Value
	event   []byte // under construction; reused
}

// pick is one key of the paths, which form a tree.
type pick struct {
	key      string
	slots    []int // of the fields whose path ends here
	children []*pick
}

func newPicker(m *Mapping) picker {
	p := picker{mapping: m, root: &pick{}, values: make([]jsonscan.Value, len(m.fields))}
	for i, f := range m.fields {
		if f.From == "" {
			continue
		}
		n := p.root
		if f.From != whole {
			for key := range strings.SplitSeq(f.From, ".") {
				n = n.add(key)
			}
		}
		n.slots = append(n.slots, i)
	}
	return p
}

func (n *pick) add(key string) *pick {
	if c := n.child([]byte(key)); c != nil {
		return c
	}
	c := &pick{key: key}
	n.children = append(n.children, c)
	return c
}

func (n *pick) child(key []byte) *pick {
	for _, c := range n.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

// mapAll maps a record to an event, or each of its elements if it is a list.
func (d *Decoder) mapAll(text []byte, batch *segment.Batch) error {
	var s jsonscan.Scanner
	s.Reset(text, &d.pick.arena)
	if s.Peek() != jsonscan.Array {
		return d.mapOne(text, batch)
	}
	s.Array()
	for s.More() {
		element := s.Balanced()
		if s.Err() != nil {
			break
		}
		if err := d.mapOne(element, batch); err != nil {
			return err
		}
	}
	if err := s.End(); err != nil {
		return notJSON(err)
	}
	return nil
}

// mapOne maps one object to an event, in two steps: read picks the values that the mapping names, each a piece of the
// text, in one scan; append then writes the event in the order of the mapping. The event is copied into the arena of
// the batch, as the buffer serves the next record.
func (d *Decoder) mapOne(text []byte, batch *segment.Batch) error {
	p := &d.pick
	p.arena.Reset()
	clear(p.values)
	p.scan.Reset(text, &p.arena)
	kind := p.scan.Peek()
	p.read(p.root)
	if err := p.scan.End(); err != nil {
		return notJSON(err)
	}
	if kind != jsonscan.Object {
		return &segment.Rejection{
			Code:    segment.CodeBadType,
			Message: fmt.Sprintf("the record is %s, want an object", kind),
			Hint:    "a mapping takes fields of an object",
		}
	}
	var err error
	if p.event, _, err = p.append(p.event[:0], p.mapping.root, ""); err != nil {
		return err
	}
	batch.Events = append(batch.Events, d.arena.Keep(append(d.arena.Reserve(len(p.event)), p.event...)))
	return nil
}

// notJSON rejects a record whose text the scanner refused.
func notJSON(err error) *segment.Rejection {
	return &segment.Rejection{
		Code:    segment.CodeInvalidJSON,
		Message: err.Error(),
		Hint:    "send one complete JSON object, or a list of them, per record",
	}
}

// read reads the next value, which is at node n of the paths.
func (p *picker) read(n *pick) {
	s := &p.scan
	v := jsonscan.Value{Kind: s.Peek()}
	start := s.Pos()
	switch {
	case len(n.children) == 0:
		v = s.Value()
	case s.Object():
		for s.Next() {
			if c := n.child(s.Key()); c != nil {
				p.read(c)
			} else {
				s.Value()
			}
		}
		v.Raw = s.Since(start)
	case s.Array():
		var index [20]byte
		for i := int64(0); s.More(); i++ {
			if c := n.child(strconv.AppendInt(index[:0], i, 10)); c != nil {
				p.read(c)
			} else {
				s.Value()
			}
		}
		v.Raw = s.Since(start)
	default:
		v = s.Value()
	}
	for _, slot := range n.slots {
		p.values[slot] = v
	}
}

// append appends the value of a target, and reports whether there is one.
func (p *picker) append(dst []byte, t *target, path string) ([]byte, bool, error) {
	var v jsonscan.Value
	if t.slot >= 0 {
		v = p.values[t.slot]
	}
	if len(t.children) == 0 {
		switch {
		case t.value != "":
			return append(dst, t.value...), true, nil
		case v.Kind == jsonscan.None:
			return dst, false, nil
		}
		return appendIn(dst, v, t.unit), true, nil
	}
	if v.Kind > jsonscan.Null && v.Kind != jsonscan.Object {
		return dst, false, &segment.Rejection{
			Code:    segment.CodeBadType,
			Field:   path,
			Message: fmt.Sprintf("is made of %s, want an object, as fields are added to it", v.Kind),
			Hint:    "correct the mapping",
		}
	}
	start := len(dst)
	dst = append(dst, '{')
	if v.Kind == jsonscan.Object {
		dst = p.appendMembers(dst, v.Raw, t)
	}
	for _, c := range t.children {
		before := len(dst)
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendVerbatim(dst, c.key), ':')
		var some bool
		var err error
		if dst, some, err = p.append(dst, c, strings.TrimPrefix(path+"."+c.key, ".")); err != nil {
			return dst, false, err
		}
		if !some {
			dst = dst[:before]
		}
	}
	if len(dst) == start+1 && t != p.mapping.root && v.Kind != jsonscan.Object {
		return dst[:start], false, nil
	}
	return append(dst, '}'), true, nil
}

// appendMembers appends the members of an object except those that t's children supply.
func (p *picker) appendMembers(dst, object []byte, t *target) []byte {
	var s jsonscan.Scanner
	s.Reset(object, &p.arena)
	s.Object()
	for s.Next() {
		key := s.Key()
		value := s.Value()
		if t.find(key) != nil {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendVerbatim(dst, key), ':')
		dst = append(dst, value.Raw...)
	}
	return dst
}

// appendIn appends a value; it converts a number in a unit, or the text of one, to milliseconds. It leaves any other
// value unchanged, for the event's decoder to judge.
func appendIn(dst []byte, v jsonscan.Value, unit timeUnit) []byte {
	text := v.Raw
	if v.Kind == jsonscan.String && !v.Escaped {
		text = v.Inside()
	}
	if unit == unitNone || v.Kind != jsonscan.Number && v.Kind != jsonscan.String {
		return append(dst, v.Raw...)
	}
	ms, ok := milliseconds(string(text), unit)
	if !ok {
		return append(dst, v.Raw...)
	}
	return strconv.AppendInt(dst, ms, 10)
}

// milliseconds converts a number in a unit, with or without a fraction, and rounds down.
func milliseconds(text string, unit timeUnit) (int64, bool) {
	times, by := int64(1), int64(1)
	switch unit {
	case unitSeconds:
		times = 1000
	case unitMicroseconds:
		by = 1000
	case unitNanoseconds:
		by = 1_000_000
	case unitNone, unitMilliseconds:
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > math.MaxInt64/times || n < math.MinInt64/times {
			return 0, false
		}
		n *= times
		ms := n / by
		if n%by < 0 {
			ms--
		}
		return ms, true
	}
	f, err := strconv.ParseFloat(text, 64)
	f = math.Floor(f * float64(times) / float64(by))
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}
