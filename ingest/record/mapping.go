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
//	userId: [customer.id, user]      the first of these values that there is
//	messageId: {from: id, prefix: "order-"}
//	timestamp: {from: ts, unit: s}   a time in another unit than milliseconds
//	properties: .                    the whole record
//	properties.total: payload.amount beside, or instead of, a field of the record
//	context.traits.email: customer.emails.0
//
// or several events, each on conditions of its own, and for each element of a list:
//
//	read: {records: orders, parse: [attributes], unpack: [params]}
//	events:
//	  - when: {status: [paid, shipped]}
//	    type: {value: track}
//	  - each: refunds
//	    properties.order_id: $.id
//
// Targets and paths are keys separated by dots; in a path, a number is an index of a list, and "." is the whole
// record. Below each, paths are those of the element, and "$." leads to the record. A value absent from the record is
// absent from its event.
type Mapping struct {
	// Ready is the name of a ready-made mapping; "" for one of a user.
	Ready string

	read   reading
	events []eventMapping
}

// reading is what happens to a document, and to a record before its paths are read.
type reading struct {
	records string   // the key of the list with a document's records; "" is batch, in files alone
	columns string   // the columns of a table without a header; "" is a table with one
	parse   []string // paths of texts that hold JSON
	unpack  []string // paths of lists of {key, value}, which become objects
}

// eventMapping is one event that records become.
type eventMapping struct {
	line   int // of the file; 0 for the only event of a mapping
	when   []condition
	each   string // a path of a list; one event for each of its elements
	fields []mappingField
	root   *target
}

// mappingField is one line of a mapping: a constant, or a value of the record.
type mappingField struct {
	Target string
	From   []string // paths, of which the first with a value counts
	Sum    string   // a path through lists to numbers, tried before From
	Unit   timeUnit // of the value there
	Prefix string   // before the value
	Suffix string   // after it
	Values []valueText
	Else   string // for a value that is not in Values, as JSON
	Value  string // a constant, as JSON
	When   []condition
	Line   int // of the file
}

// valueText replaces one text by another, as JSON.
type valueText struct{ is, becomes string }

// timeUnit is the unit of a number: of a time, or of an amount.
type timeUnit string

// The units. unitNone leaves a value unchanged.
const (
	unitNone         timeUnit = ""
	unitSeconds      timeUnit = "s"
	unitMilliseconds timeUnit = "ms"
	unitMicroseconds timeUnit = "us"
	unitNanoseconds  timeUnit = "ns"
	unitHundredths   timeUnit = "hundredths" // of an amount: cents
)

// Bounds of a mapping.
const (
	mappingMax       = 1000 // fields of an event
	mappingEventsMax = 100
)

// Names in paths.
const (
	whole      = "."  // the record itself
	fromRecord = "$." // before a path of the record, below each
)

