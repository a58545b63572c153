package record

import (
	"encoding/json"
	"strconv"

	"github.com/kindred-id/kindred/internal/yamlfile"
)

// mappingBytesMax bounds a file with a mapping.
const mappingBytesMax = 1 << 20

// ReadMapping reads a file with one mapping. Its error lists all problems of the file, one a line.
func ReadMapping(path string) (*Mapping, error) {
	text, err := yamlfile.Read(path, mappingBytesMax)
	if err != nil {
		return nil, err
	}
	return ParseMapping(path, text)
}

// ParseMapping reads the text of a file with one mapping; path is for messages.
func ParseMapping(path string, text []byte) (*Mapping, error) {
	d, root, err := yamlfile.Parse(path, "mapping", text)
	if err != nil {
		return nil, err
	}
	if root == nil {
		root = &yamlfile.Node{Line: 1}
	}
	m := new(Mapping)
	m.ReadYAML(d, root, "mapping")
	if err := d.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

// ReadYAML reads a mapping from a configuration file: the name of a ready-made one; or targets with a path, {from, unit},
// or {value}; or read and events.
func (m *Mapping) ReadYAML(d *yamlfile.Decoder, n *yamlfile.Node, key string) {
	if yamlfile.IsScalar(n) {
		ready, err := FindReady(n.Value)
		if err != nil {
			d.Fail(n, key, "%w", err)
			return
		}
		*m = *ready
		return
	}
	if !yamlfile.IsMapping(n) {
		d.Fail(n, key, "a mapping is fields of an event with paths, as in userId: customer.id")
		return
	}
	r := mappingReader{d: d, complete: true}
	var read reading
	var events []eventMapping
	only := eventMapping{}
	for _, e := range d.Entries(n, key) {
		at := yamlfile.Join(key, e.Key)
		switch {
		case e.Key == "read" && yamlfile.IsMapping(e.Node) && !isField(e.Node):
			read = r.reading(e.Node, at)
		case e.Key == "events" && isList(e.Node):
			for i, item := range d.List(e.Node, at) {
				events = append(events, r.event(item, at+"."+strconv.Itoa(i+1)))
			}
		default:
			only.fields = append(only.fields, r.field(e, at))
		}
	}
	if len(events) > 0 && len(only.fields) > 0 {
		d.Fail(n, key, "give events, or the fields of one event beside read, not both: %s is beside events", only.fields[0].Target)
		return
	}
	if !r.complete {
		return
	}
	if len(events) == 0 {
		events = append(events, only)
	}
	made, err := newMapping(read, events)
	if err != nil {
		d.Fail(n, key, "%w", err)
		return
	}
	*m = *made
}

// isList reports whether a node is a list.
func isList(n *yamlfile.Node) bool { return !yamlfile.IsScalar(n) && !yamlfile.IsMapping(n) }

// isField reports whether a node is one line of a mapping: a field of that name, and not a part of the mapping.
func isField(n *yamlfile.Node) bool {
	for i := 0; i < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "from", "value", "sum":
			return true
		}
	}
	return false
}

// mappingReader reads the parts of a mapping. complete is false after a problem was reported; a line that is wrong in
// its meaning is for mappingField.check.
type mappingReader struct {
	d        *yamlfile.Decoder
	complete bool
}

func (r *mappingReader) fail(n *yamlfile.Node, key, format string, args ...any) {
	r.d.Fail(n, key, format, args...)
	r.complete = false
}

// reading reads how documents and records are read.
func (r *mappingReader) reading(n *yamlfile.Node, key string) (read reading) {
	for _, e := range r.d.Entries(n, key) {
		at := yamlfile.Join(key, e.Key)
		switch {
		case e.Key == "records" && yamlfile.IsScalar(e.Node):
			read.records = e.Node.Value
		case e.Key == "columns" && yamlfile.IsScalar(e.Node):
			read.columns = e.Node.Value
		case e.Key == "parse" && isList(e.Node):
			read.parse = r.texts(e.Node, at)
		case e.Key == "unpack" && isList(e.Node):
			read.unpack = r.texts(e.Node, at)
		default:
			r.fail(e.Where, at, "want records: a key, columns: the name of some, parse: [paths] and unpack: [paths]")
		}
	}
	return read
}

// texts reads a list of texts.
func (r *mappingReader) texts(n *yamlfile.Node, key string) (list []string) {
	for _, item := range r.d.List(n, key) {
		if !yamlfile.IsScalar(item) {
			r.fail(item, key, "want a list of words, got %s in it", yamlfile.Describe(item))
			continue
		}
		list = append(list, item.Value)
	}
	if len(list) == 0 {
		r.fail(n, key, "want at least one word in the list")
	}
	return list
}

