package mutant

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// roots are the folders whose sources hunks may match, tests and packages below included.
var roots = []string{"graph", "actors", "storage", "cluster"}

// sources are the Go files in which hunks are looked for, by path from the root of the module.
type sources struct {
	files map[string]*source
	names []string // sorted
}

type source struct {
	text   []byte
	tokens []lexeme
	syntax *ast.File
	base   int // of positions in syntax
}

// readSources reads the files below roots of the module in a folder.
func readSources(module string) (*sources, error) {
	s := &sources{files: map[string]*source{}}
	for _, root := range roots {
		err := filepath.WalkDir(filepath.Join(module, root), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return filepath.SkipDir
			case entry.IsDir() || filepath.Ext(path) != ".go":
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(module, path)
			if err != nil {
				return err
			}
			return s.add(filepath.ToSlash(name), text)
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *sources) add(name string, text []byte) error {
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	s.files[name] = &source{text, scan(text), syntax, set.File(syntax.FileStart).Base()}
	s.names = slices.Sorted(maps.Keys(s.files))
	return nil
}

// apply returns mutated copies of the files that the mutants change. It reports every hunk that does not apply.
func (s *sources) apply(mutants []Mutant) (map[string][]byte, error) {
	edits := map[string][]edit{}
	var problems []error
	for _, m := range mutants {
		for i := range m.hunks {
			name, e, err := s.place(&m.hunks[i])
			if err != nil {
				problems = append(problems, err)
				continue
			}
			edits[name] = append(edits[name], e)
		}
	}
	copies := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(edits)) {
		copied, err := rewrite(s.files[name].text, edits[name])
		if err == nil {
			_, err = parser.ParseFile(token.NewFileSet(), name, copied, parser.SkipObjectResolution)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: its mutants do not parse, see what they add: %w", name, err))
			continue
		}
		copies[name] = copied
	}
	return copies, errors.Join(problems...)
}

// place finds the one place of a hunk.
func (s *sources) place(h *hunk) (string, edit, error) {
	want := h.wanted()
	var places []string
	var found []lexeme
	name, nearest, near := "", 0, ""
	for _, file := range s.names {
		src := s.files[file]
		for at := range src.tokens {
			tokens, reached := match(src.tokens[at:], want)
			if tokens == nil {
				if reached > nearest {
					nearest, near = reached, fmt.Sprintf("; the nearest, at %s, differs where the hunk has %s", src.at(file, at), strconv.Quote(want[reached].text))
				}
				continue
			}
			places = append(places, src.at(file, at))
			name, found = file, tokens
		}
	}
	switch len(places) {
	case 0:
		return "", edit{}, h.errorf("it matches no code below %s%s; write its lines as the code is now, so that it breaks the same rule, "+
			"and see in `make mutants` that it dies", strings.Join(roots, ", "), near)
	case 1:
		if unknown := s.unknown(filepath.ToSlash(filepath.Dir(name)), h.added); unknown != "" {
			return "", edit{}, h.errorf("it adds %s, a name that the package does not have; name what is there now", unknown)
		}
		e, err := s.files[name].edit(h, found)
		return name, e, err
	}
	return "", edit{}, h.errorf("it matches %d places, %s; add code around it until one is left", len(places), strings.Join(places, ", "))
}

// unknown returns a name in added code that does not exist in the package, for example after a renaming, or "".
func (s *sources) unknown(folder, added string) string {
	tokens := scan([]byte(added))
	for i, t := range tokens {
		declared := i+1 < len(tokens) && tokens[i+1].text == ":="
		if t.text == "mutant" || i > 1 && tokens[i-2].text == "mutant" || declared || !token.IsIdentifier(t.text) {
			continue
		}
		if types.Universe.Lookup(t.text) != nil || slices.ContainsFunc(tokens[:i], func(o lexeme) bool { return o.text == t.text }) {
			continue
		}
		if !slices.ContainsFunc(s.names, func(name string) bool {
			return filepath.ToSlash(filepath.Dir(name)) == folder &&
				slices.ContainsFunc(s.files[name].tokens, func(o lexeme) bool { return o.text == t.text })
		}) {
			return t.text
		}
	}
	return ""
}

// at is the place of a token, as file and line.
func (src *source) at(file string, i int) string {
	return fmt.Sprintf("%s:%d", file, 1+bytes.Count(src.text[:src.tokens[i].pos], []byte("\n")))
}