// newMapping returns a mapping of these events, or an error that lists every problem of their fields.
func newMapping(read reading, events []eventMapping) (*Mapping, error) {
	m := &Mapping{read: read, events: slices.Clone(events)}
	var errs []error
	if len(events) > mappingEventsMax {
		errs = append(errs, fmt.Errorf("a mapping of %d events: want at most %d", len(events), mappingEventsMax))
	}
	for i := range m.events {
		e := &m.events[i]
		if err := e.build(); err != nil && e.line > 0 {
			errs = append(errs, fmt.Errorf("event %d (line %d): %w", i+1, e.line, err))
		} else if err != nil {
			errs = append(errs, err)
		}
	}
	if err := read.check(); err != nil {
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

// build checks the fields of an event and makes their tree.
func (e *eventMapping) build() error {
	e.root = new(target)
	e.fields = slices.Clone(e.fields)
	slices.SortStableFunc(e.fields, func(a, b mappingField) int { return strings.Compare(a.Target, b.Target) })
	var errs []error
	if len(e.fields) == 0 {
		errs = append(errs, errors.New("a mapping without fields: give at least type"))
	}
	if len(e.fields) > mappingMax {
		errs = append(errs, fmt.Errorf("a mapping of %d fields: want at most %d", len(e.fields), mappingMax))
	}
	if e.each != "" && !isPath(e.each) {
		errs = append(errs, fmt.Errorf("each %q: want keys with a dot between, as in refunds", e.each))
	}
	for i := range e.fields {
		f := &e.fields[i]
		if i > 0 && f.Target == e.fields[i-1].Target {
			errs = append(errs, fmt.Errorf("field %q is mapped twice", f.Target))
		}
		if err := f.check(); err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", f.Target, err))
			continue
		}
		t := e.root
		for key := range strings.SplitSeq(f.Target, ".") {
			t = t.child(key)
		}
		t.field = f
		t.index = i
	}
	if err := e.root.check(""); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// check finds what is wrong with one line by itself. What two lines make together, such as a constant with fields
// below it, is for target.check.
func (f *mappingField) check() error {
	given := len(f.From) > 0 || f.Sum != ""
	switch {
	case !isPath(f.Target):
		return errors.New("want keys with a dot between, as in properties.total")
	case !given && f.Value == "":
		return errors.New("give a path of the record, or {value: a constant}")
	case given && f.Value != "":
		return errors.New("give a path or a constant, not both")
	case !given && f.Unit != unitNone:
		return errors.New("a constant has no unit")
	case !given && f.converted():
		return errors.New("a constant has no prefix, suffix or values: write what it is")
	case f.Sum != "" && !isSource(strings.TrimPrefix(f.Sum, fromRecord)):
		return fmt.Errorf("sum %q: want keys with a dot between, as in lines.amount", f.Sum)
	}
	for _, path := range f.From {
		if path != whole && !isSource(strings.TrimPrefix(path, fromRecord)) {
			return fmt.Errorf("path %q: want keys with a dot between, as in customer.id", path)
		}
	}
	switch f.Unit {
	case unitNone, unitSeconds, unitMilliseconds, unitMicroseconds, unitNanoseconds, unitHundredths:
		return nil
	}
	return fmt.Errorf("unit %q: want s, ms, us or ns for a time, or hundredths for an amount", f.Unit)
}

// converted reports whether the text of the value is changed.
func (f *mappingField) converted() bool {
	return f.Prefix != "" || f.Suffix != "" || len(f.Values) > 0 || f.Else != ""
}

// check finds paths that lead nowhere.
func (r *reading) check() error {
	if r.columns != "" && r.columns != ColumnsSnowplow {
		return fmt.Errorf("read: columns %q: want %s, or leave it out for tables with a header", r.columns, ColumnsSnowplow)
	}
	for _, path := range slices.Concat(r.parse, r.unpack) {
		if !isPath(path) {
			return fmt.Errorf("read: path %q: want keys with a dot between, as in event.params", path)
		}
	}
	return nil
}

// isPath reports whether a text is keys with a dot between; none of them is empty.
func isPath(path string) bool { return !slices.Contains(strings.Split(path, "."), "") }

// isSource reports whether a text is a path in records: its last key may end with a dot, as names of columns do.
func isSource(path string) bool { return isPath(strings.TrimSuffix(path, ".")) }

// Records is the key of the list that holds the records of a document, if the mapping names one.
func (m *Mapping) Records() string { return m.read.records }

// ColumnsSnowplow are the columns of a table without a header: those of Snowplow's enriched events.
const ColumnsSnowplow = "snowplow-enriched"

// Columns names the columns of a table without a header, if the mapping does.
func (m *Mapping) Columns() string { return m.read.columns }

// Usual reports whether the mapping leaves a key of the record alone at which a document may have its records: no path
// begins with it.
func (m *Mapping) Usual(key string) bool {
	for i := range m.events {
		for _, path := range m.events[i].paths() {
			if path = strings.TrimPrefix(path, fromRecord); path == key || strings.HasPrefix(path, key+".") {
				return false
			}
		}
	}
	return true
}

// paths lists all paths of an event.
func (e *eventMapping) paths() []string {
	var all []string
	add := func(conditions []condition) {
		for _, c := range conditions {
			all = append(all, c.path)
		}
	}
	if e.each != "" {
		all = append(all, e.each)
	}
	add(e.when)
	for i := range e.fields {
		all = append(all, e.fields[i].From...)
		if e.fields[i].Sum != "" {
			all = append(all, e.fields[i].Sum)
		}
		add(e.fields[i].When)
	}
	return all
}

// String returns a text that is equal for equal mappings only. Positions of consumers are kept under it, so that of a
// mapping that is written in an old way stays the same.
func (m *Mapping) String() string {
	var b strings.Builder
	if r := m.read; r.records != "" || len(r.parse)+len(r.unpack) > 0 {
		fmt.Fprintf(&b, "read %q %q %q\n", r.records, r.parse, r.unpack)
	}
	for i := range m.events {
		e := &m.events[i]
		if len(m.events) > 1 || len(e.when) > 0 || e.each != "" {
			fmt.Fprintf(&b, "event %q %v\n", e.each, e.when)
		}
		for j := range e.fields {
			f := &e.fields[j]
			fmt.Fprintf(&b, "%q<%q,%q,%q", f.Target, strings.Join(f.From, "|"), f.Unit, f.Value)
			if f.Sum != "" || f.converted() || len(f.When) > 0 {
				fmt.Fprintf(&b, " %q %q %q %q %q %v", f.Sum, f.Prefix, f.Suffix, f.Values, f.Else, f.When)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// target is a field of the event under construction. A target with children is an object: the members of the object
// at its path, if any, except those that its children supply.
type target struct {
	key      string
	field    *mappingField // nil for no value of its own
	index    int           // of the field
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
	c := &target{key: key}
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

// check rejects a constant or a converted value that has fields.
func (t *target) check(path string) error {
	if f := t.field; len(t.children) > 0 && f != nil &&
		(f.Value != "" || f.Unit != unitNone || f.Sum != "" || f.converted()) {
		return fmt.Errorf("field %q is a constant or a time, and has fields of its own beside", path)
	}
	for _, c := range t.children {
		if err := c.check(strings.TrimPrefix(path+"."+c.key, ".")); err != nil {
			return err
		}
	}
	return nil
}
