package mutant

import (
	"fmt"
	"go/scanner"
	"go/token"
	"slices"
)

// A hunk is one edit. It finds the tokens before, removed and after in sequence, and replaces removed by added. A hunk that
// only inserts removes nothing.
type hunk struct {
	mutant                 string
	file                   string
	line                   int // where it begins
	before, removed, after []lexeme
	added                  string
}

// A lexeme is a token of Go: its text, by which hunks are found, and its place.
type lexeme struct {
	text     string
	pos, end int // byte offsets in the source
}

// gap is the token that stands for any few tokens.
const gap = "…"

// gapMost bounds the tokens that … stands for, so that it stays within a few lines.
const gapMost = 60

func (h *hunk) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: hunk of %s: %s", h.file, h.line, h.mutant, fmt.Sprintf(format, args...))
}

// wanted are the tokens that the hunk finds.
func (h *hunk) wanted() []lexeme { return slices.Concat(h.before, h.removed, h.after) }

// scan splits source into tokens, without comments and without the semicolons that stand for line breaks.
func scan(source []byte) []lexeme {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(source))
	s.Init(file, source, func(token.Position, string) {}, 0) // … is illegal, and kept
	var tokens []lexeme
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return tokens
		}
		if tok == token.SEMICOLON && text == "\n" {
			continue
		}
		if text == "" {
			text = tok.String()
		}
		at := file.Offset(pos)
		tokens = append(tokens, lexeme{text, at, at + len(text)})
	}
}

// match returns the tokens if they begin with the wanted ones. Else it returns nil, and the index of the first wanted
// token that differs.
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
