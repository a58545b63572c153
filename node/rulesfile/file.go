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

// File is what a preset or a file says.
type File struct {
	Rules      *graph.Rules
	Identifier identifier.Config
	Paths      []PathMapping // in the order of the file
	Currency   string        // of money that names none: ISO 4217, three capitals
	Sources    []string      // the most trusted first; those that are not listed rank below
	// SourcesApart number their messages apart: a message id of such a source is one of that source.
	SourcesApart []string
	// Context is what of an event's context is kept with it.
	Context Context
	Times   Times       // which times of events are believed
	Scores  score.Terms // with defaults; who is who does not depend on them
}

// PathMapping says that events carry identifiers of a namespace at a path: keys of nested JSON
// objects, from the event down, with dots between.
type PathMapping struct {
	Path      string
	Namespace string
}

// DefaultCurrency is the currency of money that names none.
const DefaultCurrency = "USD"

// fileBytesMax bounds a rules file.
const fileBytesMax = 1 << 20

// Load reads the preset of that name, or else the file at that path. A file that is called like a
// preset is reached as ./name.
//
// It fails with everything that is wrong with a file at once, a line a problem.
func Load(nameOrPath string) (*File, error) {
	if slices.Contains(Presets(), nameOrPath) {
		return preset(nameOrPath), nil
	}
	content, err := yamlfile.Read(nameOrPath, fileBytesMax)
	if err != nil {
		// Nobody keeps rules in a file without a folder or an ending: it is a preset, misspelt.
		if errors.Is(err, os.ErrNotExist) && filepath.Ext(nameOrPath) == "" && filepath.Base(nameOrPath) == nameOrPath {
			return nil, fmt.Errorf("rules %q: no such preset or file; presets are %s", nameOrPath, presetList())
		}
		return nil, fmt.Errorf("read rules: %w; give a file, or a preset: %s", err, presetList())
	}
	return Parse(nameOrPath, content)
}

// ParseKept reads rules that a data directory keeps: what YAML wrote. A text without a rule about aliases is of
// a program that had none, and means what it meant there (graph.Rules.Former).
func ParseKept(path string, content []byte) (*File, error) {
	f, err := Parse(path, content)
	if err == nil && !bytes.Contains(content, []byte("\n"+aliasKey+": ")) {
		f.Rules.Former, f.Rules.Alias = true, graph.AliasRefused
		f.Rules.MaxMembers, f.Rules.MaxIdentity = f.Rules.MaxIdentity, 0 // identifiers bounded a component
		f.Rules.Version = version(f.Rules)
	}
	return f, err
}

// formerIdentifiers is the cap of former presets, and of files that named none.
const formerIdentifiers = 1000

// Today gives the rules that say the same, and mean by it what they mean today.
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

// Parse reads the content of a rules file; path is for messages, and names rules that have no name.
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
