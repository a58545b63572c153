package mutant

import (
	"bytes"
	"cmp"
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

// Roots are the folders whose sources hunks may match, tests and packages below included.
var Roots = []string{"graph", "actors", "storage"}

// kit is the import path of this package, which mutated sources import.
const kit = "github.com/kindred-id/kindred/internal/testkit/mutant"

// gapMost bounds the tokens that … stands for, so that it stays within a few lines.
const gapMost = 60

// Sources are the Go files in which hunks are looked for, by path from the root of the module.
type Sources struct {
	files map[string]*source
	names []string // sorted
}

type source struct {
	text   []byte
	tokens []lexeme
	syntax *ast.File
	base   int // of positions in syntax
}

// ReadSources reads the files below Roots of the module in a folder.
func ReadSources(module string) (*Sources, error) {
	s := &Sources{files: map[string]*source{}}
	for _, root := range Roots {
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

func (s *Sources) add(name string, text []byte) error {
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	s.files[name] = &source{text, scan(text), syntax, set.File(syntax.FileStart).Base()}
	s.names = slices.Sorted(maps.Keys(s.files))
	return nil
}

// Apply returns mutated copies of the files that the mutants change. It reports every hunk that does not apply.
func (s *Sources) Apply(mutants []Mutant) (map[string][]byte, error) {
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
func (s *Sources) place(h *hunk) (string, edit, error) {
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
					nearest, near = reached, fmt.Sprintf("; the nearest is %s, up to %s", src.at(file, at), strconv.Quote(want[reached].text))
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
			"and see in `make mutants` that it dies", strings.Join(Roots, ", "), near)
	case 1:
		if unknown := s.unknown(filepath.ToSlash(filepath.Dir(name)), h.added); unknown != "" {
			return "", edit{}, h.errorf("it adds %s, a name that the package does not have; name what is there now", unknown)
		}
		e, err := s.files[name].edit(h, found)
		return name, e, err
	}
	return "", edit{}, h.errorf("it matches %d places, %s; add code around it until one is left", len(places), strings.Join(places, ", "))
}

// unknown returns a name in added code that stands nowhere in the package, as after a renaming; empty when there is none.
func (s *Sources) unknown(folder, added string) string {
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

// match reports where the wanted tokens are if the tokens begin with them, and else up to which of them they do.
func match(tokens, want []lexeme) (found []lexeme, reached int) {
	for i, w := range want {
		if w.text == gap {
			for skip := 0; skip <= min(gapMost, len(tokens)-i); skip++ {
				if rest, _ := match(tokens[i+skip:], want[i+1:]); rest != nil {
					return slices.Concat(tokens[:i], []lexeme{{gap, tokens[i].pos, tokens[i].pos}}, rest), 0
				}
			}
			return nil, i
		}
		if i >= len(tokens) || tokens[i].text != w.text {
			return nil, i
		}
	}
	return tokens[:len(want):len(want)], 0
}

// at is the place of a token, as file and line.
func (src *source) at(file string, i int) string {
	return fmt.Sprintf("%s:%d", file, 1+bytes.Count(src.text[:src.tokens[i].pos], []byte("\n")))
}

// An edit replaces a range of a source by a switch between it and what a mutant puts there.
type edit struct {
	hunk       *hunk
	pos, end   int
	expression bool
}

// edit is the edit that a hunk makes where its tokens were found.
func (src *source) edit(h *hunk, found []lexeme) (edit, error) {
	first, last := len(h.before), len(h.before)+len(h.removed)-1
	switch {
	case len(h.removed) == 0 && first > 0:
		end := found[first-1].end
		return edit{h, end, end, false}, nil
	case len(h.removed) == 0:
		return edit{h, found[0].pos, found[0].pos, false}, nil
	}
	e := edit{h, found[first].pos, found[last].end, false}
	statements, expression := src.shape(e.pos, e.end)
	e.expression = !statements
	if !statements && !expression {
		return e, h.errorf("what it removes is neither one expression nor whole statements; remove more, or less")
	}
	if e.expression && strings.TrimSpace(h.added) == "" {
		return e, h.errorf("it removes an expression and adds none")
	}
	return e, nil
}

// shape reports whether a range is whole statements of one list, and whether it is an expression.
func (src *source) shape(pos, end int) (statements, expression bool) {
	offset := func(p token.Pos) int { return int(p) - src.base }
	ast.Inspect(src.syntax, func(n ast.Node) bool {
		if n == nil || offset(n.Pos()) > pos || offset(n.End()) < end {
			return false
		}
		var list []ast.Stmt
		switch n := n.(type) {
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = n.Body
		case ast.Expr:
			expression = expression || offset(n.Pos()) == pos && offset(n.End()) == end
		}
		begins := slices.ContainsFunc(list, func(s ast.Stmt) bool { return offset(s.Pos()) == pos })
		statements = statements || begins && slices.ContainsFunc(list, func(s ast.Stmt) bool { return offset(s.End()) == end })
		return true
	})
	return statements, expression
}

// rewrite makes the edits. Edits of one range nest, and insertions at one place follow each other; others may not overlap.
func rewrite(text []byte, edits []edit) ([]byte, error) {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.end, b.end)) })
	// An import beside the package clause leaves the numbers of lines as they are.
	clause := bytes.Index(append([]byte("\n"), text...), []byte("\npackage "))
	line := clause + bytes.IndexByte(append(text[clause:len(text):len(text)], '\n'), '\n')
	out := fmt.Appendf(nil, "%s; import mutant %q", text[:line], kit)
	done := line
	for i := 0; i < len(edits); {
		e := edits[i]
		if e.pos < done {
			return nil, e.hunk.errorf("it overlaps the hunk of %s; let one of them remove less", edits[i-1].hunk.mutant)
		}
		out = append(out, text[done:e.pos]...)
		replaced := string(text[e.pos:e.end])
		for ; i < len(edits) && edits[i].pos == e.pos && edits[i].end == e.end; i++ {
			name, added := edits[i].hunk.mutant, edits[i].hunk.added
			switch {
			case e.expression:
				replaced = fmt.Sprintf("mutant.Pick(%q, %s, %s)", name, added, replaced)
			case e.pos == e.end:
				replaced += fmt.Sprintf("; if mutant.Is(%q) { %s\n};", name, added)
			default:
				replaced = fmt.Sprintf("if mutant.Is(%q) { %s\n} else { %s\n}", name, added, replaced)
			}
		}
		out = append(out, replaced...)
		done = e.end
	}
	return append(out, text[done:]...), nil
}