// event reads one of several events.
func (r *mappingReader) event(n *yamlfile.Node, key string) (e eventMapping) {
	e.line = n.Line
	if !yamlfile.IsMapping(n) {
		r.fail(n, key, "an event is its fields with paths, beside when and each; got %s", yamlfile.Describe(n))
		return e
	}
	for _, entry := range r.d.Entries(n, key) {
		at := yamlfile.Join(key, entry.Key)
		switch {
		case entry.Key == "when":
			e.when = r.conditions(entry.Node, at)
		case entry.Key == "each" && yamlfile.IsScalar(entry.Node):
			e.each = entry.Node.Value
		default:
			e.fields = append(e.fields, r.field(entry, at))
		}
	}
	return e
}

// field reads one line of a mapping: a path, a list of paths, or a mapping with from and more, or with value.
func (r *mappingReader) field(e yamlfile.Entry, key string) (f mappingField) {
	f.Target, f.Line = e.Key, e.Where.Line
	switch {
	case yamlfile.IsScalar(e.Node):
		f.From = []string{e.Node.Value}
		return f
	case !yamlfile.IsMapping(e.Node):
		f.From = r.texts(e.Node, key)
		return f
	}
	for _, part := range r.d.Entries(e.Node, key) {
		r.part(&f, part, yamlfile.Join(key, part.Key))
	}
	return f
}

// part reads one key of a line of a mapping.
func (r *mappingReader) part(f *mappingField, part yamlfile.Entry, at string) {
	switch part.Key {
	case "from":
		if isList(part.Node) {
			f.From = r.texts(part.Node, at)
			return
		}
	case "when":
		f.When = r.conditions(part.Node, at)
		return
	case "values":
		for _, v := range r.d.Entries(part.Node, at) {
			f.Values = append(f.Values, valueText{v.Key, r.constant(v.Node, yamlfile.Join(at, v.Key))})
		}
		return
	}
	if !yamlfile.IsScalar(part.Node) {
		r.fail(part.Node, at, "want one value, got %s", yamlfile.Describe(part.Node))
		return
	}
	switch part.Key {
	case "from":
		f.From = []string{part.Node.Value}
	case "unit":
		f.Unit = timeUnit(part.Node.Value)
	case "sum":
		f.Sum = part.Node.Value
	case "prefix":
		f.Prefix = part.Node.Value
	case "suffix":
		f.Suffix = part.Node.Value
	case "else":
		f.Else = r.constant(part.Node, at)
	case "value":
		f.Value = r.constant(part.Node, at)
	default:
		r.fail(part.Where, at, "unknown key; known here: from, sum, value, values, else, prefix, suffix, unit, when")
	}
}

// conditions reads what when says: values of paths.
func (r *mappingReader) conditions(n *yamlfile.Node, key string) (list []condition) {
	if !yamlfile.IsMapping(n) {
		r.fail(n, key, "want paths with what their values have to be, as in {status: [paid, shipped]}")
		return nil
	}
	for _, e := range r.d.Entries(n, key) {
		c, at := condition{path: e.Key}, yamlfile.Join(key, e.Key)
		switch {
		case !isSource(e.Key):
			r.fail(e.Where, at, "want keys with a dot between, as in customer.id")
		case yamlfile.IsScalar(e.Node):
			c.is = []string{e.Node.Value}
		case isList(e.Node):
			c.is = r.texts(e.Node, at)
		default:
			for _, part := range r.d.Entries(e.Node, at) {
				r.comparison(&c, part, yamlfile.Join(at, part.Key))
			}
		}
		list = append(list, c)
	}
	return list
}

// comparison reads one key of a condition.
func (r *mappingReader) comparison(c *condition, part yamlfile.Entry, at string) {
	switch n := part.Node; {
	case part.Key == "not" && isList(n):
		c.not = r.texts(n, at)
	case part.Key == "not" && yamlfile.IsScalar(n):
		c.not = []string{n.Value}
	case part.Key == "present" && yamlfile.IsScalar(n) && n.Value == "true":
		c.present = presenceThere
	case part.Key == "present" && yamlfile.IsScalar(n) && n.Value == "false":
		c.present = presenceAbsent
	case part.Key == "above" && yamlfile.IsScalar(n):
		bound, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			r.fail(n, at, "want a number, got %s", yamlfile.Describe(n))
		}
		c.above = &bound
	default:
		r.fail(part.Where, at, "want a text, a list of them, {not: …}, {present: true or false} or {above: a number}")
	}
}

// constant returns a scalar as JSON, which may be null.
func (r *mappingReader) constant(n *yamlfile.Node, key string) string {
	var value any
	if !yamlfile.IsScalar(n) {
		r.fail(n, key, "want one value, got %s", yamlfile.Describe(n))
		return ""
	}
	if err := n.Decode(&value); err != nil {
		r.fail(n, key, "%w", err)
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		r.fail(n, key, "%w", err)
	}
	return string(text)
}
