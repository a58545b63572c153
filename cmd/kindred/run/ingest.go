package run

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/client/upload"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/spf13/cobra"
)

func newIngest() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ingest --data DIR FILE... | --to URL FILE...",
		Short: "Take files of events in",
		Long: `Take files of events in: one JSON object a line, plain or compressed with gzip or zstd; "-" is standard
input. With --data they go straight into a directory, which no other process may have open; with --to
they go to a running server, and what it can't take now is sent again.

An event is known by its message id and its content, by whichever way it comes: to take a file in twice
changes nothing, with --data, with --to, or with one after the other. So after any failure run the same
command again.

Ends with a summary on standard output, as JSON. Lines that are rejected are written to a file, with
the reason of each, and the command then ends with 5.`,
		Args: cobra.MinimumNArgs(1),
	}
	f := cli.AddNode(cmd)
	var to, rejectsName string
	var patience time.Duration
	cmd.Flags().StringVar(&to, "to", "", "send to the server at this address")
	cmd.Flags().DurationVar(&patience, "patience", 5*time.Minute, "with --to: how long to go on sending a batch that the server does not take")
	cmd.Flags().StringVar(&rejectsName, "rejects", "", "file for rejected lines, made when there are any (default kindred-rejects-TIME.ndjson)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if to != "" && cmd.Flags().Changed("data") {
			return cli.UsageError("ingest: give --data or --to, not both")
		}
		if to == "" && f.Config.Dir == "" {
			return cli.UsageError("ingest: where to? Give --data DIR, or --to URL of a running server")
		}
		if to != "" && cmd.Flags().Changed("rules") {
			return cli.UsageError("ingest: with --to, the rules are the server's: leave --rules out")
		}
		size, err := sizeOf(args)
		if err != nil {
			return err
		}
		if info, err := os.Stat(rejectsName); err == nil && info.Mode().IsRegular() {
			return cli.Exit(cli.ExitRefused, fmt.Errorf("ingest: --rejects %s: the file is there already (name another one, or move it away)", rejectsName))
		}
		r := newRejects(rejectsName, time.Now())
		bar := cli.NewProgress(cmd.ErrOrStderr(), "ingesting", size, true, "")
		var summary file.Summary
		if to != "" {
			summary, err = send(cmd.Context(), to, upload.Files{
				Sources: sources(args), Patience: patience, Reject: r.add, Progress: bar.Add,
			})
		} else {
			summary, err = ingestInto(cmd, f, args, r, bar)
		}
		bar.End()
		err = cmp.Or(err, r.close())
		if summary.Read == 0 && err != nil {
			return err
		}
		if err := cmp.Or(cli.WriteJSON(cmd.OutOrStdout(), summary), err); err != nil {
			return err
		}
		return afterIngest(cmd.ErrOrStderr(), &summary, r)
	}
	return cmd
}

// afterIngest says what was left out, and with which code to end.
func afterIngest(w io.Writer, s *file.Summary, r *rejects) error {
	if r.count > 0 {
		fmt.Fprintf(w, "kindred: %s rejected, see %s\n", cli.Plural(r.count, "line"), r.name)
	}
	for _, key := range s.Dropped.Fields.Keys() {
		n, why := s.Dropped.Fields[key], ""
		if key.Code != "" { // over HTTP it is not told for each
			why = ": " + string(key.Code)
		}
		fmt.Fprintf(w, "kindred: %s left out of %s%s\n", key.Field, cli.Plural(int64(n), "event"), why)
	}
	if s.Quarantined > 0 {
		fmt.Fprintf(w, "kindred: %s set aside, as they could not be handled\n", cli.Plural(s.Quarantined, "event"))
	}
	if s.Rejected+s.Quarantined > 0 {
		return cli.Silently(cli.ExitPartial)
	}
	return nil
}

// sizeOf adds up the sizes of files, and finds those that are not there before anything begins. It is
// -1 when one has no size.
func sizeOf(names []string) (int64, error) {
	total := int64(0)
	for i, name := range names {
		if name == "-" {
			if slices.Contains(names[:i], "-") {
				return 0, cli.UsageError("ingest: standard input can be read once")
			}
			total = -1
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return 0, fmt.Errorf("ingest: %w", err)
		}
		if info.IsDir() {
			return 0, fmt.Errorf("ingest: %s is a directory: name the files in it", name)
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

// sources are the files, by name.
func sources(names []string) []file.Source {
	all := make([]file.Source, len(names))
	for i, name := range names {
		all[i] = file.FromPath(name, 0)
	}
	return all
}

// send sends files to a server.
func send(ctx context.Context, address string, files upload.Files) (summary file.Summary, err error) {
	if files.Client, err = client.New(address, nil); err != nil {
		return summary, cli.Exit(cli.ExitUsage, err)
	}
	return files.Send(ctx)
}

// ingestInto takes files into a directory of this process.
func ingestInto(cmd *cobra.Command, f *cli.NodeFlags, names []string, r *rejects, bar *cli.Progress) (file.Summary, error) {
	k, err := f.Open(cmd.Context(), f.Logger(cmd.ErrOrStderr()))
	if err != nil {
		return file.Summary{}, err
	}
	var summary file.Summary
	if err = k.Judged(cmd.Context()); err == nil {
		p := file.NewPipeline(k.Into(false))
		p.Reject, p.Progress = r.add, bar.Add
		summary, err = p.Run(cmd.Context(), sources(names))
	}
	return summary, cmp.Or(err, k.Stop(context.Background()))
}
