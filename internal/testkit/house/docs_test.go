package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const top = "../../.."

// tree is what the repository holds, by path from its top.
type tree struct {
	files, folders, symbols, targets map[string]bool
	embeds                           map[string][]string // by type: the types that it embeds
	locks                            map[string]string   // mutexes of the product, as Type.field: their files
}

func readTree(t *testing.T) *tree {
	t.Helper()
	r := &tree{
		map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string][]string{}, map[string]string{},
	}
	err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(name, filepath.FromSlash(top)), string(filepath.Separator)))
		switch {
		case entry.IsDir() && slices.Contains([]string{".git", "bin", ".kafka", ".clients", "node_modules"}, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir():
			r.folders[p] = true
			return nil
		}
		r.files[p] = true
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		r.note(file, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(top, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(makefile, -1) {
		r.targets[string(m[1])] = true
	}
	return r
}

// note keeps the names that a file declares: functions, types, fields, methods, values; "Type.method" as well, and
// "package.Name".
func (r *tree) note(file *ast.File, name string) {
	add := func(name string) {
		r.symbols[name] = true
		r.symbols[file.Name.Name+"."+name] = true
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(d.Name.Name)
			if d.Recv != nil {
				receiver := d.Recv.List[0].Type
				if star, ok := receiver.(*ast.StarExpr); ok {
					receiver = star.X
				}
				if index, ok := receiver.(*ast.IndexExpr); ok {
					receiver = index.X
				}
				if id, ok := receiver.(*ast.Ident); ok {
					add(id.Name + "." + d.Name.Name)
				}
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(name.Name)
					}
				case *ast.TypeSpec:
					add(spec.Name.Name)
					ast.Inspect(spec.Type, func(n ast.Node) bool {
						if field, ok := n.(*ast.Field); ok {
							r.noteField(spec.Name.Name, field, name)
							for _, name := range field.Names {
								add(name.Name)
								add(spec.Name.Name + "." + name.Name)
							}
						}
						return true
					})
				}
			}
		}
	}
}

// noteField keeps which types a type embeds, and which of its fields are mutexes of the product.
func (r *tree) noteField(owner string, field *ast.Field, file string) {
	typ := field.Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok && len(field.Names) == 0 {
		r.embeds[owner] = append(r.embeds[owner], id.Name)
	}
	s, ok := typ.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Mutex" && s.Sel.Name != "RWMutex" || strings.HasSuffix(file, "_test.go") ||
		strings.HasPrefix(file, "internal/testkit/") || strings.HasPrefix(file, "bench/") {
		return
	}
	for _, name := range field.Names {
		r.locks[owner+"."+name.Name] = file
	}
}

// hasSymbol reports whether a name exists, be it that of a method or field of an embedded type.
func (r *tree) hasSymbol(word string) bool {
	if r.symbols[word] {
		return true
	}
	owner, name, _ := strings.Cut(word, ".")
	for _, embedded := range r.embeds[owner] {
		if r.hasSymbol(embedded + "." + name) {
			return true
		}
	}
	return false
}

