package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/egress/replica"
	"github.com/spf13/cobra"
)

func newTail() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow what becomes of identities: the change feed",
		Long: `Follow the change feed: identities created, linked, merged, split, updated, erased. As JSON it is a
CloudEvent a line. Of a running server it goes on until it is stopped; of a directory, to the end of what is there.

With --rebuild, the feed is replayed from its start, and what it tells is written as an export: the same
lines as kindred export gives.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	var from, kinds string
	var follow, rebuild, scores bool
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "start, now, or a cursor of an earlier run; default now, with --data or --rebuild start")
	flags.StringVar(&kinds, "kinds", "", kindsHelp)
	flags.BoolVar(&follow, "follow", true, "go on at the end of the feed; default not with --data or --rebuild")
	flags.BoolVar(&scores, "scores", false, "let entries that say something new of orders carry the scores of the identity, as JSON")
	flags.BoolVar(&rebuild, "rebuild", false, "write an export that is made of the feed alone")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if rebuild && (kinds != "" || from != "" && from != feed.Start) {
			return cli.UsageError("tail: --rebuild takes all of the feed: leave out --kinds and --from")
		}
		whole := rebuild || t.Local()
		if whole && !flags.Changed("follow") {
			follow = false
		}
		if from == "" {
			if from = feed.Now; whole {
				from = feed.Start
			}
		}
		return t.With(cmd, func(c *client.Client) error {
			changes, err := c.Changes(cmd.Context(), from, kinds, follow, scores)
			if err != nil {
				return err
			}
			defer changes.Close()
			if rebuild {
				return rebuildExport(changes, cmd.OutOrStdout())
			}
			err = showChanges(cmd.Context(), changes, cmd.OutOrStdout(), out.JSON(cmd.OutOrStdout()))
			if cursor := changes.Cursor(); cursor != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "to go on from here: --from", cursor)
			}
			return err
		})
	}
	return cmd
}

// kindsHelp lists the kinds of entries of the feed.
const kindsHelp = "only these kinds, with commas between: created, linked, merged, split, updated, erased, generic"

// showChanges writes entries until the stream ends, or the command is stopped.
func showChanges(ctx context.Context, changes *client.Changes, w io.Writer, asJSON bool) error {
	for {
		entry, err := changes.Next()
		switch {
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("follow the change feed: %w", err)
		}
		line := string(entry)
		if !asJSON {
			if line, err = changeRow(entry); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
}

// changeRow says an entry in a line for people.
func changeRow(entry []byte) (string, error) {
	var head document.Change
	if err := json.Unmarshal(entry, &head); err != nil {
		return "", fmt.Errorf("read an entry of the change feed: %w", err)
	}
	e, err := egress.Parse(entry)
	if err != nil {
		return "", err
	}
	var what []string
	for i := range e.Delta.Identifiers {
		what = append(what, e.Delta.Identifiers[i].Namespace+":"+cli.Printable(e.Delta.Identifiers[i].Value))
	}
	if e.Name.Namespace != "" {
		what = append(what, e.Name.Namespace+":"+cli.Printable(e.Name.Value))
	}
	for _, other := range e.Others {
		what = append(what, other.String())
	}
	if by := e.Cause.By; e.Cause.Verb != 0 {
		what = append(what, "by", e.Cause.Verb.String(), "of", by[0].Namespace+":"+cli.Printable(by[0].Value), by[1].Namespace+":"+cli.Printable(by[1].Value))
	}
	return fmt.Sprintf("%s  %-8s  %s  %s", cli.When(head.Time), head.Kind(), e.ID, strings.Join(what, " ")), nil
}

// rebuildExport replays the feed and writes what it told as an export.
func rebuildExport(changes *client.Changes, w io.Writer) error {
	var replica replica.Replica
	for {
		entry, err := changes.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("replay the change feed: %w", err)
		}
		e, err := egress.Parse(entry)
		if err != nil {
			return err
		}
		replica.Apply(&e.FeedEntry)
	}
	var line []byte
	var lines document.Lines
	for _, p := range replica.Profiles() {
		line = lines.Append(line[:0], &p)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}
