package ask

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newWhy prints the chain of links between two identifiers, or what refuses it. Both are answers, with exit code 0: a
// script that asks whether two ids are one person reads the member same of -o json.
func newWhy() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "why A B",
		Short:             "Explain why two identifiers are one person, or why not",
		Long:              "Explain why two identifiers are one person: the chain of links between them, with the events that made each link.\nIf they are not one person, explain what keeps them apart.\n" + cli.IDHelp,
		Args:              cli.IDArgs(2),
		ValidArgsFunction: cli.CompleteIDs(2),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			why, err := c.Profiles.Why(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			return out.Show(w, why, func(b io.Writer) {
				p := cli.NewPaint(w)
				fmt.Fprintln(b, p.Bold(cli.Printable(why.Text)))
				reasons(b, p, why.Path)
			})
		})
	}
	return cmd
}

// newHow prints the links that joined a person, in the order in which the rules admitted them. That is the order of
// the evidence and not of arrival, so two deployments with the same events print the same.
func newHow() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "how ID",
		Short:             "List the evidence that formed an identity, in order",
		Long:              "List the evidence that joined the identifiers of a person into one identity, in the order in which it was admitted.\n" + cli.IDHelp,
		Args:              cli.IDArgs(1),
		ValidArgsFunction: cli.CompleteIDs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			how, err := c.Profiles.How(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			return out.Show(w, how, func(b io.Writer) {
				p := cli.NewPaint(w)
				if len(how.Steps) == 0 {
					fmt.Fprintf(b, "%s has no links: it is a single identifier.\n", p.Bold(how.ID))
					return
				}
				fmt.Fprintf(b, "%s was formed in %s:\n", p.Bold(how.ID), cli.Plural(len(how.Steps), "step"))
				reasons(b, p, how.Steps)
			})
		})
	}
	return cmd
}

// reasons lists evidence as sentences, each with its first and its last event.
func reasons(w io.Writer, p cli.Paint, list []document.Reason) {
	for i := range list {
		r := &list[i]
		sentence := cli.Printable(r.Text)
		if r.Refused != nil {
			sentence = p.Red(sentence)
		}
		fmt.Fprintf(w, "%3d. %s\n", i+1, sentence)
		if r.First == nil {
			continue
		}
		fmt.Fprintf(w, "     %s\n", p.Dim("first: "+mark(r.First)))
		if r.Events > 1 {
			fmt.Fprintf(w, "     %s\n", p.Dim("last:  "+mark(r.Last)))
		}
	}
}

// mark names the event that a link was first or last seen in: when, its message id, and the source if there is one.
func mark(m *document.Mark) string {
	text := cli.When(m.Time) + ", event " + cli.Printable(m.MessageID)
	if m.Source != "" {
		text += ", source " + cli.Printable(m.Source)
	}
	return text
}