var (
	fence      = regexp.MustCompile("(?ms)^```.*?^```")
	code       = regexp.MustCompile("`([^`\n]+)`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	goPath     = regexp.MustCompile(`^[a-z0-9_./-]+\.(go|md|yml|yaml|txt|json)$`)
	folderPath = regexp.MustCompile(`^(graph|actors|storage|ingest|api|egress|bench|cmd|node|cluster|internal|docs|deploy)/[a-z0-9_/-]*$`)
	symbol     = regexp.MustCompile(`^[A-Za-z]\w*\.[A-Za-z]\w*$`)
	packaged   = regexp.MustCompile(`^[a-z]+\.[A-Z]\w*$`) // a name with its package
	goTest     = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark|Example)[A-Z]\w*`)
	makeTarget = regexp.MustCompile(`^make ([a-z-]+)`)
)

// Every path, symbol, test and make target that a page names exists, and every link leads somewhere.
func TestDocsNameWhatExists(t *testing.T) {
	r := readTree(t)
	for page := range r.files {
		if !strings.HasSuffix(page, ".md") || strings.Contains(page, "testdata/") || page == "CHANGELOG.md" {
			continue // a change log names what was there
		}
		raw, err := os.ReadFile(filepath.Join(top, page))
		if err != nil {
			t.Fatal(err)
		}
		text := string(fence.ReplaceAll(raw, nil))
		record := strings.HasPrefix(page, "docs/decisions/") // holds what was decided then; its symbols may be gone
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			word := m[1]
			switch {
			case record:
			case goPath.MatchString(word) && strings.HasSuffix(word, ".go"):
				if !r.files[word] && !r.files[path.Join(path.Dir(page), word)] && !r.named(word) {
					t.Errorf("%s names `%s`: no such file", page, word)
				}
			case folderPath.MatchString(word):
				if !r.folders[strings.TrimSuffix(word, "/")] {
					t.Errorf("%s names `%s`: no such folder", page, word)
				}
			case goPath.MatchString(strings.ToLower(word)): // another file, linked where it matters
			case symbol.MatchString(word) && word != "NaN.NaN" && word[0] >= 'A' && word[0] <= 'Z', packaged.MatchString(word):
				if !r.hasSymbol(word) {
					t.Errorf("%s names `%s`: no such symbol", page, word)
				}
			}
			if target := makeTarget.FindStringSubmatch(word); target != nil && !r.targets[target[1]] {
				t.Errorf("%s names `%s`: no such target", page, word)
			}
		}
		if !record {
			for _, name := range goTest.FindAllString(text, -1) {
				if !r.prefixOfTest(name) {
					t.Errorf("%s names %s: no such test", page, name)
				}
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			r.checkLink(t, page, m[1])
		}
	}
}

// named reports whether some file has this name, for pages that leave the folder out.
func (r *tree) named(name string) bool {
	if strings.Contains(name, "/") {
		return false
	}
	for file := range r.files {
		if path.Base(file) == name {
			return true
		}
	}
	return false
}

// prefixOfTest reports whether a name is that of a test, or, as -run takes it, the beginning of one.
func (r *tree) prefixOfTest(name string) bool {
	for s := range r.symbols {
		if strings.HasPrefix(s, name) {
			return true
		}
	}
	return false
}

func (r *tree) checkLink(t *testing.T, page, to string) {
	t.Helper()
	if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
		return
	}
	file, anchor, _ := strings.Cut(to, "#")
	target := page
	if file != "" {
		target = path.Join(path.Dir(page), file)
	}
	if !r.files[target] && !r.folders[target] {
		t.Errorf("%s links to %s: no such file", page, to)
		return
	}
	if anchor == "" || !strings.HasSuffix(target, ".md") {
		return
	}
	raw, err := os.ReadFile(filepath.Join(top, target))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range heading.FindAllSubmatch(fence.ReplaceAll(raw, nil), -1) {
		if anchorOf(string(m[1])) == anchor {
			return
		}
	}
	t.Errorf("%s links to %s: no such heading", page, to)
}

// anchorOf is how hosts of Markdown name a heading.
func anchorOf(title string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(strings.TrimSpace(title)) {
		switch {
		case c == ' ':
			b.WriteByte('-')
		case c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c > 127:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// The file map of docs/architecture.md has every folder with source.
func TestFileMapIsComplete(t *testing.T) {
	mapped := map[string]bool{}
	for _, m := range code.FindAllStringSubmatch(section(t, "Files"), -1) {
		name := strings.TrimSuffix(m[1], "/")
		if strings.HasSuffix(name, ".go") {
			name = path.Dir(name)
		}
		mapped[name] = true
	}
	missing := map[string]bool{}
	for file := range readTree(t).files {
		folder := path.Dir(file)
		if strings.HasSuffix(file, ".go") && !strings.Contains(file, "testdata/") && !mapped[folder] {
			missing[folder] = true
		}
	}
	for folder := range missing {
		t.Errorf("docs/architecture.md has no line for `%s` under Files", folder)
	}
}

// Lines of pages have at most 120 columns, but for tables, code, and links that are longer.
func TestPagesHaveShortLines(t *testing.T) {
	for file := range readTree(t).files {
		if !strings.HasSuffix(file, ".md") || strings.HasPrefix(file, "docs/decisions/") || strings.Contains(file, "testdata/") || file == "CHANGELOG.md" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(top, file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(fence.ReplaceAll(raw, nil))) {
			line = strings.TrimRight(line, "\n")
			if columns := utf8.RuneCountInString(line); columns > 120 && !strings.HasPrefix(line, "|") && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s has a line of %d columns: %s", file, columns, line)
			}
		}
	}
}

// docs/architecture.md lists every lock with its order.
func TestLocksAreListed(t *testing.T) {
	listed := section(t, "Goroutines and locks")
	locks := readTree(t).locks
	if len(locks) < 10 {
		t.Fatalf("%d locks were found: the search is broken", len(locks))
	}
	for lock, file := range locks {
		if !strings.Contains(listed, "`"+lock+"`") {
			t.Errorf("docs/architecture.md does not list the lock `%s` of %s", lock, file)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+\\.\\w+)`").FindAllStringSubmatch(listed, -1) {
		if locks[m[1]] == "" {
			t.Errorf("docs/architecture.md lists the lock `%s`, which does not exist", m[1])
		}
	}
}

