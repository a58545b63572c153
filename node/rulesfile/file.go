package rulesfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/yamlfile"
)

// File holds the settings of a preset or a file.
type File struct {
	Rules      *graph.Rules
	Identifier identifier.Config
	Paths      []PathMapping // in the order of the file
	Currency   string        // of amounts that name no currency: ISO 4217, three capitals
	Assumed    Assumed
	Sources    []string // most trusted first; sources that are not listed rank below
	// SourcesApart are the sources whose message ids are unique only within the source.
	SourcesApart []string
	// Context selects the parts of an event's context that are stored.
	Context Context
	Times   Times       // which times of events are accepted
	Scores  score.Terms // with defaults filled in; they do not affect the resolution of identities
}

// PathMapping is a place in events that holds identifiers of a namespace. Path lists the keys of nested JSON objects,
// outermost first, separated by dots.
type PathMapping struct {
	Path      string
	Namespace string
}

// fileBytesMax bounds the size of a rules file.
const fileBytesMax = 1 << 20

// Load reads the preset of that name, or else the file at that path. A file with the name of a preset can be given as
// ./name.
//
// It reports all problems of a file at once, one per line.
func Load(nameOrPath string) (*File, error) {
	if slices.Contains(Presets(), nameOrPath) {
		return preset(nameOrPath), nil
	}
	content, err := yamlfile.Read(nameOrPath, fileBytesMax)
	if err != nil {
		// A missing file without a folder and an extension is most likely a misspelt preset.
		if errors.Is(err, os.ErrNotExist) && filepath.Ext(nameOrPath) == "" && filepath.Base(nameOrPath) == nameOrPath {
			return nil, fmt.Errorf("rules %q: no such preset or file; presets are %s", nameOrPath, presetList())
		}
		return nil, fmt.Errorf("read rules: %w; give a file, or a preset: %s", err, presetList())
	}
	return Parse(nameOrPath, content)
}

// ParseKept reads the rules that a data directory stores, as YAML wrote them. A text without a rule about aliases was
// written by a program that did not have the rule, and keeps the meaning that it had there (graph.Rules.Former).
func ParseKept(path string, content []byte) (*File, error) {
	f, err := Parse(path, content)
	if err == nil && !bytes.Contains(content, []byte("\n"+aliasKey+": ")) {
		f.Rules.Former, f.Rules.Alias = true, graph.AliasRefused
		f.Rules.MaxMembers, f.Rules.MaxIdentity = f.Rules.MaxIdentity, 0 // identifiers bounded a component
		f.Rules.Version = version(f.Rules)
	}
	return f, err
}

// formerIdentifiers is the cap of former presets, and of former files that named no cap.
const formerIdentifiers = 1000

// Today returns the same settings with their present meaning, if f has that of a former program.
func (f *File) Today() *File {
	if !f.Rules.Former {
		return f
	}
	today, rules := *f, *f.Rules
	rules.Former, rules.Alias = false, graph.AliasMerges
	if rules.MaxIdentity = rules.MaxMembers; rules.MaxIdentity == formerIdentifiers {
		rules.MaxIdentity = graph.DefaultRules().MaxIdentity
	}
	raiseHosted(&rules)
	rules.Version = version(&rules)
	today.Rules = &rules
	return &today
}

// Parse reads the content of a rules file. path is for messages, and gives rules without a name one.
func Parse(path string, content []byte) (*File, error) {
	file, root, err := yamlfile.Parse(path, topLevel, content)
	if err != nil {
		return nil, err
	}
	d := decoder{file}
	f := d.file(root)
	if err := d.Err(); err != nil {
		return nil, err
	}
	if f.Rules.Name == "" {
		f.Rules.Name = cmp.Or(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), filepath.Base(path))
	}
	if err := f.Rules.Check(); err != nil {
		return nil, fmt.Errorf("%s: rules that contradict each other: %w", path, err)
	}
	if _, err := identifier.New([16]byte{}, f.Identifier); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Rules.Version = version(f.Rules)
	return f, nil
}
