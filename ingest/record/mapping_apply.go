package record

import (
	"fmt"
	"strings"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// picker makes the events of a record. It reads the values at a mapping's paths in one pass over the record, and in one
// more over each element that has an event of its own.
type picker struct {
	mapping *Mapping
	prepare *preparer // nil if records are read as they are
	record  scope
	events  []*eventPicker
	arena   jsonscan.Arena // of unescaped keys and texts
	event   []byte         // under construction; reused
	used    *Usage         // nil if nobody asks for it
}

// eventPicker is one event of the mapping, with the places of its values.
type eventPicker struct {
	mapping *eventMapping
	when    []picked
	fields  []fieldPicker
	list    walk  // of each
	element scope // with each, what paths begin at
}

// fieldPicker is one line of an event, with the places of its values.
type fieldPicker struct {
	from, when []picked
	sum        walk
}

// picked is the place of a value: a slot of a scope.
type picked struct {
	scope *scope
	slot  int
}

func (at picked) value() jsonscan.Value { return at.scope.values[at.slot] }

// walk is a path through lists: it begins at a picked value.
type walk struct {
	picked
	keys []string
}

// newPicker resolves the paths of a mapping to slots.
func newPicker(m *Mapping) *picker {
	p := &picker{mapping: m}
	p.prepare = newPreparer(&m.read, &p.arena)
	for i := range m.events {
		p.events = append(p.events, p.newEvent(&m.events[i]))
	}
	return p
}

func (p *picker) newEvent(m *eventMapping) *eventPicker {
	e := &eventPicker{mapping: m, fields: make([]fieldPicker, len(m.fields))}
	at := &p.record
	if m.each != "" {
		e.list = p.walk(&p.record, m.each)
		at = &e.element
	}
	place := func(path string) picked {
		if below, ok := strings.CutPrefix(path, fromRecord); ok {
			return p.record.add(below)
		}
		return at.add(path)
	}
	conditions := func(list []condition) (all []picked) {
		for _, c := range list {
			all = append(all, place(c.path))
		}
		return all
	}
	e.when = conditions(m.when)
	for i := range m.fields {
		f, to := &m.fields[i], &e.fields[i]
		to.when = conditions(f.When)
		for _, path := range f.From {
			to.from = append(to.from, place(path))
		}
		if below, ok := strings.CutPrefix(f.Sum, fromRecord); ok {
			to.sum = p.walk(&p.record, below)
		} else if f.Sum != "" {
			to.sum = p.walk(at, f.Sum)
		}
	}
	return e
}

// walk returns a path that picks the value of its first key; its other keys are walked, as lists may be on their way.
func (p *picker) walk(s *scope, path string) walk {
	first, rest, more := strings.Cut(path, ".")
	w := walk{picked: s.add(first)}
	if more {
		w.keys = strings.Split(rest, ".")
	}
	return w
}

// mapAll maps a record to events, or each of its elements if it is a list, or if it is a document with a list of them.
func (d *Decoder) mapAll(text []byte, batch *segment.Batch) error {
	var s jsonscan.Scanner
	s.Reset(text, &d.pick.arena)
	if key := d.Mapping.Records(); key != "" && s.Peek() == jsonscan.Object {
		if list := recordsOf(text, key, &d.pick.arena); list != nil {
			text = list
			s.Reset(text, &d.pick.arena)
		}
	}
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

// recordsOf returns the list at a key of an object; nil if there is none, or if the object can't be read.
func recordsOf(object []byte, key string, arena *jsonscan.Arena) (list []byte) {
	var s jsonscan.Scanner
	s.Reset(object, arena)
	for s.Object(); s.Next(); {
		here := string(s.Key()) == key
		if v := s.Value(); here && v.Kind == jsonscan.Array {
			list = v.Raw
		}
	}
	if s.End() != nil {
		return nil
	}
	return list
}

// mapOne maps one object to events, in two steps: read picks the values that the mapping names, each a piece of the
// text, in one scan; append then writes each event in the order of the mapping. An event is copied into the arena of
// the batch, as the buffer serves the next one.
func (d *Decoder) mapOne(text []byte, batch *segment.Batch) error {
	p := d.pick
	p.arena.Reset()
	if p.prepare != nil {
		text = p.prepare.prepare(text)
	}
	kind, err := p.record.read(text, &p.arena)
	if err != nil {
		return err
	}
	if kind != jsonscan.Object {
		return &segment.Rejection{
			Code:    segment.CodeBadType,
			Message: fmt.Sprintf("the record is %s, want an object", kind),
			Hint:    "a mapping takes fields of an object",
		}
	}
	before := len(batch.Events)
	for i, e := range p.events {
		if e.mapping.each == "" {
			err = d.mapEvent(i, e, batch)
		} else {
			err = p.each(e.list.value(), e.list.keys, func(element jsonscan.Value) error {
				if _, err := e.element.read(element.Raw, &p.arena); err != nil {
					return err
				}
				return d.mapEvent(i, e, batch)
			})
		}
		if err != nil {
			return err
		}
	}
	if p.used != nil {
		p.used.record(len(batch.Events) - before)
	}
	return nil
}

// mapEvent adds an event of the record that is read, if its conditions hold.
func (d *Decoder) mapEvent(number int, e *eventPicker, batch *segment.Batch) (err error) {
	p := d.pick
	if !p.holds(e.mapping.when, e.when) {
		return nil
	}
	if p.used != nil {
		p.used.event(number, e)
	}
	if p.event, _, err = p.append(p.event[:0], e, e.mapping.root, ""); err != nil {
		return err
	}
	batch.Events = append(batch.Events, d.arena.Keep(append(d.arena.Reserve(len(p.event)), p.event...)))
	return nil
}

// holds reports whether all conditions hold.
func (p *picker) holds(conditions []condition, at []picked) bool {
	for i := range conditions {
		v := at[i].value()
		if !conditions[i].holds(v, p.text(v)) {
			return false
		}
	}
	return true
}

// each calls f for every value at a path that leads through lists.
func (p *picker) each(v jsonscan.Value, keys []string, f func(jsonscan.Value) error) error {
	var s jsonscan.Scanner
	s.Reset(v.Raw, &p.arena)
	switch {
	case v.Kind == jsonscan.Array:
		for s.Array(); s.More(); {
			if err := p.each(s.Value(), keys, f); err != nil {
				return err
			}
		}
		return nil
	case v.Kind <= jsonscan.Null:
		return nil
	case len(keys) == 0:
		return f(v)
	case v.Kind != jsonscan.Object:
		return nil
	}
	var found jsonscan.Value
	for s.Object(); s.Next(); {
		here := string(s.Key()) == keys[0]
		if inner := s.Value(); here {
			found = inner
		}
	}
	return p.each(found, keys[1:], f)
}

// append appends the value of a target, and reports whether there is one.
func (p *picker) append(dst []byte, e *eventPicker, t *target, path string) ([]byte, bool, error) {
	if len(t.children) == 0 {
		dst, some := p.appendField(dst, e, t)
		return dst, some, nil
	}
	var v jsonscan.Value
	if t.field != nil && p.holds(t.field.When, e.fields[t.index].when) {
		v = first(e.fields[t.index].from)
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
		dst = append(jsontext.AppendVerbatim(comma(dst, '{'), c.key), ':')
		var some bool
		var err error
		if dst, some, err = p.append(dst, e, c, strings.TrimPrefix(path+"."+c.key, ".")); err != nil {
			return dst, false, err
		}
		if !some {
			dst = dst[:before]
		}
	}
	if len(dst) == start+1 && path != "" && v.Kind != jsonscan.Object {
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
		dst = append(jsontext.AppendVerbatim(comma(dst, '{'), key), ':')
		dst = append(dst, value.Raw...)
	}
	return dst
}

// appendField appends the value of a target without children.
func (p *picker) appendField(dst []byte, e *eventPicker, t *target) ([]byte, bool) {
	f, at := t.field, &e.fields[t.index]
	if !p.holds(f.When, at.when) {
		return dst, false
	}
	if f.Value != "" {
		return append(dst, f.Value...), true
	}
	if f.Sum != "" {
		if sum, some := p.sum(at.sum); some {
			return appendUnit(dst, jsonscan.Value{Kind: jsonscan.Number, Raw: sum}, f.Unit), true
		}
	}
	v := first(at.from)
	if v.Kind == jsonscan.None {
		return dst, false
	}
	if !f.converted() || v.Kind <= jsonscan.Null || v.Kind >= jsonscan.Object {
		return appendUnit(dst, v, f.Unit), true
	}
	text := p.text(v)
	for _, value := range f.Values {
		if value.is == string(text) {
			return append(dst, value.becomes...), true
		}
	}
	switch {
	case f.Else != "":
		return append(dst, f.Else...), true
	case f.Prefix == "" && f.Suffix == "" || len(text) == 0:
		return appendUnit(dst, v, f.Unit), true
	}
	return jsontext.AppendVerbatim(dst, append(append([]byte(f.Prefix), text...), f.Suffix...)), true
}

// first returns the first value that is there; of one place, its value whatever it is.
func first(of []picked) (v jsonscan.Value) {
	if len(of) == 1 {
		return of[0].value()
	}
	for _, at := range of {
		if v = at.value(); isThere(v) {
			return v
		}
	}
	return jsonscan.Value{}
}

// text returns the text of a scalar: of a string, what is inside its quotes.
func (p *picker) text(v jsonscan.Value) []byte {
	switch {
	case v.Kind != jsonscan.String:
		return v.Raw
	case v.Escaped:
		return p.arena.Unescape(v.Inside())
	}
	return v.Inside()
}

// notJSON rejects a record whose text the scanner refused.
func notJSON(err error) *segment.Rejection {
	return &segment.Rejection{
		Code:    segment.CodeInvalidJSON,
		Message: err.Error(),
		Hint:    "send one complete JSON object, or a list of them, per record",
	}
}
