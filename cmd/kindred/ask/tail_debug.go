package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// debugFlags are the flags of tail --debug.
type debugFlags struct {
	on     bool
	filter client.DebugFilter
}

// debugFilters names the flags that need --debug.
var debugFilters = []string{"source", "type", "result", "identifier"}

// addDebug adds the flags of tail --debug.
func addDebug(cmd *cobra.Command) *debugFlags {
	f := &debugFlags{}
	flags := cmd.Flags()
	flags.BoolVar(&f.on, "debug", false, "watch events as they come in to a server, instead of the feed")
	flags.StringVar(&f.filter.Source, "source", "", "with --debug: only events of this source")
	flags.StringVar(&f.filter.Type, "type", "", "with --debug: only identify, track, page, screen, group or alias events")
	flags.StringVar(&f.filter.Result, "result", "", "with --debug: only events that were accepted, duplicate, without_identifier, rejected or quarantined")
	flags.StringVar(&f.filter.Identifier, "identifier", "", "with --debug: only events with this identifier, such as email:ann@example.com")
	return f
}

// given reports whether any of the flags was given.
func (f *debugFlags) given(cmd *cobra.Command) bool {
	given := f.on
	for _, name := range debugFilters {
		given = given || cmd.Flags().Changed(name)
	}
	return given
}

// run writes events until the command is stopped.
func (f *debugFlags) run(cmd *cobra.Command, local bool, with func(*cobra.Command, func(*client.Client) error) error, out *cli.Output) error {
	switch {
	case !f.on:
		return cli.UsageError("tail: --%s need --debug", strings.Join(debugFilters, ", --"))
	case local:
		return cli.UsageError("tail: --debug watches a running server; give --url instead of --data")
	}
	return with(cmd, func(c *client.Client) error {
		events, err := c.Admin.Debug(cmd.Context(), f.filter)
		if err != nil {
			return err
		}
		defer events.Close()
		w, notes := cmd.OutOrStdout(), cmd.ErrOrStderr()
		return showEvents(cmd.Context(), events, w, notes, out.JSON(w))
	})
}

// showEvents writes events until the stream ends or the command is stopped. Notices go to notes: they are no events.
func showEvents(ctx context.Context, events *client.Debugging, w, notes io.Writer, asJSON bool) error {
	for {
		event, notice, text, err := events.Next()
		switch {
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("watch events: %w", err)
		case notice != nil:
			fmt.Fprintf(notes, "kindred: not shown: %s above %d a second, %s because this reader was too slow\n",
				cli.Plural(notice.Sampled, "event"), notice.Rate, cli.Plural(notice.Missed, "event"))
			continue
		}
		line := string(text)
		if !asJSON {
			line = eventText(event)
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
}

// eventText formats an event for people: a line about it, then one for each reason, person and merge, then its text.
func eventText(e *document.DebugEvent) string {
	lines := []string{fmt.Sprintf("%s  %-18s  %-8s  %s  %s", cli.When(e.ReceivedAt), e.Result, e.Type, cli.Printable(e.Source), cli.Printable(e.MessageID))}
	add := func(format string, args ...any) { lines = append(lines, cli.Printable(fmt.Sprintf(format, args...))) }
	if e.Reason != nil {
		add("  reason   %s", reasonText(e.Reason))
	}
	for i := range e.Dropped {
		add("  dropped  %s", reasonText(&e.Dropped[i]))
	}
	if e.Person != nil {
		add("  person   %s, %s, %s", e.Person.ID, cli.Plural(int64(e.Person.Identifiers), "identifier"), cli.Plural(e.Person.Events, "event"))
	}
	for _, m := range e.Merges {
		by := make([]string, len(m.By))
		for i, name := range m.By {
			by[i] = name.Namespace + ":" + name.Value
		}
		add("  merge    %s = %s, by %s", m.Into, strings.Join(m.From, " + "), strings.Join(by, " and "))
	}
	if e.Unsettled {
		add("  the shards are busy: what it did may show later")
	}
	add("  raw      %s", e.Raw)
	if e.Parsed != nil {
		add("  parsed   %s", e.Parsed)
	}
	return strings.Join(lines, "\n")
}

// reasonText formats why an event, or a field of one, was not taken.
func reasonText(r *document.DebugReason) string {
	text := r.Code
	if r.Field != "" {
		text += " " + r.Field
	}
	text += ": " + r.Message
	if r.Hint != "" {
		text += "; " + r.Hint
	}
	return text
}
