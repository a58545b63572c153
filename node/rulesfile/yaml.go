package rulesfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads the one document of a file; nil when it says nothing.
//
// It reads nodes, not structs, because only nodes know their lines, and because a decoder that is strict
// about unknown keys is no longer so within a type that reads itself, as a limit does.
func parseYAML(content []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(content))
	var root, next yaml.Node
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
	if len(root.Content) == 0 || isNull(root.Content[0]) {
		return nil, nil
	}
	return root.Content[0], nil
}

// isNull tells whether a node is a key's missing value.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// A decoder reads nodes and collects what is wrong with them, so that a user sees it all at once.
type decoder struct {
	path     string
	problems []error
}

// fail notes a problem with what a key holds.
func (d *decoder) fail(n *yaml.Node, key, format string, args ...any) {
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s: %w", d.path, n.Line, key, fmt.Errorf(format, args...)))
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	node  *yaml.Node // the value; an alias stands for what it refers to
	where *yaml.Node // the key
}

// entries reads a mapping whose keys are data.
func (d *decoder) entries(n *yaml.Node, key string) []entry {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, key, "want keys with values, got %s", describe(n))
		return nil
	}
	var list []entry
	stated := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := resolve(n.Content[i])
		switch {
		case k.Kind != yaml.ScalarNode:
			d.fail(k, key, "a key that is no word")
		case stated[k.Value]:
			d.fail(n.Content[i], join(key, k.Value), "stated twice; leave one out")
		default:
			stated[k.Value] = true
			list = append(list, entry{k.Value, resolve(n.Content[i+1]), n.Content[i]})
		}
	}
	return list
}

// fields reads a mapping whose keys must be some of known. A key without a value is left out.
func (d *decoder) fields(n *yaml.Node, key string, known ...string) map[string]*yaml.Node {
	fields := make(map[string]*yaml.Node)
	for _, e := range d.entries(n, key) {
		switch {
		case !slices.Contains(known, e.key):
			d.fail(e.where, join(key, e.key), "unknown key; known here: %s", strings.Join(known, ", "))
		case !isNull(e.node):
			fields[e.key] = e.node
		}
	}
	return fields
}

// list reads a sequence.
func (d *decoder) list(n *yaml.Node, key string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, key, "want a list, as in [a, b], got %s", describe(n))
		return nil
	}
	items := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		items[i] = resolve(item)
	}
	return items
}

// text reads a scalar as it is written: a blocked value null is the word, and so is the region NO.
func (d *decoder) text(n *yaml.Node, key string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.fail(n, key, "want a word, got %s", describe(n))
	case strings.TrimSpace(n.Value) == "":
		d.fail(n, key, "want a word, got nothing")
	default:
		return n.Value, true
	}
	return "", false
}

// texts reads a list of distinct scalars.
func (d *decoder) texts(n *yaml.Node, key string) []entry {
	var list []entry
	listed := make(map[string]bool)
	for _, item := range d.list(n, key) {
		value, ok := d.text(item, key)
		if !ok {
			continue
		}
		if listed[value] {
			d.fail(item, key, "%q is listed twice; leave one out", value)
			continue
		}
		listed[value] = true
		list = append(list, entry{value, item, item})
	}
	return list
}

// numberMax bounds every number: no rule has use for more.
const numberMax = 1_000_000_000

// number reads a whole number of at least least.
func (d *decoder) number(n *yaml.Node, key string, least int) (int, bool) {
	var v int
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(&v) != nil || v < least || v > numberMax {
		d.fail(n, key, "want a whole number from %d to %d, got %s", least, numberMax, describe(n))
		return 0, false
	}
	return v, true
}

// resolve follows an alias. YAML has no alias of an alias.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	default:
		if isNull(n) {
			return "nothing"
		}
		return fmt.Sprintf("%.60q", n.Value)
	}
}

func join(key, sub string) string {
	if key == "" || key == topLevel {
		return sub
	}
	return key + "." + sub
}
