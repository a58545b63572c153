package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// Every block of a dump starts with this.
const blockStart = "identity "

// diffBlocks bounds the identities that a diff shows; it counts the rest.
const diffBlocks = 5

// Diff lists the differences of two dumps, identity by identity and line by line: "-" marks lines only in want, "+" lines
// only in got. It is empty if the dumps are equal.
func Diff(want, got string) string {
	if want == got {
		return ""
	}
	w, g := blocks(want), blocks(got)
	var ids []string
	for _, blk := range slices.Concat(w, g) {
		if !slices.Contains(ids, blk.id) {
			ids = append(ids, blk.id)
		}
	}
	var b strings.Builder
	shown, more := 0, 0
	for _, id := range ids {
		x, y := linesOf(w, id), linesOf(g, id)
		switch {
		case slices.Equal(x, y):
		case shown == diffBlocks:
			more++
		default:
			shown++
			diffBlock(&b, id, x, y)
		}
	}
	switch {
	case shown == 0:
		b.WriteString("the same identities, in another order\n")
	case more > 0:
		fmt.Fprintf(&b, "and %d more identities that differ\n", more)
	}
	return b.String()
}

// diffBlock writes one identity that differs, with the lines that only one side has.
func diffBlock(b *strings.Builder, id string, want, got []string) {
	switch {
	case len(got) == 0:
		fmt.Fprintf(b, "%s: missing\n", id)
	case len(want) == 0:
		fmt.Fprintf(b, "%s: not wanted\n", id)
	default:
		fmt.Fprintf(b, "%s:\n", id)
	}
	mark := func(sign string, lines, others []string) (marked bool) {
		for _, line := range lines {
			if !slices.Contains(others, line) {
				fmt.Fprintf(b, "%s %s\n", sign, line)
				marked = true
			}
		}
		return marked
	}
	missing, unwanted := mark("-", want, got), mark("+", got, want)
	if !missing && !unwanted {
		b.WriteString("  the same lines, in another order or number\n")
	}
}

// block is one identity of a dump. lines holds all of a block except its first line; an id that occurs twice in a dump has
// the lines of both.
type block struct {
	id    string
	lines []string
}

// blocks cuts a dump into identities. Text before the first of them becomes a block of its own, so it is compared,
// too.
func blocks(dump string) []block {
	var all []block
	for line := range strings.Lines(dump) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, blockStart) || len(all) == 0 {
			all = append(all, block{id: line})
			continue
		}
		last := &all[len(all)-1]
		last.lines = append(last.lines, line)
	}
	return all
}

func linesOf(all []block, id string) []string {
	var lines []string
	for _, b := range all {
		if b.id == id {
			lines = append(lines, b.lines...)
		}
	}
	return lines
}