// committers are the files that may call a method named Commit, and what of. Rows of a shard are in the batches of the shard,
// which the committer writes, and all others are written by the catalog (docs/decisions/0032). A commit beside these two would
// be written past what orders it.
var committers = map[string]string{
	"actors/commit.go":          "the committer, of Store",
	"actors/routes.go":          "of Journal, which decides before the committer writes",
	"actors/catalog/catalog.go": "the catalog, of its Log and of Store",
	"cluster/backup.go":         "of Store: the directory of a backup, which no one else has yet",
	"cluster/copying.go":        "of Store: a copy of a shard that is not whole yet, so that the engine cannot have it",
	"cluster/replica.go":        "of Owner, which orders the batches, and of Store: a copy of a shard that the engine does not have",
	"cluster/shared_rows.go":    "of the log of the store: rows of the catalog that are this node's own",
	"storage/row/deployment.go": "of Store: the first row of a new directory, which no one else has yet",
	"storage/memstore.go":       "of the store in memory, by itself",
}

// Only the committer and the catalog write to the store.
func TestOnlyTwoWritersCommit(t *testing.T) {
	met := map[string]bool{}
	for file := range readTree(t).files {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || isTestKit(path.Dir(file)) || strings.HasPrefix(file, "bench/") {
			continue // benchmarks write to stores of their own
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, filepath.Join(top, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			selected, ok := n.(*ast.SelectorExpr) // a method value, too
			if !ok || selected.Sel.Name != "Commit" {
				return true
			}
			if met[file] = true; committers[file] == "" {
				t.Errorf("%s:%d calls Commit: put rows of a shard in the batch of its step, and others in a change of the catalog", file, fset.Position(n.Pos()).Line)
			}
			return true
		})
	}
	for file := range committers {
		if !met[file] {
			t.Errorf("%s may call Commit, and does not", file)
		}
	}
}

// section is what docs/architecture.md says under a heading.
func section(t *testing.T, title string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(top, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), "\n## "+title+"\n")
	if !found {
		t.Fatalf("docs/architecture.md has no heading %s", title)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// banned are turns of phrase that make a reader stop, and what to write instead.
var banned = []struct{ phrase, instead string }{
	{`(?i)\btells? whether\b`, "reports whether"},
	{`(?i)\bsays? whether\b`, "reports whether"},
	{`(?i)[^e] (is|are) none\b`, "there is no …"},
	{`(?i)\b(is|are) nobody's\b`, "belongs to no one"},
	{`(?i)^who (is|has|was|asks|gives|calls|sends|waits|wants)\b`, "name the actor: the caller, the reader, a client"},
	{`(?i)[.;] who (is|has|asks|gives|calls|sends|waits|wants)\b[^?]*\.`, "name the actor: the caller, the reader, a client"},
	{`(?i)\bwhoever\b`, "name the actor: the caller, the reader, a client"},
	{`(?i)\bof who\b`, "name the actor"},
	{`(?i)\bto who\b`, "name the actor"},
	{`(?i)\bin no hurry\b`, "low priority"},
	{`(?i)\bhow often is\b`, "subject before verb"},
	{`(?i)\bas soon as may be\b`, "as soon as possible"},
	{`(?i)\bthe sooner\b`, "earlier"},
	{`(^|[.!] )(Who|What|Whose) [a-z][^?.]*\.( |$)`, "a sentence begins with its subject, a noun"},
	{`\bbehind (it|them|all|everything)\b`, "after"},
	{`(?i)\bcomes? to nothing\b`, "has no effect"},
}

// Comments and pages are in plain technical English (CONTRIBUTING.md).
func TestPlainEnglish(t *testing.T) {
	patterns := make([]*regexp.Regexp, len(banned))
	for i, b := range banned {
		patterns[i] = regexp.MustCompile(b.phrase)
	}
	found := map[string]int{}
	var places []string
	check := func(place, text string) {
		text = strings.Join(strings.Fields(text), " ")
		for i, p := range patterns {
			if m := p.FindString(text); m != "" {
				found[banned[i].phrase]++
				places = append(places, fmt.Sprintf("%s: %q; write: %s", place, m, banned[i].instead))
				if strings.HasSuffix(place, ".md") { // pages are done
					t.Error(places[len(places)-1])
				}
			}
		}
	}
	for file := range readTree(t).files {
		raw, err := os.ReadFile(filepath.Join(top, file))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(file, "internal/testkit/house/"), strings.HasPrefix(file, "docs/decisions/"), strings.Contains(file, "testdata/"), file == "CHANGELOG.md":
		case strings.HasSuffix(file, ".md"):
			for _, paragraph := range bytes.Split(fence.ReplaceAll(raw, nil), []byte("\n\n")) {
				check(file, string(paragraph))
			}
		case strings.HasSuffix(file, ".go"):
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, file, raw, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, group := range parsed.Comments {
				check(fset.Position(group.Pos()).String(), group.Text())
			}
		}
	}
	if len(places) > 0 {
		slices.Sort(places)
		t.Errorf("%d places:\n%s", len(places), strings.Join(places, "\n"))
	}
	for phrase, n := range found {
		t.Logf("%4d × %s", n, phrase)
	}
}
