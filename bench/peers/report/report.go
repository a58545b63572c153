// Package report writes what a run measured: a page of Markdown, pictures, and JSON.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kindred-id/kindred/bench/peers/harness"
)

// folder holds the pictures and the JSON, beside the page.
const folder = "results"

// Write writes the page RESULTS.md into a directory, and the rest into a folder of it.
func Write(dir string, r *harness.Report) error {
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, folder, "results.json"), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	pictures, err := drawPictures(r)
	if err != nil {
		return err
	}
	for name, picture := range pictures {
		if err := os.WriteFile(filepath.Join(dir, folder, name), picture, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "RESULTS.md"), []byte(page(r, pictures)), 0o644)
}

// writer builds the page.
type writer struct {
	strings.Builder
	pictures map[string][]byte
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *writer) heading(format string, args ...any) { w.line("\n## "+format+"\n", args...) }

// table writes rows; the first is the head.
func (w *writer) table(rows [][]string) {
	for i, row := range rows {
		w.line("| %s |", strings.Join(row, " | "))
		if i == 0 {
			w.line("|%s", strings.Repeat("---|", len(row)))
		}
	}
}

func (w *writer) picture(name, text string) {
	if _, ok := w.pictures[name]; ok {
		w.line("\n![%s](%s/%s)", text, folder, name)
	}
}

// with is a median with the lowest and the highest.
func with(s harness.Spread, digits int) string {
	if s.Low == s.High {
		return number(s.Median, digits)
	}
	return fmt.Sprintf("%s (%s to %s)", number(s.Median, digits), number(s.Low, digits), number(s.High, digits))
}

// number writes thousands apart.
func number(v float64, digits int) string {
	text := fmt.Sprintf("%.*f", digits, v)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		return whole + "." + rest
	}
	return whole
}
