// Package yamlfile reads configuration files strictly: an unknown key is an error, and every error names the file,
// the line, the key and the remedy. It reports all problems of a file at once.
//
//	content ──► Parse ──► Node ──► Fields, List, Text, Number ──► values
//	                        └────► Struct (by yaml tags) ───────► a struct
//	                   problems ──► Decoder.Err
//
// It reads nodes of go.yaml.in/yaml/v3, because only nodes know their lines. The library's own strict decoding
// (KnownFields), the obvious choice, is not strict inside a type that reads itself, and its errors name Go types
// instead of the path of the key and the known keys.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Node is a value in a file, with its line.
type Node = yaml.Node

// A Decoder reads nodes of one file and collects their problems.
type Decoder struct {
	path     string
	top      string
	problems []error
}

// Parse reads the one document of a file; nil if it is empty. path is for messages, and top replaces the key in
// messages about the file as a whole.
func Parse(path, top string, content []byte) (*Decoder, *Node, error) {
	root, err := parse(content)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Decoder{path: path, top: top}, root, nil
}

// Err joins all problems, one a line; nil if there are no problems.
func (d *Decoder) Err() error { return errors.Join(d.problems...) }

// Read reads the content of a file of at most bytesMax bytes.
func Read(path string, bytesMax int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, bytesMax+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > bytesMax {
		return nil, fmt.Errorf("%s: above %d bytes", path, bytesMax)
	}
	return content, nil
}

// parse reads the one document of a file; nil for a file without any, or with comments alone. A second document would
// be ignored in silence by most readers, so it is refused.
func parse(content []byte) (*Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(content))
	var root, next Node
	if err := d.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	switch err := d.Decode(&next); {
	case err == nil:
		return nil, fmt.Errorf("line %d: a second document; want one in a file", next.Line)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if len(root.Content) == 0 || IsNull(root.Content[0]) {
		return nil, nil
	}
	return root.Content[0], nil
}

// IsNull reports whether a key has no value.
func IsNull(n *Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// Fail records a problem with the value of a key.
func (d *Decoder) Fail(n *Node, key, format string, args ...any) {
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s: %w", d.path, n.Line, key, fmt.Errorf(format, args...)))
}

// Entry is a key of a mapping with its value.
type Entry struct {
	Key   string
	Node  *Node // the value; an alias is replaced by its target
	Where *Node // the key, or the item of a list of texts
}

// Entries reads a mapping with arbitrary keys.
func (d *Decoder) Entries(n *Node, key string) []Entry {
	if IsNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.Fail(n, key, "want keys with values, got %s", Describe(n))
		return nil
	}
	var list []Entry
	stated := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := resolve(n.Content[i])
		switch {
		case k.Kind != yaml.ScalarNode:
			d.Fail(k, key, "a key that is no word")
		case stated[k.Value]:
			d.Fail(n.Content[i], d.join(key, k.Value), "stated twice; leave one out")
		default:
			stated[k.Value] = true
			list = append(list, Entry{k.Value, resolve(n.Content[i+1]), n.Content[i]})
		}
	}
	return list
}

// Fields reads a mapping whose keys must be in known. It omits keys without a value.
func (d *Decoder) Fields(n *Node, key string, known ...string) map[string]*Node {
	return d.fields(d.Entries(n, key), key, known)
}

// fields picks the entries whose keys are known, and reports the others with the keys that there are. A key without a
// value is as one that is not there, so that a commented-out value does not become a zero.
func (d *Decoder) fields(entries []Entry, key string, known []string) map[string]*Node {
	fields := make(map[string]*Node)
	for _, e := range entries {
		switch {
		case !slices.Contains(known, e.Key):
			d.Fail(e.Where, d.join(key, e.Key), "unknown key; known here: %s", strings.Join(known, ", "))
		case !IsNull(e.Node):
			fields[e.Key] = e.Node
		}
	}
	return fields
}

// List reads a sequence.
func (d *Decoder) List(n *Node, key string) []*Node {
	if n.Kind != yaml.SequenceNode {
		d.Fail(n, key, "want a list, as in [a, b], got %s", Describe(n))
		return nil
	}
	items := make([]*Node, len(n.Content))
	for i, item := range n.Content {
		items[i] = resolve(item)
	}
	return items
}

// Text reads a scalar literally: a blocked value null is the word, and so is the region NO.
func (d *Decoder) Text(n *Node, key string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.Fail(n, key, "want a word, got %s", Describe(n))
	case strings.TrimSpace(n.Value) == "":
		d.Fail(n, key, "want a word, got nothing")
	default:
		return n.Value, true
	}
	return "", false
}

// Texts reads a list of distinct scalars.
func (d *Decoder) Texts(n *Node, key string) []Entry {
	var list []Entry
	listed := make(map[string]bool)
	for _, item := range d.List(n, key) {
		value, ok := d.Text(item, key)
		if !ok {
			continue
		}
		if listed[value] {
			d.Fail(item, key, "%q is listed twice; leave one out", value)
			continue
		}
		listed[value] = true
		list = append(list, Entry{value, item, item})
	}
	return list
}

// numberMax bounds the result of Number: no setting needs more.
const numberMax = 1_000_000_000

// Number reads a whole number of at least least.
func (d *Decoder) Number(n *Node, key string, least int) (int, bool) {
	var v int
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(&v) != nil || v < least || v > numberMax {
		d.Fail(n, key, "want a whole number from %d to %d, got %s", least, numberMax, Describe(n))
		return 0, false
	}
	return v, true
}

// resolve follows an alias. YAML has no aliases of aliases.
func resolve(n *Node) *Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// IsScalar reports whether a node is a single value.
func IsScalar(n *Node) bool { return n.Kind == yaml.ScalarNode }

// IsList reports whether a node is a list.
func IsList(n *Node) bool { return n.Kind == yaml.SequenceNode }

// IsMapping reports whether a node has keys with values.
func IsMapping(n *Node) bool { return n.Kind == yaml.MappingNode }

// Describe describes a node for messages.
func Describe(n *Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	default:
		if IsNull(n) {
			return "nothing"
		}
		return fmt.Sprintf("%.60q", n.Value)
	}
}

// Line writes a value in one line of YAML.
func Line(n *Node) string {
	flow := *n
	flow.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&flow)
	if err != nil {
		return Describe(n)
	}
	return strings.TrimSpace(string(text))
}

// Join returns the name of a key below another.
func Join(key, sub string) string {
	if key == "" {
		return sub
	}
	return key + "." + sub
}

// join is Join for messages: keys of the top level stand without the name of the top.
func (d *Decoder) join(key, sub string) string {
	if key == d.top {
		return sub
	}
	return Join(key, sub)
}
