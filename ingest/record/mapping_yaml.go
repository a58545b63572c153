package record

import (
	"encoding/json"

	"github.com/kindred-id/kindred/internal/yamlfile"
)

// ReadYAML reads a mapping from a configuration file: targets with a path, {from, unit}, or {value}.
func (m *Mapping) ReadYAML(d *yamlfile.Decoder, n *yamlfile.Node, key string) {
	if !yamlfile.IsMapping(n) {
		d.Fail(n, key, "a mapping is fields of an event with paths, as in userId: customer.id")
		return
	}
	var fields []mappingField
	complete := true
	for _, e := range d.Entries(n, key) {
		f, ok := readField(d, e, yamlfile.Join(key, e.Key))
		complete = complete && ok
		fields = append(fields, f)
	}
	if !complete {
		return
	}
	made, err := newMapping(fields)
	if err != nil {
		d.Fail(n, key, "%w", err)
		return
	}
	*m = *made
}

// readField reads one line of a mapping: a path, or a mapping with from and unit, or with value. ok is false if it
// reported a problem; a line that is wrong in its meaning is for mappingField.check.
func readField(d *yamlfile.Decoder, e yamlfile.Entry, key string) (f mappingField, ok bool) {
	f.Target = e.Key
	if yamlfile.IsScalar(e.Node) {
		f.From = e.Node.Value
		return f, true
	}
	if !yamlfile.IsMapping(e.Node) {
		d.Fail(e.Where, key, "want a path, {from: a path, unit: …} or {value: a constant}")
		return f, false
	}
	ok = true
	for _, part := range d.Entries(e.Node, key) {
		at := yamlfile.Join(key, part.Key)
		if !yamlfile.IsScalar(part.Node) {
			d.Fail(part.Node, at, "want one value, got %s", yamlfile.Describe(part.Node))
			ok = false
			continue
		}
		switch part.Key {
		case "from":
			f.From = part.Node.Value
		case "unit":
			f.Unit = timeUnit(part.Node.Value)
		case "value":
			var err error
			if f.Value, err = constant(part.Node); err != nil {
				d.Fail(part.Node, at, "%w", err)
				ok = false
			}
		default:
			d.Fail(part.Where, at, "unknown key; known here: from, unit, value")
			ok = false
		}
	}
	return f, ok
}

// constant returns a scalar as JSON, which may be null.
func constant(n *yamlfile.Node) (string, error) {
	var value any
	if err := n.Decode(&value); err != nil {
		return "", err
	}
	text, err := json.Marshal(value)
	return string(text), err
}
