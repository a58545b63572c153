package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Output is the format in which a command shows its answer.
type Output struct {
	Format string
}

// Formats of answers. Without the flag, an answer is a table on a terminal and JSON elsewhere.
const (
	FormatJSON  = "json"
	FormatTable = "table"
)

// AddOutput adds the flag --output.
func AddOutput(cmd *cobra.Command, formats ...string) *Output {
	o := &Output{}
	cmd.Flags().VarP(Choose(&o.Format, formats), "output", "o", "output format: "+strings.Join(formats, " or ")+" (default: table on a terminal, json elsewhere)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return o
}

// JSON reports whether to write JSON to w.
func (o *Output) JSON(w io.Writer) bool {
	return o.Format == FormatJSON || o.Format == "" && !isTerminal(w)
}

// Show writes an answer to w, as JSON or by calling table.
func (o *Output) Show(w io.Writer, answer any, table func(io.Writer)) error {
	if !o.JSON(w) {
		var b strings.Builder
		table(&b)
		_, err := io.WriteString(w, b.String())
		return err
	}
	return WriteJSON(w, answer)
}

// WriteJSON writes indented JSON. A json.RawMessage keeps its numbers and the order of its fields.
func WriteJSON(w io.Writer, answer any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(answer)
}

// Choose returns the value of a flag that accepts only these words.
func Choose(value *string, words []string) pflag.Value { return &choice{value, words} }

// choice is the value of a flag that accepts only some words.
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

// Table is text in columns, for people.
type Table struct {
	rows [][]string
}

// Row adds a row. Rows may differ in their number of cells.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// Write writes the rows, each after an indent, with two spaces between columns.
//
// tabwriter ends a column at a row that lacks it, and pads short rows with trailing spaces. So Write extends each row to
// all columns, and trims the ends of lines.
func (t *Table) Write(w io.Writer, indent string) {
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

// Printable escapes control characters in text that clients sent: a terminal would obey them.
func Printable(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError }) < 0 {
		return text
	}
	quoted := fmt.Sprintf("%q", text)
	return quoted[1 : len(quoted)-1]
}

// Number writes an integer with commas between thousands.
func Number[T ~int | ~int64 | ~uint64](n T) string {
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

// Plural writes a number and its noun, in the plural unless the number is 1.
func Plural[T ~int | ~int64 | ~uint64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if base, ok := strings.CutSuffix(noun, "y"); ok && !strings.HasSuffix(base, "a") { // identities, but days
		return Number(n) + " " + base + "ies"
	}
	return Number(n) + " " + noun + "s"
}
