package run

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/spf13/cobra"
)

// newMap groups what shows and tries mappings. Nothing of it ingests.
func newMap() *cobra.Command {
	return cli.Group("map", "Show, try and propose mappings of other systems' records to events", `A mapping says which events the records of another system become: see docs/import.md. ingest --map uses it
for files, serve --map for POST /v1/map/NAME, and a topic's map: for Kafka.`,
		newMapList(), newMapShow(), newMapCheck(), newMapGuess())
}

// completeMapping completes the name of a ready-made mapping as the first argument; the shell completes others as it may.
func completeMapping(others cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, others
		}
		return record.ReadyNames(), others
	}
}

func newMapList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the ready-made mappings",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var t cli.Table
			for _, name := range record.ReadyNames() {
				text, err := record.ReadyText(name)
				if err != nil {
					return err
				}
				first, _, _ := strings.Cut(string(text), "\n")
				t.Row(name, strings.TrimPrefix(first, "# "))
			}
			t.Write(cmd.OutOrStdout(), "")
			return nil
		},
	}
}

func newMapShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print a ready-made mapping, as a file to start from",
		Args:  cobra.ExactArgs(1), ValidArgsFunction: completeMapping(cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := record.FindReady(args[0]); err != nil {
				return cli.Exit(cli.ExitNotFound, err)
			}
			text, err := record.ReadyText(args[0])
			if err == nil {
				_, err = cmd.OutOrStdout().Write(text)
			}
			return err
		},
	}
}

func newMapCheck() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "check NAME|FILE SAMPLE",
		Short: "Try a mapping on a file: show the first events, and what is wrong",
		Long: `Map the records of a file as ingest --map does, show the first events as a table, and say what the mapping
names and no record has. Nothing is ingested. Exit code 5 if a record can't be read or the mapping has warnings.`,
		Args: cobra.ExactArgs(2), ValidArgsFunction: completeMapping(cobra.ShellCompDirectiveDefault),
	}
	cmd.Flags().IntVar(&most, "events", 10, "how many events to show")
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		mapper, usage, err := mapperOf(args[0])
		if err != nil {
			return err
		}
		t := trial{most: most}
		if err := t.run(cmd.Context(), file.FromPath(args[1], 0, mapper)); err != nil {
			return err
		}
		w := cmd.OutOrStdout()
		if out.JSON(w) {
			for _, e := range t.shown {
				fmt.Fprintf(w, "%s\n", e.raw)
			}
		} else {
			t.print(w)
		}
		return t.report(cmd.ErrOrStderr(), usage)
	}
	return cmd
}

// trial is the result of mapping a file without ingesting it.
type trial struct {
	most     int
	shown    []triedEvent
	events   int64
	problems []string // the first ones
	rejected int64
	each     func(raw []byte) bool // false: no more
	ended    bool
}

// triedEvent is an event that a record became.
type triedEvent struct {
	at  file.Place
	raw []byte
}

// problemsMax is how many problems are shown.
const problemsMax = 10

