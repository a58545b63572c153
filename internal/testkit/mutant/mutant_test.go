package mutant

import (
	"strings"
	"testing"
)

// TestHunksApply fails as soon as somebody edits a line that a mutant breaks, long before `make mutants` runs (M1).
func TestHunksApply(t *testing.T) {
	for file, text := range map[string]string{"mutants.txt": engine, "cluster.txt": cluster, "feed.txt": feed} {
		if _, err := read(file, text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := writeOverlay(t.TempDir(), everything()); err != nil {
		t.Error(err)
	}
}

const sourceA = `package a

func f(n int) int {
	if n > 1 && n < 9 { // why
		return g(n,
			2)
	}
	n++
	return n
}
`

func TestApply(t *testing.T) {
	for _, test := range []struct {
		name, table, want string
	}{
		{"expression", "m: breaks\n  if\n- n > 1\n+ n > 0\n", `if mutant.Pick("m", n > 0, n > 1) && n < 9 {`},
		{"two of one expression", "m: breaks\n- n > 1\n+ true\n\no: breaks\n- n > 1\n+ false\n", `mutant.Pick("o", false, mutant.Pick("m", true, n > 1))`},
		{"statement", "m: breaks\n- n++\n+ n--\n", `if mutant.Is("m") { n--`},
		{"removal over a line break", "m: breaks\n- if n > 1 && n < 9 { return g(n, 2) }\n", `if mutant.Is("m") { ` + "\n} else { if n > 1"},
		{"insertion", "m: breaks\n  func f(n int) int {\n+ n = 0\n", `func f(n int) int {; if mutant.Is("m") { n = 0`},
		{"insertion before", "m: breaks\n+ n = 0\n  return n\n", `if mutant.Is("m") { n = 0` + "\n};return n"},
		{"gap", "m: breaks\n  g( … )\n  }\n- n++\n", `} else { n++`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := applied(test.table)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, test.want) || !strings.HasPrefix(got, `package a; import mutant "`) {
				t.Errorf("got\n%s\nwant in it %s", got, test.want)
			}
		})
	}
}

// TestRefused holds the messages for an editor of the engine or of the table.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, table, want string
	}{
		{"edited code", "m: breaks\n  if\n- n > 2\n+ true\n", `mutants.txt:2: hunk of m: it matches no code below graph, actors, storage, cluster; the nearest, at actors/a.go:4, differs where the hunk has "2"; write its lines`},
		{"two places", "m: breaks\n- n\n+ 1\n", "it matches 6 places, actors/a.go:3, actors/a.go:4"},
		{"half an expression", "m: breaks\n- n > 1 &&\n+ true &&\n", "neither one expression nor whole statements"},
		{"renamed", "m: breaks\n- n > 1\n+ limit > 1\n", "it adds limit, a name that the package does not have"},
		{"overlap", "m: breaks\n- n > 1\n+ true\n\no: breaks\n- n > 1 && n < 9\n+ true\n", "it overlaps the hunk of m"},
		{"no syntax", "m: breaks\n- n++\n+ n++ n\n", "its mutants do not parse"},
		{"gap at the end", "m: breaks\n- n++\n  return …\n", "it begins or ends with …"},
		{"nothing", "m: breaks\n  n++\n", "it changes nothing"},
		{"twice", "m: breaks\n- n++\n\nm: breaks\n- n++\n", "mutant m is there twice"},
		{"torn", "m: breaks\n- n > 1\n  &&\n- n < 9\n+ true\n", "its edit is in one piece"},
		{"no header", "- n++\n", "mutants.txt:1: expected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := applied(test.table); err == nil {
				t.Errorf("applied:\n%s", got)
			} else if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant in it %s", err, test.want)
			}
		})
	}
}

func applied(table string) (string, error) {
	mutants, err := read("mutants.txt", table)
	if err != nil {
		return "", err
	}
	s := &sources{files: map[string]*source{}}
	if err := s.add("actors/a.go", []byte(sourceA)); err != nil {
		return "", err
	}
	copies, err := s.apply(mutants)
	return string(copies["actors/a.go"]), err
}
