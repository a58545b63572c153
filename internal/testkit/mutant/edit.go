package mutant

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

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

// kit is the import path of this package, which mutated sources import.
const kit = "github.com/kindred-id/kindred/internal/testkit/mutant"
