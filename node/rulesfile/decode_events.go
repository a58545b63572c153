package rulesfile

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/kindred-id/kindred/graph/identifier"
)

// This file reads what concerns events on their way in, rather than who is who.

const (
	pathBytesMax = 256
	pathKeysMax  = 16
	// sourcesMax leaves a rank of eight bits for the sources that are not listed.
	sourcesMax = 255
)

func (d *decoder) paths(f *File, n *yaml.Node, key string) {
	f.Paths = nil
	for _, item := range d.list(n, key) {
		fields := d.fields(item, key, "path", "namespace")
		if fields["path"] == nil || fields["namespace"] == nil {
			d.fail(item, key, "want a path and a namespace, as in {path: properties.card, namespace: card}")
			continue
		}
		path, ok := d.text(fields["path"], key)
		if !ok {
			continue
		}
		namespace, ok := d.text(fields["namespace"], key)
		if !ok || !d.isKnown(f, fields["namespace"], key, namespace) {
			continue
		}
		mapping := PathMapping{Path: path, Namespace: namespace}
		switch {
		case !isPath(path):
			d.fail(fields["path"], key, "path %.60q: want up to %d keys with a dot between, %d bytes in all, as in properties.card",
				path, pathKeysMax, pathBytesMax)
		case slices.Contains(f.Paths, mapping):
			d.fail(item, key, "path %q is listed twice for namespace %q; leave one out", path, namespace)
		default:
			f.Paths = append(f.Paths, mapping)
		}
	}
}

func isPath(path string) bool {
	parts := strings.Split(path, ".")
	return len(path) <= pathBytesMax && len(parts) <= pathKeysMax && !slices.Contains(parts, "") &&
		!strings.ContainsFunc(path, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
}

func (d *decoder) blocked(f *File, n *yaml.Node, key string) {
	f.Identifier.Blocked, f.Identifier.BlockedPatterns, f.Identifier.Allowed = nil, nil, nil
	fields := d.fields(n, key, "values", "patterns", "allow")
	for _, list := range []struct {
		key string
		to  *[]string
	}{{"values", &f.Identifier.Blocked}, {"allow", &f.Identifier.Allowed}} {
		if fields[list.key] == nil {
			continue
		}
		at := join(key, list.key)
		for _, e := range d.texts(fields[list.key], at) {
			if d.accepts(e.where, at, identifier.Config{Namespaces: f.Identifier.Namespaces, Blocked: []string{e.key}}) {
				*list.to = append(*list.to, e.key)
			}
		}
	}
	if patterns := fields["patterns"]; patterns != nil {
		at := join(key, "patterns")
		for _, e := range d.texts(patterns, at) {
			if d.accepts(e.where, at, identifier.Config{BlockedPatterns: []string{e.key}}) {
				f.Identifier.BlockedPatterns = append(f.Identifier.BlockedPatterns, e.key)
			}
		}
	}
}

func (d *decoder) region(f *File, n *yaml.Node, key string) {
	region, ok := d.text(n, key)
	if ok && d.accepts(n, key, identifier.Config{Region: region}) {
		f.Identifier.Region = strings.ToUpper(region)
	}
}

func (d *decoder) currency(f *File, n *yaml.Node, key string) {
	text, ok := d.text(n, key)
	if !ok {
		return
	}
	code := strings.ToUpper(text)
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		d.fail(n, key, "currency %.60q: want an ISO 4217 code of three letters, such as USD or EUR", text)
		return
	}
	f.Currency = code
}

func (d *decoder) sources(f *File, n *yaml.Node, key string) { f.Sources = d.sourceList(n, key) }

func (d *decoder) sourcesApart(f *File, n *yaml.Node, key string) {
	f.SourcesApart = d.sourceList(n, key)
}

func (d *decoder) sourceList(n *yaml.Node, key string) (list []string) {
	for _, e := range d.texts(n, key) {
		list = append(list, e.key)
	}
	if len(list) > sourcesMax {
		d.fail(n, key, "%d sources; want %d or fewer", len(list), sourcesMax)
	}
	return list
}
