package record

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mapping describes how fields of a record become an event:
//
//	type: {value: track}             a constant
//	event: name                      the value at a path of the record
//	userId: customer.id
//	timestamp: {from: ts, unit: s}   a time in another unit than milliseconds
//	properties: .                    the whole record
//	properties.total: payload.amount beside, or instead of, a field of the record
//	context.traits.email: customer.emails.0
//
// Targets and paths are keys separated by dots; in a path, a number is an index of a list, and "." is the whole
// record. A value absent from the record is absent from its event.
type Mapping struct {
	fields []mappingField
	root   *target
}

// mappingField is one line of a mapping: a constant, or a path.
type mappingField struct {
	Target string
	From   string   // a path
	Unit   timeUnit // of the value there
	Value  string   // a constant, as JSON
}

// timeUnit is the unit of a time given as a number.
type timeUnit string

// The units. unitNone leaves a value unchanged.
const (
	unitNone         timeUnit = ""
	unitSeconds      timeUnit = "s"
	unitMilliseconds timeUnit = "ms"
	unitMicroseconds timeUnit = "us"
	unitNanoseconds  timeUnit = "ns"
)

// mappingMax bounds the fields of a mapping.
const mappingMax = 1000

// whole is the path of the record itself.
const whole = "."

// newMapping returns a mapping, or an error that lists every problem of the fields.
func newMapping(fields []mappingField) (*Mapping, error) {
	m := &Mapping{fields: slices.Clone(fields), root: &target{slot: -1}}
	slices.SortFunc(m.fields, func(a, b mappingField) int { return strings.Compare(a.Target, b.Target) })
	var errs []error
	if len(fields) == 0 {
		errs = append(errs, errors.New("a mapping without fields: give at least type"))
	}
	if len(fields) > mappingMax {
		errs = append(errs, fmt.Errorf("a mapping of %d fields: want at most %d", len(fields), mappingMax))
	}
	for i, f := range m.fields {
		if i > 0 && f.Target == m.fields[i-1].Target {
			errs = append(errs, fmt.Errorf("field %q is mapped twice", f.Target))
		}
		if err := f.check(); err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", f.Target, err))
			continue
		}
		t := m.root
		for key := range strings.SplitSeq(f.Target, ".") {
			t = t.child(key)
		}
		t.set, t.slot, t.unit, t.value = true, i, f.Unit, f.Value
		if f.From == "" {
			t.slot = -1
		}
	}
	if err := m.root.check(""); err != nil {
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

// check finds what is wrong with one line by itself. What two lines make together, such as a constant with fields
// below it, is for target.check.
func (f mappingField) check() error {
	switch {
	case !isPath(f.Target):
		return errors.New("want keys with a dot between, as in properties.total")
	case f.From == "" && f.Value == "":
		return errors.New("give a path of the record, or {value: a constant}")
	case f.From != "" && f.Value != "":
		return errors.New("give a path or a constant, not both")
	case f.From != "" && f.From != whole && !isPath(f.From):
		return fmt.Errorf("path %q: want keys with a dot between, as in customer.id", f.From)
	case f.From == "" && f.Unit != unitNone:
		return errors.New("a constant has no unit")
	}
	switch f.Unit {
	case unitNone, unitSeconds, unitMilliseconds, unitMicroseconds, unitNanoseconds:
		return nil
	}
	return fmt.Errorf("unit %q: want s, ms, us or ns", f.Unit)
}

// isPath reports whether a text is keys with a dot between; none of them is empty. Keys with a dot in them can't be
// named.
func isPath(path string) bool { return !slices.Contains(strings.Split(path, "."), "") }

// String returns a text that is equal for equal mappings only.
func (m *Mapping) String() string {
	var b strings.Builder
	for _, f := range m.fields {
		fmt.Fprintf(&b, "%q<%q,%q,%q\n", f.Target, f.From, f.Unit, f.Value)
	}
	return b.String()
}

// target is a field of the event under construction. A target with children is an object: the members of the object
// at its path, if any, except those that its children supply.
type target struct {
	key      string
	set      bool
	slot     int // index of the picked value; -1 for no value
	unit     timeUnit
	value    string
	children []*target
}

// child returns the child with a key, and makes it if there is none. find is for reading events, when nothing is made
// any more.
func (t *target) child(key string) *target {
	for _, c := range t.children {
		if c.key == key {
			return c
		}
	}
	c := &target{key: key, slot: -1}
	t.children = append(t.children, c)
	return c
}

// find returns the child with a key, or nil.
func (t *target) find(key []byte) *target {
	for _, c := range t.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

// check rejects a constant or a time that has fields.
func (t *target) check(path string) error {
	if len(t.children) > 0 && (t.value != "" || t.unit != unitNone) {
		return fmt.Errorf("field %q is a constant or a time, and has fields of its own beside", path)
	}
	for _, c := range t.children {
		if err := c.check(strings.TrimPrefix(path+"."+c.key, ".")); err != nil {
			return err
		}
	}
	return nil
}