// run reads a file to its end.
func (t *trial) run(ctx context.Context, source file.Source) error {
	r, err := source.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	for ctx.Err() == nil && !t.ended {
		chunk, err := r.Next()
		if chunk != nil {
			chunk.Events(t.add)
			chunk.Release()
		}
		if chunk == nil || err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *trial) add(at file.Place, raw []byte, problem *segment.Rejection) {
	if problem != nil {
		if t.rejected++; len(t.problems) < problemsMax {
			t.problems = append(t.problems, fmt.Sprintf("%s: %v", placeName(at), problem))
		}
		return
	}
	if t.each != nil {
		t.ended = t.ended || !t.each(raw)
		return
	}
	if t.events++; len(t.shown) < t.most {
		t.shown = append(t.shown, triedEvent{at, bytes.Clone(raw)})
	}
}

// placeName names a place in a file.
func placeName(at file.Place) string {
	switch {
	case at.Record == 0:
		return fmt.Sprintf("line %d", at.Line)
	case at.Line == 0:
		return fmt.Sprintf("record %d", at.Record)
	}
	return fmt.Sprintf("line %d, record %d", at.Line, at.Record)
}

// print writes the events as a table.
func (t *trial) print(w io.Writer) {
	var table cli.Table
	table.Row("record", "type", "event", "time", "identifiers", "properties")
	for _, e := range t.shown {
		var event triedFields
		if err := json.Unmarshal(e.raw, &event); err != nil {
			table.Row(fmt.Sprint(cmp.Or(e.at.Record, e.at.Line)), "", "", "", "", cli.Printable(string(e.raw)))
			continue
		}
		table.Row(fmt.Sprint(cmp.Or(e.at.Record, e.at.Line)), text(event.Type), text(event.Event), text(event.Timestamp), event.identifiers(), cut(text(event.Properties)))
	}
	table.Write(w, "")
}

// triedFields are the fields of an event that are shown.
type triedFields struct {
	Type, Event, Timestamp, UserID, AnonymousID, PreviousID, Properties json.RawMessage
	Traits                                                              map[string]json.RawMessage
	Context                                                             struct {
		Traits       map[string]json.RawMessage
		Integrations map[string]json.RawMessage
	}
}

// identifiers shows what of the event may identify somebody.
func (e *triedFields) identifiers() string {
	var all []string
	add := func(name string, value json.RawMessage) {
		if s := text(value); s != "" && s != "null" {
			all = append(all, name+":"+s)
		}
	}
	add("user", e.UserID)
	add("anonymous", e.AnonymousID)
	add("previous", e.PreviousID)
	for _, key := range []string{"email", "phone"} {
		add(key, json.RawMessage(cmp.Or(string(e.Traits[key]), string(e.Context.Traits[key]))))
	}
	return strings.Join(all, " ")
}

// text returns a value as a cell shows it: a string without its quotes.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil && !bytes.Equal(value, []byte("null")) {
		return cli.Printable(s)
	}
	return cli.Printable(string(value))
}

// cellMax bounds a cell, in characters.
const cellMax = 60

// cut shortens a cell.
func cut(s string) string {
	if runes := []rune(s); len(runes) > cellMax {
		return string(runes[:cellMax-1]) + "…"
	}
	return s
}

// report writes what is wrong, and returns the exit code.
func (t *trial) report(w io.Writer, usage *record.Usage) error {
	for _, p := range t.problems {
		fmt.Fprintf(w, "kindred: %s\n", p)
	}
	if n := t.rejected - int64(len(t.problems)); n > 0 {
		fmt.Fprintf(w, "kindred: %s more\n", cli.Plural(n, "problem"))
	}
	if n := usage.Skipped(); n > 0 {
		fmt.Fprintf(w, "kindred: %s made no event\n", cli.Plural(n, "record"))
	}
	warn(w, usage)
	fmt.Fprintf(w, "kindred: %s, of which %d are shown; nothing was ingested\n", cli.Plural(t.events, "event"), len(t.shown))
	if t.rejected > 0 || len(usage.Warnings()) > 0 {
		return cli.Silently(cli.ExitPartial)
	}
	return nil
}

func newMapGuess() *cobra.Command {
	return &cobra.Command{
		Use:   "guess FILE",
		Short: "Propose a mapping for a file, by its columns",
		Long: `Read the first records of a file (CSV with a header, Parquet or JSON) and print a mapping that its columns
suggest, to be checked and completed. Exit code 5 if no column looks like an identifier.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var g record.Guess
			if err := eachRecord(cmd.Context(), args[0], guessRecords, g.Add); err != nil {
				return err
			}
			text, identified := g.Mapping(args[0])
			if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
				return err
			}
			if !identified {
				fmt.Fprintln(cmd.ErrOrStderr(), "kindred: no column looks like an identifier: without one, no event belongs to anybody")
				return cli.Silently(cli.ExitPartial)
			}
			return nil
		},
	}
}

// guessRecords is how many records a guess is made of.
const guessRecords = 1000

// eachRecord calls f for the first records of a file.
func eachRecord(ctx context.Context, path string, most int, f func(record []byte)) error {
	whole, err := record.ParseMapping("as it is", []byte("record: ."))
	if err != nil {
		return err
	}
	var failed error
	t := trial{each: func(raw []byte) bool {
		var event struct{ Record json.RawMessage }
		if failed = json.Unmarshal(raw, &event); failed != nil {
			return false
		}
		f(event.Record)
		most--
		return most > 0
	}}
	return cmp.Or(t.run(ctx, file.FromPath(path, 0, file.NewMapper(whole, nil))), failed)
}
