package mutant

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Mutant is a rule that is broken on purpose.
type Mutant struct {
	Name  string
	Is    string // what it breaks, in words
	hunks []hunk
}

// tables are the mutants of one process, those of several, and those of readers of the change feed over several.
var (
	//go:embed mutants.txt
	engine string
	//go:embed cluster.txt
	cluster string
	//go:embed feed.txt
	feed string
)

// All returns the mutants of mutants.txt, in its order: those that tests of one process notice.
func All() []Mutant { return must("mutants.txt", engine) }

// Cluster returns the mutants of cluster.txt, in its order: those that tests of several nodes notice.
func Cluster() []Mutant { return must("cluster.txt", cluster) }

// Feed returns the mutants of feed.txt, in its order: those that readers of the change feed of several processes notice.
func Feed() []Mutant { return must("feed.txt", feed) }

func must(file, text string) []Mutant {
	all, err := read(file, text)
	if err != nil {
		panic(err) // the quick test of this package fails first
	}
	return all
}

var header = regexp.MustCompile(`^([a-z]+(?:-[a-z]+)*): (\S.*)$`)

// read parses a table of mutants.
func read(file, text string) ([]Mutant, error) {
	var all []Mutant
	var b builder
	in := false // an entry
	end := func() error {
		if !in {
			return nil
		}
		in = false
		m := &all[len(all)-1]
		h, err := b.hunk(m.Name)
		m.hunks = append(m.hunks, h)
		return err
	}
	for i, line := range strings.Split(text, "\n") {
		fail := func(problem string) error { return fmt.Errorf("%s:%d: %s", file, i+1, problem) }
		var err error
		switch {
		case strings.TrimSpace(line) == "":
			err = end()
		case !in && strings.HasPrefix(line, "#"):
		case !in:
			m := header.FindStringSubmatch(line)
			if m == nil {
				return nil, fail(`expected "name: what it breaks"; separate entries by a blank line`)
			}
			if slices.ContainsFunc(all, func(other Mutant) bool { return other.Name == m[1] }) {
				return nil, fail("mutant " + m[1] + " is there twice; name each once")
			}
			all = append(all, Mutant{Name: m[1], Is: m[2]})
			b, in = builder{file: file, line: i + 2}, true
		case line == "@@":
			err = end()
			b, in = builder{file: file, line: i + 2}, true
		default:
			if !b.add(line) {
				return nil, fail(`a line of a hunk begins with "- ", "+ " or two spaces, and its edit is in one piece; begin another hunk with @@`)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return all, end()
}

// A builder gathers the lines of one hunk.
type builder struct {
	file  string
	line  int
	parts [4]strings.Builder // before, removed, added, after
	at    int                // the part of the last line
}

// add takes a line, and reports whether it is one and may stand here.
func (b *builder) add(line string) bool {
	mark, rest := line[:min(2, len(line))], line[min(2, len(line)):]
	part := 0
	switch {
	case mark == "- ":
		part = 1
	case mark == "+ ":
		part = 2
	case mark != "  ":
		return false
	case b.at > 0:
		part = 3
	}
	if part < b.at {
		return false
	}
	b.at = part
	b.parts[part].WriteString(rest + "\n")
	return true
}

func (b *builder) hunk(mutant string) (hunk, error) {
	h := hunk{mutant: mutant, file: b.file, line: b.line, added: strings.TrimSuffix(b.parts[2].String(), "\n")}
	for part, tokens := range map[int]*[]lexeme{0: &h.before, 1: &h.removed, 3: &h.after} {
		*tokens = scan([]byte(b.parts[part].String()))
	}
	switch {
	case len(h.removed) == 0 && strings.TrimSpace(h.added) == "":
		return h, h.errorf("it changes nothing; mark what it removes with - and what it adds with +")
	case len(h.before)+len(h.removed)+len(h.after) == 0:
		return h, h.errorf("it has nothing to find; add the code around with two spaces before it")
	case slices.ContainsFunc(h.removed, func(t lexeme) bool { return t.text == gap }):
		return h, h.errorf("it removes …; spell out what it removes")
	case slices.ContainsFunc([]lexeme{h.wanted()[0], h.wanted()[len(h.wanted())-1]}, func(t lexeme) bool { return t.text == gap }):
		return h, h.errorf("it begins or ends with …, which finds nothing; leave it out")
	}
	return h, nil
}
