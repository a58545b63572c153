package keep

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/internal/yamlfile"
	"github.com/spf13/cobra"
)

// newAudience groups what is done with audiences.
func newAudience() *cobra.Command {
	return cli.Group("audience", "Define audiences, and see who is in them", `Define audiences, and see who is in them.

An audience is a condition over what is known of a person: events, traits, identifiers, orders, other audiences.
It holds or not at every moment: the time is an input.`,
		newAudienceApply(), newAudiencePreview(), newAudienceList(), newAudienceShow(), newAudienceMembers(), newAudienceDraw(), newAudienceOf(), newAudienceWhy())
}

// audienceFileMax bounds a file of audiences.
const audienceFileMax = 16 << 20

// lookAgain is how often apply asks whether the audiences serve.
var lookAgain = backoff.Doubling{First: 5 * time.Millisecond, Most: time.Second}

// newAudienceApply defines the audiences of a file. All of them are defined, or none.
func newAudienceApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Define the audiences of a YAML file: keys with conditions",
		Long: `Define the audiences of a YAML file: keys with conditions.

All are defined, or none. Those of other keys stay as they are, unless --prune is given.
Conditions that are new serve once the stored events were looked through; until then those of before do.`,
		Args: cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	prune := cmd.Flags().Bool("prune", false, "delete the audiences that the file does not name")
	wait := cmd.Flags().Bool("wait", true, "wait until they serve, and their members are listed")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		list, err := readDefinitions(args[0], "audiences")
		if err != nil {
			return err
		}
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Audiences.Apply(cmd.Context(), document.AudiencesRequest{Audiences: list, Prune: *prune})
			if err != nil {
				return err
			}
			version := d.Version
			for attempt := 0; *wait && !listed(&d, version); attempt++ {
				if err := backoff.Sleep(cmd.Context(), lookAgain.Wait(attempt)); err != nil {
					return err
				}
				if d, err = c.Audiences.List(cmd.Context()); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "version %d: %s\n", version, cli.Plural(len(d.Audiences), "audience"))
			return nil
		})
	}
	return cmd
}

// listed reports whether a version of the audiences serves, and its members are all listed.
func listed(d *document.Audiences, version uint64) bool {
	return d.Filled >= version && !slices.ContainsFunc(d.Audiences, func(a document.Audience) bool { return a.Members == "null" || a.Members == "" })
}

// readDefinitions reads a mapping of keys to texts: of audiences, or of computed traits.
func readDefinitions(path, what string) (map[string]string, error) {
	content, err := yamlfile.Read(path, audienceFileMax)
	if err != nil {
		return nil, err
	}
	d, root, err := yamlfile.Parse(path, what, content)
	if err != nil {
		return nil, err
	}
	list := map[string]string{}
	if root != nil {
		for _, e := range d.Entries(root, what) {
			if text, ok := d.Text(e.Node, yamlfile.Join(what, e.Key)); ok {
				list[e.Key] = text
			}
		}
	}
	return list, d.Err()
}

func newAudienceList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List audiences with their conditions", Args: cobra.NoArgs}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Audiences.List(cmd.Context())
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), d, func(w io.Writer) {
				if len(d.Audiences) == 0 {
					fmt.Fprintln(w, "there are no audiences")
				}
				var t cli.Table
				for i := range d.Audiences {
					a := &d.Audiences[i]
					members := ""
					if a.Members != "null" {
						members = string(a.Members)
					}
					t.Row(a.Key, serves(a.Serves), members, cli.Printable(a.Text))
				}
				t.Write(w, "")
			})
		})
	}
	return cmd
}

func serves(yes bool) string {
	if yes {
		return "serves"
	}
	return "is filled"
}

// newAudienceShow prints one audience. An unknown key ends with exit code 3.
func newAudienceShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show KEY", Short: "Show the conditions of an audience", Args: cobra.ExactArgs(1)}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Audiences.List(cmd.Context())
			if err != nil {
				return err
			}
			for i := range d.Audiences {
				if a := &d.Audiences[i]; a.Key == args[0] {
					return out.Show(cmd.OutOrStdout(), a, func(w io.Writer) { fmt.Fprintln(w, cli.Printable(a.Text)) })
				}
			}
			return noAudience(args[0])
		})
	}
	return cmd
}

func noAudience(key string) error {
	return cli.Exit(cli.ExitNotFound, fmt.Errorf("audience %s: there is none of this key; kindred audience list shows them", key))
}

// newAudienceOf lists the audiences of a person.
func newAudienceOf() *cobra.Command {
	cmd := &cobra.Command{
		Use: "of ID", Short: "List the audiences that a person is in, and until when", Long: "List the audiences that a person is in, and until when that can't change without an event.\n" + cli.IDHelp,
		Args: cli.IDArgs(1), ValidArgsFunction: cli.CompleteIDs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Audiences.Of(cmd.Context(), args[0], false)
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), d, func(w io.Writer) {
				var t cli.Table
				for i := range d.Audiences {
					t.Row(d.Audiences[i].Key, inOrNot(d.Audiences[i].In), untilText(d.Audiences[i].Until))
				}
				t.Write(w, "")
			})
		})
	}
	return cmd
}

func inOrNot(in bool) string {
	if in {
		return "in"
	}
	return "not in"
}

func untilText(t document.Time) string {
	if t == "" {
		return ""
	}
	return "until " + cli.When(t)
}

// newAudienceWhy prints each condition of an audience with what it compared.
func newAudienceWhy() *cobra.Command {
	cmd := &cobra.Command{
		Use: "why KEY ID", Short: "Explain why a person is in an audience, or why not", Long: "Explain why a person is in an audience, or why not: each condition with what it compared.\n" + cli.IDHelp,
		Args: cobra.ExactArgs(2),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			d, err := c.Audiences.Of(cmd.Context(), args[1], true)
			if err != nil {
				return err
			}
			for i := range d.Audiences {
				if a := &d.Audiences[i]; a.Key == args[0] {
					return out.Show(cmd.OutOrStdout(), a, func(w io.Writer) { showWhy(w, a) })
				}
			}
			return noAudience(args[0])
		})
	}
	return cmd
}

func showWhy(w io.Writer, a *document.PersonAudience) {
	fmt.Fprintf(w, "%s %s\n", inOrNot(a.In), untilText(a.Until))
	var t cli.Table
	for i := range a.Why {
		c := &a.Why[i]
		holds := "does not hold"
		if c.Holds {
			holds = "holds"
		}
		compared := cli.Printable(c.Text)
		if c.Number != nil {
			compared = fmt.Sprint(*c.Number)
		}
		newest := ""
		if len(c.Moments) > 0 {
			newest = cli.When(c.Moments[0])
		}
		t.Row(c.ID, holds, compared, newest, untilText(c.Until))
	}
	t.Write(w, "  ")
}
