package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// Paint colours text on a terminal, unless NO_COLOR is set (no-color.org).
type Paint struct{ on bool }

// NewPaint returns the Paint for w.
func NewPaint(w io.Writer) Paint { return Paint{isTerminal(w) && os.Getenv("NO_COLOR") == ""} }

func (p Paint) in(code, text string) string {
	if !p.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p Paint) Bold(text string) string   { return p.in("1", text) }
func (p Paint) Dim(text string) string    { return p.in("2", text) }
func (p Paint) Red(text string) string    { return p.in("31", text) }
func (p Paint) Green(text string) string  { return p.in("32", text) }
func (p Paint) Yellow(text string) string { return p.in("33", text) }
func (p Paint) Cyan(text string) string   { return p.in("36", text) }
