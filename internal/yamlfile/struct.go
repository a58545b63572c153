package yamlfile

import (
	"encoding"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// A Reader reads itself from a node, and reports problems to the decoder.
type reader interface {
	ReadYAML(d *Decoder, n *Node, key string)
}

// Unmarshal reads a file into a struct, see Decoder.Struct. An empty file leaves it unchanged.
func Unmarshal(path, top string, content []byte, into any) error {
	d, root, err := Parse(path, top, content)
	if err != nil {
		return err
	}
	if root != nil {
		d.Struct(root, top, into)
	}
	return d.Err()
}

// Struct reads a mapping into the struct that into points to. Keys are the yaml tags of fields; fields without a tag,
// or with "-", stay unchanged. A field is a text, true or false, a whole number, a struct, a list or pointer of
// these, an encoding.TextUnmarshaler, or a Reader.
func (d *Decoder) Struct(n *Node, key string, into any) {
	d.structure(n, key, reflect.ValueOf(into).Elem())
}

// structure reads a mapping into a struct. Reflection is at home here: files are read once, at the start.
func (d *Decoder) structure(n *Node, key string, v reflect.Value) {
	var known []string
	field := make(map[string]reflect.Value)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			known = append(known, name)
			field[name] = v.Field(i)
		}
	}
	fields := d.fields(d.merged(n, key), key, known)
	for _, name := range known { // in the order of the struct, so that messages are ordered
		if value := fields[name]; value != nil {
			d.value(value, d.join(key, name), field[name])
		}
	}
}

// merged reads a mapping together with those after its key <<, which supply keys that it lacks. Those may not have
// the key << themselves: a mapping could contain itself.
func (d *Decoder) merged(n *Node, key string) []Entry {
	var list, others []Entry
	for _, e := range d.Entries(n, key) {
		switch {
		case e.Key != "<<":
			list = append(list, e)
		case e.Node.Kind == yaml.SequenceNode:
			for _, item := range d.List(e.Node, key) {
				others = append(others, d.Entries(item, key)...)
			}
		default:
			others = d.Entries(e.Node, key)
		}
	}
	for _, e := range others {
		if !slices.ContainsFunc(list, func(own Entry) bool { return own.Key == e.Key }) {
			list = append(list, e)
		}
	}
	return list
}

// value reads one value by the type that it goes to. A type that reads itself comes first, so that a list or mapping
// may have a short form. A list replaces what the field held before.
func (d *Decoder) value(n *Node, key string, v reflect.Value) {
	switch into := v.Addr().Interface().(type) {
	case reader:
		into.ReadYAML(d, n, key)
		return
	case encoding.TextUnmarshaler:
		if !IsScalar(n) {
			d.Fail(n, key, "want one value, got %s", Describe(n))
		} else if err := into.UnmarshalText([]byte(n.Value)); err != nil {
			d.Fail(n, key, "%w", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, key, v.Elem())
	case reflect.Struct:
		d.structure(n, key, v)
	case reflect.Slice:
		v.SetZero()
		for _, item := range d.List(n, key) {
			one := reflect.New(v.Type().Elem()).Elem()
			d.value(item, key, one)
			v.Set(reflect.Append(v, one))
		}
	case reflect.String:
		if !IsScalar(n) {
			d.Fail(n, key, "want a text, got %s", Describe(n))
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		d.scalar(n, key, v, "true or false", "!!bool")
	case reflect.Int:
		d.scalar(n, key, v, "a whole number", "!!int")
	default:
		panic("yamlfile: can't read a " + v.Type().String()) // a bug: the struct is part of the program
	}
}

// scalar reads a number or a truth value, whose tag in YAML must be the one wanted: "8" in quotes is a text and no
// number.
func (d *Decoder) scalar(n *Node, key string, v reflect.Value, want, tag string) {
	if !IsScalar(n) || n.ShortTag() != tag || n.Decode(v.Addr().Interface()) != nil {
		d.Fail(n, key, "want %s, got %s", want, Describe(n))
	}
}
