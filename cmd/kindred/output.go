package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// output says how a command shows its answer.
type output struct {
	format string
}

// Formats of answers. Without the flag it is a table on a terminal and JSON elsewhere.
const (
	formatJSON  = "json"
	formatTable = "table"
	formatCSV   = "csv"
)

func addOutput(cmd *cobra.Command, formats ...string) *output {
	o := &output{}
	cmd.Flags().VarP(&choice{&o.format, formats}, "output", "o", strings.Join(formats, " or ")+"; default table on a terminal, json elsewhere")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return o
}

// json tells whether to write JSON.
func (o *output) json(w io.Writer) bool {
	return o.format == formatJSON || o.format == "" && !isTerminal(w)
}

// show writes an answer as JSON, or lets table do it.
func (o *output) show(w io.Writer, answer any, table func(io.Writer)) error {
	if !o.json(w) {
		var b strings.Builder
		table(&b)
		_, err := io.WriteString(w, b.String())
		return err
	}
	return writeJSON(w, answer)
}

// writeJSON writes indented JSON. What is JSON already keeps its numbers and the order of its fields.
func writeJSON(w io.Writer, answer any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(answer)
}

// choice is a flag that takes one of some words.
type choice struct {
	value *string
	words []string
}

// Type implements pflag.Value.
func (*choice) Type() string     { return "FORMAT" }
func (c *choice) String() string { return *c.value }

// Set implements pflag.Value.
func (c *choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		return fmt.Errorf("want %s", strings.Join(c.words, " or "))
	}
	*c.value = text
	return nil
}

// table is text in columns, for people: every command that prints columns fills one.
type table struct {
	rows [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the rows, each with an indent, and two spaces between columns.
//
// tabwriter ends a column at a row that does not have it, and leaves spaces at the end of rows that are shorter than
// others. So each row is given all cells, and what is at the end of a line is cut off.
func (t *table) write(w io.Writer, indent string) {
	columns := 0
	for _, row := range t.rows {
		columns = max(columns, len(row))
	}
	var text strings.Builder
	aligned := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		cells := slices.Concat(row, make([]string, columns-len(row)))
		fmt.Fprintln(aligned, indent+strings.Join(cells, "\t"))
	}
	_ = aligned.Flush() // into memory
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// printable makes text that clients sent safe to show: what would move the cursor is escaped.
func printable(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError }) < 0 {
		return text
	}
	quoted := fmt.Sprintf("%q", text)
	return quoted[1 : len(quoted)-1]
}

// number writes an integer with thousands apart.
func number[T ~int | ~int64 | ~uint64](n T) string {
	text := fmt.Sprint(n)
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return sign + text
}

// plural writes a number and its noun.
func plural[T ~int | ~int64 | ~uint64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if base, ok := strings.CutSuffix(noun, "y"); ok && !strings.HasSuffix(base, "a") { // identities, but days
		return number(n) + " " + base + "ies"
	}
	return number(n) + " " + noun + "s"
}
