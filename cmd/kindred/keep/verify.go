package keep

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/actors/audit"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/spf13/cobra"
)

// newVerify reads a directory or a backup without writing to it, and prints what it found.
//
// It opens the store alone, without an engine: nothing is replayed, and a directory is checked as it stands on the
// disk. Problems are the command's answer, on standard output, and set exit code 1. A store that can't be read to its
// end has no answer, just an error.
func newVerify() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "verify --data DIR",
		Short: "Read a whole data directory or backup and check every invariant",
		Long: `Read everything in a data directory or a backup, and check that every row can be decoded, that logs are
complete, that every identifier leads to the one component that hosts it, and that timelines hold the events
that profiles count. Nothing is changed. If there are problems, list them and end with exit code 1.`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&dir, "data", "", "data directory or backup to read")
	cli.WithEnv(cmd.Flags(), "data")
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if dir == "" {
			return cli.UsageError("verify: no directory to read; give --data DIR")
		}
		store, _, err := row.Open(storage.Options{Dir: dir, ReadOnly: true}, row.Deployment{})
		if err != nil {
			return err
		}
		bar := cli.NewProgress(cmd.ErrOrStderr(), "reading", -1, false, "rows")
		report, err := audit.Verify(cmd.Context(), store, func(rows uint64) { bar.Set(int64(rows)) })
		bar.End()
		if closing := store.Close(); err == nil && report.OK() {
			err = closing
		}
		if err != nil {
			return fmt.Errorf("verify %s: %w", dir, err)
		}
		if err := out.Show(cmd.OutOrStdout(), report, func(w io.Writer) { verifyTable(w, report) }); err != nil {
			return err
		}
		if !report.OK() {
			return cli.Exit(cli.ExitFailure, errors.New(cli.Plural(report.ProblemsTotal, "problem")+" in "+dir+"; restore it from a backup, and check the disk"))
		}
		return nil
	}
	return cmd
}

// verifyTable prints rows by kind, then what they hold, then the problems that the report kept; it says how many more
// there were.
func verifyTable(w io.Writer, r *audit.Report) {
	var t cli.Table
	for _, space := range slices.Sorted(maps.Keys(r.Rows)) {
		t.Row(space+" rows", cli.Number(r.Rows[space]))
	}
	t.Row("bytes", cli.FormatBytes(int64(r.Bytes)))
	t.Row("identifiers", cli.Number(r.Identifiers))
	t.Row("components", cli.Number(r.Components))
	t.Row("links", cli.Number(r.Links))
	t.Row("events folded", cli.Number(r.Folded))
	t.Row("events in timelines", cli.Number(r.Events))
	t.Row("log to replay", cli.Plural(r.LogRecords, "record")+" with "+cli.Plural(r.LogEvents, "event"))
	t.Write(w, "")
	if r.OK() {
		fmt.Fprintln(w, "\nno problems found")
		return
	}
	fmt.Fprintf(w, "\n%s:\n", cli.Plural(r.ProblemsTotal, "problem"))
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s\n", p)
	}
	if more := r.ProblemsTotal - uint64(len(r.Problems)); more > 0 {
		fmt.Fprintf(w, "  and %s more\n", cli.Number(more))
	}
}
