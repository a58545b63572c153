package ask

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// groupPage is the number of people or groups per request.
const groupPage = 200

// groupDocument is what kindred group prints as JSON: the group, and those of its people that were asked for.
type groupDocument struct {
	document.VerboseGroupProfile
	Members []document.GroupMember `json:"members"`
}

// newGroup prints one group and its people, page by page until there are enough.
func newGroup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group ID",
		Short: "Show a group, such as a company, and its people",
		Long: `Show a group, such as a company: its traits with the event that set each, and its people by public id.
ID is the groupId of group events, as it was sent.`,
		Args: cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	limit, typ := 50, ""
	cmd.Flags().StringVar(&typ, "type", "", "groupType of the group's events (default: none)")
	cmd.Flags().IntVarP(&limit, "limit", "n", limit, "maximum number of people; 0 lists all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 0 {
			return cli.UsageError("group: --limit %d: negative; want 1 or more, or 0 for all", limit)
		}
		if strings.TrimSpace(args[0]) == "" {
			return cli.UsageError("group: ID is empty; give the groupId of its events, or list all with kindred groups")
		}
		return t.With(cmd, func(c *client.Client) error {
			group, err := c.Groups.Verbose(cmd.Context(), args[0], typ)
			if err != nil {
				return err
			}
			d := groupDocument{group, []document.GroupMember{}}
			cursor := ""
			for {
				most := groupPage
				if limit > 0 {
					most = min(most, limit-len(d.Members))
				}
				page, err := c.Groups.Members(cmd.Context(), args[0], typ, most, cursor)
				if err != nil {
					return err
				}
				d.Members = append(d.Members, page.Members...)
				if cursor = string(page.Next); cursor == "" || limit > 0 && len(d.Members) >= limit {
					break
				}
			}
			if cursor != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "there are more people; raise --limit to see them")
			}
			w := cmd.OutOrStdout()
			return out.Show(w, d, func(b io.Writer) { groupTable(b, cli.NewPaint(w), &d) })
		})
	}
	return cmd
}

// groupTable prints a group in sections, and leaves out those without content.
func groupTable(w io.Writer, p cli.Paint, g *groupDocument) {
	fmt.Fprintln(w, p.Bold(cli.Printable(g.ID)))
	var t cli.Table
	if g.Type != "" {
		t.Row("type", cli.Printable(string(g.Type)))
	}
	t.Row("events", cli.Number(g.Events))
	t.Row("seen", cli.When(g.FirstSeen)+" to "+cli.When(g.LastSeen))
	people := string(g.People)
	if people == "null" {
		people = fmt.Sprintf("at most %s", cli.Number(g.Identifiers))
	}
	t.Row("people", people)
	t.Write(w, "  ")
	if len(g.Traits) > 0 {
		fmt.Fprintln(w, "\n"+p.Bold("traits"))
		t = cli.Table{}
		for _, name := range slices.Sorted(maps.Keys(g.Traits)) {
			trait := g.Traits[name]
			t.Row(cli.Printable(name), cli.TraitText(trait.Value), cli.When(trait.UpdatedAt), cli.Printable(string(trait.Source)))
		}
		t.Write(w, "  ")
	}
	if g.TraitsLeftOut {
		fmt.Fprintln(w, "  there were more traits than a group keeps: these are those that were set the latest")
	}
	fmt.Fprintln(w, "\n"+p.Bold("people"))
	t = cli.Table{}
	for _, m := range g.Members {
		t.Row(m.ID, cli.Plural(m.Events, "event"), cli.When(m.FirstSeen), "to "+cli.When(m.LastSeen))
	}
	t.Write(w, "  ")
}

// newGroups writes all groups, one per line.
func newGroups() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "groups",
		Short: "Write every group, one per line, as JSON",
		Long: `Write every group, such as a company, with its traits, one per line, as NDJSON to standard output, in no order that
means anything.`,
		Args: cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			lines := json.NewEncoder(out)
			lines.SetEscapeHTML(false)
			for cursor := ""; ; {
				page, err := c.Groups.List(cmd.Context(), groupPage, cursor)
				if err != nil {
					return err
				}
				for i := range page.Groups {
					if err := lines.Encode(&page.Groups[i]); err != nil {
						return err
					}
				}
				if err := out.Flush(); err != nil {
					return err
				}
				if cursor = string(page.Next); cursor == "" {
					return nil
				}
			}
		})
	}
	return cmd
}
