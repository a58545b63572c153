package ask

import (
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// timelinePage is the maximum number of events per request.
const timelinePage = 200

// newTimeline prints events page by page, as the server cuts them, so memory is bounded with --limit 0 as well. A page
// is written before the next is asked for. An event that arrives meanwhile is newer than the cursor or has its place
// among events already printed, so no event is printed twice.
func newTimeline() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "timeline ID",
		Short:             "List the events of a person, newest first",
		Long:              "List the events of a person, newest first. JSON output is one event per line.\n" + cli.IDHelp,
		Args:              cli.IDArgs(1),
		ValidArgsFunction: cli.CompleteIDs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	limit := 50
	var o client.TimelineOptions
	cmd.Flags().StringSliceVar(&o.Types, "type", nil, "only events of these types, comma-separated: identify, track, page, screen, group, alias (default: all)")
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions([]string{"identify", "track", "page", "screen", "group", "alias"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().StringArrayVar(&o.Names, "name", nil, "only events of this name; repeat for several names (default: all)")
	cmd.Flags().Var((*cli.Moment)(&o.Since), "since", "only events of this time or later, such as 2026-01-31T09:30:00Z (default: all)")
	cmd.Flags().Var((*cli.Moment)(&o.Until), "until", "only events before this time (default: all)")
	cmd.Flags().IntVarP(&limit, "limit", "n", limit, "maximum number of events; 0 lists all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 0 {
			return cli.UsageError("timeline: --limit %d: negative; want 1 or more, or 0 for all", limit)
		}
		return t.With(cmd, func(c *client.Client) error {
			w := cmd.OutOrStdout()
			asJSON := out.JSON(w)
			left := limit
			for {
				if o.Limit = timelinePage; limit > 0 {
					o.Limit = min(o.Limit, left)
				}
				timeline, err := c.Profiles.Timeline(cmd.Context(), args[0], o)
				if err != nil {
					return err
				}
				if err := writeTimeline(w, timeline.Events, asJSON); err != nil {
					return err
				}
				left -= len(timeline.Events)
				if o.Cursor = string(timeline.Next); o.Cursor == "" {
					return nil
				}
				if limit > 0 && left <= 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "there are older events; raise --limit to see them")
					return nil
				}
			}
		})
	}
	return cmd
}

// writeTimeline prints one page: lines of JSON as the server sent them, or a table whose columns are as wide as this
// page needs.
func writeTimeline(w io.Writer, events []document.Encoded[document.Event], asJSON bool) error {
	var b strings.Builder
	var t cli.Table
	for _, raw := range events {
		if asJSON {
			b.Write(raw)
			b.WriteByte('\n')
			continue
		}
		e, err := raw.Decode()
		if err != nil {
			return fmt.Errorf("read an event of the timeline: %w", err)
		}
		names := make([]string, len(e.Identifiers))
		for i, id := range e.Identifiers {
			names[i] = id.Namespace + ":" + cli.Printable(id.Value)
		}
		t.Row(cli.When(e.Timestamp), e.Type, cli.Printable(e.Name), strings.Join(names, " "), cli.Printable(e.MessageID))
	}
	t.Write(&b, "")
	_, err := io.WriteString(w, b.String())
	return err
}
