package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal tells whether people look at w.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// paint writes in colour, where w can show it and nobody asked for none (no-color.org).
type paint struct{ on bool }

func newPaint(w io.Writer) paint { return paint{isTerminal(w) && os.Getenv("NO_COLOR") == ""} }

func (p paint) in(code, text string) string {
	if !p.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p paint) bold(text string) string   { return p.in("1", text) }
func (p paint) dim(text string) string    { return p.in("2", text) }
func (p paint) red(text string) string    { return p.in("31", text) }
func (p paint) green(text string) string  { return p.in("32", text) }
func (p paint) yellow(text string) string { return p.in("33", text) }
func (p paint) cyan(text string) string   { return p.in("36", text) }
