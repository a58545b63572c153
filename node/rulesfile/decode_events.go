package rulesfile

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kindred-id/kindred/internal/yamlfile"

	"github.com/kindred-id/kindred/graph/identifier"
)

// This file reads the settings for incoming events. They do not affect the resolution of identities.

const (
	pathBytesMax = 256
	pathKeysMax  = 16
	// sourcesMax leaves a rank of eight bits for the sources that are not listed.
	sourcesMax = 255
)

func (d decoder) paths(f *File, n *yamlfile.Node, key string) {
	f.Paths = nil
	for _, item := range d.List(n, key) {
		fields := d.Fields(item, key, "path", "namespace")
		if fields["path"] == nil || fields["namespace"] == nil {
			d.Fail(item, key, "want a path and a namespace, as in {path: properties.card, namespace: card}")
			continue
		}
		path, ok := d.Text(fields["path"], key)
		if !ok {
			continue
		}
		namespace, ok := d.Text(fields["namespace"], key)
		if !ok || !d.isKnown(f, fields["namespace"], key, namespace) {
			continue
		}
		mapping := PathMapping{Path: path, Namespace: namespace}
		switch {
		case !isPath(path):
			d.Fail(fields["path"], key, "path %.60q: want up to %d keys with a dot between, %d bytes in all, as in properties.card",
				path, pathKeysMax, pathBytesMax)
		case slices.Contains(f.Paths, mapping):
			d.Fail(item, key, "path %q is listed twice for namespace %q; leave one out", path, namespace)
		default:
			f.Paths = append(f.Paths, mapping)
		}
	}
}

// isPath reports whether a path can be looked up in events: bounded in keys and bytes, without an empty key or white
// space, which would be a slip of the keyboard.
func isPath(path string) bool {
	parts := strings.Split(path, ".")
	return len(path) <= pathBytesMax && len(parts) <= pathKeysMax && !slices.Contains(parts, "") &&
		!strings.ContainsFunc(path, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
}

// blocked reads values that stand for nobody, patterns of such, and built-in words that are allowed. Each is handed to
// package identifier alone, so that a problem has the line of its own value.
func (d decoder) blocked(f *File, n *yamlfile.Node, key string) {
	f.Identifier.Blocked, f.Identifier.BlockedPatterns, f.Identifier.Allowed = nil, nil, nil
	fields := d.Fields(n, key, "values", "patterns", "allow")
	for _, list := range []struct {
		key string
		to  *[]string
	}{{"values", &f.Identifier.Blocked}, {"allow", &f.Identifier.Allowed}} {
		if fields[list.key] == nil {
			continue
		}
		at := yamlfile.Join(key, list.key)
		for _, e := range d.Texts(fields[list.key], at) {
			if d.accepts(e.Where, at, identifier.Config{Namespaces: f.Identifier.Namespaces, Blocked: []string{e.Key}}) {
				*list.to = append(*list.to, e.Key)
			}
		}
	}
	if patterns := fields["patterns"]; patterns != nil {
		at := yamlfile.Join(key, "patterns")
		for _, e := range d.Texts(patterns, at) {
			if d.accepts(e.Where, at, identifier.Config{BlockedPatterns: []string{e.Key}}) {
				f.Identifier.BlockedPatterns = append(f.Identifier.BlockedPatterns, e.Key)
			}
		}
	}
}

func (d decoder) sources(f *File, n *yamlfile.Node, key string) { f.Sources = d.sourceList(n, key) }

func (d decoder) sourcesApart(f *File, n *yamlfile.Node, key string) {
	f.SourcesApart = d.sourceList(n, key)
}

// sourceList reads names of sources, at most sourcesMax: the place in the list becomes a rank of eight bits.
func (d decoder) sourceList(n *yamlfile.Node, key string) (list []string) {
	for _, e := range d.Texts(n, key) {
		list = append(list, e.Key)
	}
	if len(list) > sourcesMax {
		d.Fail(n, key, "%d sources; want %d or fewer", len(list), sourcesMax)
	}
	return list
}
