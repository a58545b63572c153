package run

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/kindred-id/kindred/api/client/upload"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/spf13/cobra"
)

// newIngest reads files into a directory or to a server, and prints one summary for all of them.
//
// Everything that can be refused is refused before the first event: both destinations or none, a missing file, a file
// for rejected lines that exists. After that, a run that fails in the middle still prints its summary, of what was
// taken, and the same command may be given again: events that were taken are duplicates.
func newIngest() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ingest --data DIR FILE... | --to URL FILE...",
		Short: "Ingest files of events",
		Long: `Ingest files of events: one JSON object per line, a JSON array, JSON documents over several lines, or
{"batch":[…]}; plain or compressed with gzip or zstd; "-" is standard input. With --map, files of other
systems as well, also CSV with a header and Parquet: a mapping says which events their records become. It is
the name of a ready-made one (kindred map list) or a file. With --data the events go into a data directory, which no other process may have open. With --to they
go to a running server, and events that it cannot accept at the moment are sent again.

An event is recognised by its message id and its content, however it arrives. So ingesting a file twice
changes nothing, whether with --data, with --to, or with one after the other: after any failure, run the same
command again.

Prints a summary to standard output, as JSON. Rejected lines are written to a file, each with its reason, and
the command then ends with exit code 5.`,
		Args: cobra.MinimumNArgs(1),
	}
	f := cli.AddNode(cmd)
	var to, rejectsName, mapping string
	var patience time.Duration
	cli.AddServer(cmd, &to, "to", "send the events to the running server at this URL")
	cmd.Flags().DurationVar(&patience, "patience", 5*time.Minute, "with --to: how long to retry a batch that the server does not accept")
	cmd.Flags().StringVar(&mapping, "map", "", "mapping of the files' records to events: the NAME of a ready-made one, or a FILE")
	_ = cmd.RegisterFlagCompletionFunc("map", cobra.FixedCompletions(record.ReadyNames(), cobra.ShellCompDirectiveDefault))
	cmd.Flags().StringVar(&rejectsName, "rejects", "", "file for rejected lines, created if there are any (default kindred-rejects-TIME.ndjson)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if to != "" && cmd.Flags().Changed("data") {
			return cli.UsageError("ingest: give --data or --to, not both")
		}
		if to == "" && f.Config.Dir == "" {
			return cli.UsageError("ingest: no destination; give --data DIR, or --to URL of a running server")
		}
		for _, name := range []string{"rules", "region", "currency"} {
			if to != "" && cmd.Flags().Changed(name) {
				return cli.UsageError("ingest: --%s cannot change a server's rules; use it with --data", name)
			}
		}
		size, err := sizeOf(args)
		if err != nil {
			return err
		}
		if info, err := os.Stat(rejectsName); err == nil && info.Mode().IsRegular() {
			return cli.Exit(cli.ExitRefused, fmt.Errorf("ingest: --rejects %s: file exists; name another one, or move it away", rejectsName))
		}
		mapper, usage, err := mapperOf(mapping)
		if err != nil {
			return err
		}
		if to == "" && !slices.Contains(args, "-") {
			if err := f.AskLocale(cmd); err != nil {
				return err
			}
		}
		r := newRejects(rejectsName, time.Now())
		bar := cli.NewProgress(cmd.ErrOrStderr(), "ingesting", size, true, "")
		var summary file.Summary
		if to != "" {
			summary, err = send(cmd, to, upload.Files{
				Sources: sources(args, mapper), Patience: patience, Reject: r.add, Progress: bar.Add,
			})
		} else {
			summary, err = ingestInto(cmd, f, sources(args, mapper), r, bar)
		}
		bar.End()
		err = cmp.Or(err, r.close())
		if summary.Read == 0 && err != nil {
			return err
		}
		if usage != nil {
			summary.Skipped = usage.Skipped()
		}
		if err := cmp.Or(cli.WriteJSON(cmd.OutOrStdout(), summary), err); err != nil {
			return err
		}
		warn(cmd.ErrOrStderr(), usage)
		return afterIngest(cmd.ErrOrStderr(), &summary, r)
	}
	return cmd
}

