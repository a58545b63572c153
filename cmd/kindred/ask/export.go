package ask

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newExport copies an export to a file or to standard output as the server sends it.
//
// A file has a temporary name until it is complete, so an export that breaks off leaves none, and an older file stays.
// If events arrived during the export, a note on standard error says that the newest may be missing.
func newExport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write every identity, one per line, sorted by id",
		Long: `Write every identity that has at least one event, one per line, sorted by id, as NDJSON or CSV, to standard
output or a file. The file appears only when it is complete. A name that ends in .gz or .zst selects compression.`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Long += `

With --cursor, write pages to standard output in no order that means anything. It begins at once, and if it breaks off, it
says from which cursor to continue; what was written so far is whole pages.`
	t := cli.AddTarget(cmd)
	format, identifiers := string(document.NDJSON), ""
	cmd.Flags().Var(cli.Choose(&format, []string{string(document.NDJSON), string(document.CSV)}), "format", "output format: ndjson or csv")
	cmd.Flags().Var(cli.Choose(&identifiers, []string{"all"}), "identifiers", `"all" also writes identities without an event (default: only those with events)`)
	var o client.ExportOptions
	cmd.Flags().BoolVar(&o.Scores, "scores", false, "add the scores of each identity, computed as of now")
	cmd.Flags().BoolVar(&o.Audiences, "audiences", false, "add the audiences that each identity is in, as of now")
	cmd.Flags().BoolVar(&o.Computed, "computed", false, "add the computed traits of each identity, as of now")
	cmd.Flags().BoolVar(&o.Detail, "detail", false, "add the members that the change feed does not tell, so that lines are those of kindred get")
	cmd.Flags().StringVar(&o.Fields, "fields", "", "only these members, comma-separated; traits.NAME is one trait (default: all)")
	cmd.Flags().Var((*cli.Moment)(&o.SeenSince), "seen-since", "only people whose last event is of this time or later, such as 2026-01-31T09:30:00Z (default: all)")
	cmd.Flags().StringVar(&o.Cursor, "cursor", "", `write pages, not sorted, from "start" or from the cursor of an earlier run (default: everybody, sorted)`)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Format, o.Empty = document.Format(format), identifiers == "all"
		if o.Cursor != "" {
			if len(args) > 0 {
				return cli.UsageError("export: --cursor writes to standard output; omit the file")
			}
			return t.With(cmd, func(c *client.Client) error { return exportPages(cmd, c, o) })
		}
		name := ""
		if len(args) > 0 {
			name = args[0]
		}
		return t.With(cmd, func(c *client.Client) error {
			file, err := cli.CreateOutfile(name, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			x, err := c.Profiles.Export(cmd.Context(), o)
			if err != nil {
				_ = file.Finish(err) // nothing was written
				return err
			}
			defer x.Close()
			bar := cli.NewProgress(cmd.ErrOrStderr(), "exporting", max(x.Identities, -1), false, "identities")
			err = copyLines(file, x, bar)
			bar.End()
			if err := file.Finish(err); err != nil {
				return fmt.Errorf("export: %w", err)
			}
			if !x.Settled {
				fmt.Fprintln(cmd.ErrOrStderr(), "kindred: events kept arriving: the newest may be missing from the export")
			}
			return nil
		})
	}
	return cmd
}

// exportPages writes page after page. A page is read whole before it is written, so the output never has a part of one.
func exportPages(cmd *cobra.Command, c *client.Client, o client.ExportOptions) error {
	for {
		err := exportPage(cmd, c, &o)
		if err != nil {
			return fmt.Errorf("export: %w; to continue from here: --cursor %s", err, o.Cursor)
		}
		if o.Cursor == "" {
			return nil
		}
	}
}

// exportPage writes one page, and moves the cursor on.
func exportPage(cmd *cobra.Command, c *client.Client, o *client.ExportOptions) error {
	page, err := c.Profiles.Export(cmd.Context(), *o)
	if err != nil {
		return err
	}
	defer page.Close()
	lines, err := io.ReadAll(page)
	if err != nil {
		return err
	}
	if _, err := cmd.OutOrStdout().Write(lines); err != nil {
		return err
	}
	o.Cursor = page.Next
	return nil
}

// copyBuffer is the size of one read from the server and of one write to the file, in bytes: large enough that a system
// call per buffer costs little.
const copyBuffer = 256 << 10

// copyLines copies r to w and advances bar by the number of lines.
func copyLines(w io.Writer, r io.Reader, bar *cli.Progress) error {
	in := bufio.NewReaderSize(r, copyBuffer)
	buffer := make([]byte, copyBuffer)
	for {
		n, err := in.Read(buffer)
		if _, failed := w.Write(buffer[:n]); failed != nil {
			return failed
		}
		bar.Add(int64(bytes.Count(buffer[:n], []byte{'\n'})))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
