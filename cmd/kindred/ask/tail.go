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
	"github.com/spf13/cobra"
)

// newTail follows the change feed. On a server it begins at the end of the feed and waits there; on a data directory,
// and to rebuild an export, it reads the feed once, from its start to its end. --from and --follow change either.
//
// However it ends, the cursor of the last entry is on standard error, so that a later run can go on without a gap. A
// rebuild has none: it needs the whole feed.
func newTail() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow the change feed: how identities change",
		Long: `Follow the change feed: identities created, linked, merged, split, updated, erased. JSON output is one
CloudEvent per line. On a running server it continues until stopped; on a data directory it ends where the feed ends.

With --rebuild, replay the feed from its start and write the identities that result, in the same lines as
kindred export.

With --debug, watch events instead, as they come in to a running server: the text of each, what was read of
it, why it was not taken or what was left out of it, whose it is, and which identities it merged.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	var from, kinds string
	var follow, rebuild, scores bool
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "where to begin: start, now, or the cursor of an earlier run (default: now; start with --data or --rebuild)")
	flags.StringVar(&kinds, "kinds", "", kindsHelp)
	flags.BoolVar(&follow, "follow", true, "wait for new entries at the end of the feed; off by default with --data or --rebuild")
	flags.BoolVar(&scores, "scores", false, "in JSON, add the identity's scores to entries that change its orders")
	flags.BoolVar(&rebuild, "rebuild", false, "write an export built from the feed alone")
	debug := addDebug(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if debug.given(cmd) {
			return debug.run(cmd, t.Local(), t.With, out)
		}
		if rebuild && (kinds != "" || from != "" && from != feed.Start) {
			return cli.UsageError("tail: --rebuild takes the whole feed; omit --kinds and --from")
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
			changes, err := c.Feed.Changes(cmd.Context(), from, kinds, follow, scores)
			if err != nil {
				return err
			}
			defer changes.Close()
			if rebuild {
				return egress.Rebuild(cmd.OutOrStdout(), changes.Next)
			}
			err = showChanges(cmd.Context(), changes, cmd.OutOrStdout(), out.JSON(cmd.OutOrStdout()))
			if cursor := changes.Cursor(); cursor != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "to continue from here: --from", cursor)
			}
			return err
		})
	}
	return cmd
}

// kindsHelp lists the kinds of entries of the feed.
const kindsHelp = "show only these kinds, comma-separated: created, linked, merged, split, updated, erased, generic, entered, exited (default: all)"

// showChanges writes entries until the stream ends or the command is stopped.
func showChanges(ctx context.Context, changes *client.Changes, w io.Writer, asJSON bool) error {
	for {
		entry, err := changes.Next()
		switch {
		// A signal is the ordinary end of a command that follows the feed: no error, and exit code 0.
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

// changeRow formats an entry as one line of text: when, which kind, whose, then the identifiers that came, the other
// identities that it names, and the cause. It fails for an entry that is no CloudEvent of this feed.
func changeRow(entry []byte) (string, error) {
	var head document.Change
	if err := json.Unmarshal(entry, &head); err != nil {
		return "", fmt.Errorf("read an entry of the change feed: %w", err)
	}
	e, err := egress.Parse(entry)
	if err != nil {
		return "", err
	}
	var details []string
	for i := range e.Delta.Identifiers {
		details = append(details, e.Delta.Identifiers[i].Namespace+":"+cli.Printable(e.Delta.Identifiers[i].Value))
	}
	if e.Name.Namespace != "" {
		details = append(details, e.Name.Namespace+":"+cli.Printable(e.Name.Value))
	}
	for _, other := range e.Others {
		details = append(details, other.String())
	}
	if by := e.Cause.By; e.Cause.Verb != 0 {
		details = append(details, "by", e.Cause.Verb.String(), "of", by[0].Namespace+":"+cli.Printable(by[0].Value), by[1].Namespace+":"+cli.Printable(by[1].Value))
	}
	return fmt.Sprintf("%s  %-8s  %s  %s", cli.When(head.Time), head.Kind(), e.ID, strings.Join(details, " ")), nil
}
