package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/actors/audit"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/spf13/cobra"
)

func newVerify() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "verify --data DIR",
		Short: "Read a whole data directory or backup and check every invariant",
		Long: `Read everything in a data directory or a backup and check it: every row, that logs are whole, that
every identifier leads to the one component that hosts it, that timelines hold what profiles count.
Nothing is changed. Ends with 1 when something is wrong, and says what and where.`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&dir, "data", "", "data directory")
	withEnv(cmd.Flags(), "data")
	out := addOutput(cmd, formatTable, formatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if dir == "" {
			return usageError("verify: give the directory to read: --data DIR")
		}
		store, _, err := row.Open(storage.Options{Dir: dir, ReadOnly: true}, row.Deployment{})
		if err != nil {
			return err
		}
		bar := newProgress(cmd.ErrOrStderr(), "reading", -1, false, "rows")
		report, err := audit.Verify(cmd.Context(), store, func(rows uint64) { bar.set(int64(rows)) })
		bar.end()
		if closing := store.Close(); err == nil && report.OK() {
			err = closing
		}
		if err != nil {
			return fmt.Errorf("verify %s: %w", dir, err)
		}
		if err := out.show(cmd.OutOrStdout(), report, func(w io.Writer) { verifyTable(w, report) }); err != nil {
			return err
		}
		if !report.OK() {
			return &exitError{exitFailure, errors.New(plural(report.ProblemsTotal, "problem") + " in " + dir + " (restore it from a backup, and check the disk)")}
		}
		return nil
	}
	return cmd
}

func verifyTable(w io.Writer, r *audit.Report) {
	var t table
	for _, space := range slices.Sorted(maps.Keys(r.Rows)) {
		t.row(space+" rows", number(r.Rows[space]))
	}
	t.row("bytes", formatBytes(int64(r.Bytes)))
	t.row("identifiers", number(r.Identifiers))
	t.row("components", number(r.Components))
	t.row("links", number(r.Links))
	t.row("events folded", number(r.Folded))
	t.row("events in timelines", number(r.Events))
	t.row("log to replay", plural(r.LogRecords, "record")+" with "+plural(r.LogEvents, "event"))
	t.write(w, "")
	if r.OK() {
		fmt.Fprintln(w, "\nnothing is wrong")
		return
	}
	fmt.Fprintf(w, "\n%s:\n", plural(r.ProblemsTotal, "problem"))
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s\n", p)
	}
	if more := r.ProblemsTotal - uint64(len(r.Problems)); more > 0 {
		fmt.Fprintf(w, "  and %s more\n", number(more))
	}
}