// mapperOf returns the mapper of a mapping, with the counts of what it finds; nil without a name.
func mapperOf(name string) (*file.Mapper, *record.Usage, error) {
	if name == "" {
		return nil, nil, nil
	}
	m, err := record.FindMapping(name)
	if err != nil {
		return nil, nil, cli.Exit(cli.ExitUsage, fmt.Errorf("--map %s: %w", name, err))
	}
	usage := record.NewUsage(m)
	return file.NewMapper(m, usage), usage, nil
}

// warn prints what of a mapping met no record.
func warn(w io.Writer, usage *record.Usage) {
	if usage == nil {
		return
	}
	for _, warning := range usage.Warnings() {
		fmt.Fprintf(w, "kindred: warning: %s\n", warning)
	}
}

// afterIngest reports rejected lines, dropped fields and quarantined events, and returns the exit code.
func afterIngest(w io.Writer, s *file.Summary, r *rejects) error {
	if r.count > 0 {
		fmt.Fprintf(w, "kindred: %s rejected, see %s\n", cli.Plural(r.count, "line"), r.name)
	}
	if s.Skipped > 0 {
		fmt.Fprintf(w, "kindred: %s made no event: no condition of the mapping holds for them\n", cli.Plural(s.Skipped, "record"))
	}
	if len(s.Unidentified) > 0 {
		first := s.Unidentified[0]
		fmt.Fprintf(w, "kindred: %s without an identifier, the first at %s:%d: %s\n",
			cli.Plural(s.WithoutIdentifier, "event"), first.File, max(first.Line, first.Record), first.Message)
	}
	for _, key := range s.Dropped.Fields.Keys() {
		n, why := s.Dropped.Fields[key], ""
		if key.Code != "" { // the answers of a server do not give it for each
			why = ": " + string(key.Code)
		}
		fmt.Fprintf(w, "kindred: %s dropped from %s%s\n", key.Field, cli.Plural(int64(n), "event"), why)
	}
	if s.Quarantined > 0 {
		fmt.Fprintf(w, "kindred: %s quarantined, because handling failed\n", cli.Plural(s.Quarantined, "event"))
	}
	// Dropped fields are notes: their events were taken, so they leave the exit code alone.
	if s.Rejected+s.Quarantined > 0 {
		return cli.Silently(cli.ExitPartial)
	}
	return nil
}

// sizeOf adds up the sizes of files, and fails for a missing file before any is ingested. The sum is -1 if one of them
// has no size.
func sizeOf(names []string) (int64, error) {
	total := int64(0)
	for i, name := range names {
		if name == "-" {
			if slices.Contains(names[:i], "-") {
				return 0, cli.UsageError("ingest: \"-\" is given twice; standard input can be read only once")
			}
			total = -1
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return 0, fmt.Errorf("ingest: %w", err)
		}
		if info.IsDir() {
			return 0, fmt.Errorf("ingest: %s is a directory; name the files in it", name)
		}
		if !info.Mode().IsRegular() {
			total = -1
		}
		if total >= 0 {
			total += info.Size()
		}
	}
	return total, nil
}

// sources returns the files of these names.
func sources(names []string, m *file.Mapper) []file.Source {
	all := make([]file.Source, len(names))
	for i, name := range names {
		all[i] = file.FromPath(name, 0, m)
	}
	return all
}

// send sends files to a server.
func send(cmd *cobra.Command, address string, files upload.Files) (summary file.Summary, err error) {
	if files.Client, err = cli.Connect(cmd, address); err != nil {
		return summary, err
	}
	summary, err = files.Send(cmd.Context())
	return summary, cli.AboutKey(cmd, address, err)
}

// ingestInto ingests files into a directory that this process opens. It first waits for the sweep after a change of
// rules (Judged): a command that ended before would begin the sweep again each time, and never complete it. The times
// of a file are believed, as its events are not live.
func ingestInto(cmd *cobra.Command, f *cli.NodeFlags, from []file.Source, r *rejects, bar *cli.Progress) (file.Summary, error) {
	k, err := f.Open(cmd.Context(), f.Logger(cmd.ErrOrStderr()))
	if err != nil {
		return file.Summary{}, err
	}
	var summary file.Summary
	if err = k.Judged(cmd.Context()); err == nil {
		p := file.NewPipeline(k.Into(false))
		p.Reject, p.Progress = r.add, bar.Add
		summary, err = p.Run(cmd.Context(), from)
	}
	return summary, cmp.Or(err, k.Stop(context.Background()))
}
