package ask

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// searchPage is the maximum number of people per request.
const searchPage = 200

// newSearch lists people page by page, as the server cuts them: a page is written before the next is asked for, so memory
// is bounded whatever is found.
func newSearch() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "search [TEXT]",
		Short: "Find people by the beginning of an identifier or a trait, or by when they were last seen",
		Long: `Find people with an identifier, or one of the traits email, name, firstName, lastName, phone and username,
that begins with TEXT, whatever the case. Without TEXT and without flags, list everybody. Every person is read, so a search
of a large deployment takes seconds; kindred get finds a person by a whole identifier at once. JSON output is one profile
per line.`,
		Args: cobra.MaximumNArgs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	limit := 20
	var o client.SearchOptions
	flags := cmd.Flags()
	flags.IntVarP(&limit, "limit", "n", limit, "maximum number of people; 0 lists all")
	flags.StringArrayVar(&o.Identifiers, "identifier", nil, "people with an identifier that begins so, such as email:ann; repeat for further conditions")
	flags.StringArrayVar(&o.Traits, "trait", nil, "people with a trait that begins so, such as city:Ghe; repeat for further conditions")
	flags.Var((*cli.Moment)(&o.SeenSince), "seen-since", "people whose last event is of this time or later, such as 2026-01-31T09:30:00Z")
	flags.Var((*cli.Moment)(&o.SeenUntil), "seen-until", "people whose last event is before this time")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 0 {
			return cli.UsageError("search: --limit %d: negative; want 1 or more, or 0 for all", limit)
		}
		if len(args) > 0 {
			o.Text = args[0]
		}
		return t.With(cmd, func(c *client.Client) error {
			w := cmd.OutOrStdout()
			found := 0
			for {
				if o.Limit = searchPage; limit > 0 {
					o.Limit = min(o.Limit, limit-found)
				}
				page, err := c.Profiles.Search(cmd.Context(), o)
				if err != nil {
					return err
				}
				if err := writePeople(w, page.Profiles, out.JSON(w)); err != nil {
					return err
				}
				found += len(page.Profiles)
				if o.Cursor = string(page.Next); o.Cursor == "" {
					return nil
				}
				if limit > 0 && found >= limit {
					fmt.Fprintln(cmd.ErrOrStderr(), "there may be more people; raise --limit to see them")
					return nil
				}
			}
		})
	}
	return cmd
}

// writePeople prints one page: lines of JSON as the server sent them, or a table with a person's id, last event, name and
// identifiers.
func writePeople(w io.Writer, people []document.Encoded[document.AnyProfile], asJSON bool) error {
	var b strings.Builder
	var t cli.Table
	for _, raw := range people {
		if asJSON {
			b.Write(raw)
			b.WriteByte('\n')
			continue
		}
		var p document.Profile
		if err := json.Unmarshal(raw, &p); err != nil {
			return fmt.Errorf("read a profile: %w", err)
		}
		names := make([]string, 0, len(p.Identifiers))
		for _, id := range p.Identifiers {
			names = append(names, id.Namespace+":"+cli.Printable(id.Value))
		}
		if len(names) > identifiersShown {
			names = append(names[:identifiersShown], fmt.Sprintf("and %d more", len(p.Identifiers)-identifiersShown))
		}
		name := ""
		if value := p.Traits["name"]; value != nil {
			name = cli.Printable(cli.TraitText(value))
		}
		t.Row(p.ID, cli.When(p.LastSeen), name, strings.Join(names, " "))
	}
	t.Write(&b, "")
	_, err := io.WriteString(w, b.String())
	return err
}

// identifiersShown bounds the identifiers of a person in a table, the highest-ranked first.
const identifiersShown = 3
