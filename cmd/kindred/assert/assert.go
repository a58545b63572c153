package assert

import (
	"fmt"
	"io"
	"os/user"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newForce makes two identifiers one person, whatever limits say. A cannot about the same two is stronger and has to
// be withdrawn first: exit code 4.
func newForce() *cobra.Command {
	return newAssertion("force", "force A B", "Assert that two identifiers are one person",
		"Assert that A and B are one person, overriding the limits of the rules.", 2)
}

// newCannot keeps two identifiers apart. Links that would join them by way of others are refused as well.
func newCannot() *cobra.Command {
	return newAssertion("cannot", "cannot A B", "Assert that two identifiers are never one person",
		"Assert that A and B are never one person. If they are one person now, the identity splits.", 2)
}

// newRetract takes away the direct link of two identifiers. They stay one person if other links join them.
func newRetract() *cobra.Command {
	return newAssertion("retract", "retract A B", "Retract the direct link between two identifiers",
		"Retract the evidence that links A and B directly: it no longer counts, even if it arrives again.", 2)
}

// newForget takes an identifier out of its identity. Events that were handled at the identifier go with it; those
// handled at others stay.
func newForget() *cobra.Command {
	return newAssertion("forget", "forget A", "Detach an identifier from its identity",
		"Detach an identifier from its identity: its links no longer count, except forced ones.", 1)
}

// newAssertion makes the command for a verb. An assertion is evidence like any other: it survives restarts and
// replays until --withdraw takes it back.
func newAssertion(verb, use, short, long string, args int) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cli.IDArgs(args), ValidArgsFunction: cli.CompleteIDs(args),
		Long: long + "\n--dry-run shows the identities before and after, and changes nothing; --withdraw takes the assertion back.\nAn id is namespace:value, or a public id, which stands for the identifier that heads the identity.",
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	ask := document.AssertionRequest{Verb: verb}
	flags := cmd.Flags()
	flags.StringVar(&ask.Note, "note", "", "reason, stored with the assertion")
	flags.StringVar(&ask.By, "by", userName(), "author, stored with the assertion")
	flags.BoolVar(&ask.Withdraw, "withdraw", false, "take back the same assertion made earlier")
	flags.BoolVar(&ask.DryRun, "dry-run", false, "show the effect, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ask.A = args[0]
		if len(args) == 2 {
			ask.B = args[1]
		}
		return t.With(cmd, func(c *client.Client) error {
			answer, err := c.Assertions.Make(cmd.Context(), &ask)
			if err != nil {
				return err
			}
			for _, warning := range answer.Warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "kindred: "+cli.Printable(warning))
			}
			w := cmd.OutOrStdout()
			return out.Show(w, answer, func(b io.Writer) { assertionTable(b, cli.NewPaint(w), &answer) })
		})
	}
	return cmd
}

// userName is who runs the command: the author of an assertion unless --by names one. It is empty where the system
// does not tell, as in some containers.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// assertionTable prints what was asserted, or would be, with the identities before and after it.
func assertionTable(w io.Writer, p cli.Paint, a *document.AssertionAnswer) {
	title := a.Assertion.Verb + " " + cli.Printable(a.Assertion.A.String())
	if a.Assertion.B != nil {
		title += " " + cli.Printable(a.Assertion.B.String())
	}
	switch {
	case a.DryRun && a.Assertion.Withdrawn:
		title = "would withdraw: " + title
	case a.DryRun:
		title = "would assert: " + title
	case a.Assertion.Withdrawn:
		title = "withdrawn: " + title
	default:
		title = "asserted: " + title
	}
	fmt.Fprintln(w, p.Bold(title))
	var t cli.Table
	identities(&t, "before", a.Before)
	identities(&t, "after", a.After)
	t.Write(w, "  ")
}

// identities adds one row per profile.
func identities(t *cli.Table, title string, list []document.Encoded[document.Profile]) {
	for _, raw := range list {
		profile, err := raw.Decode()
		if err != nil {
			continue // cannot happen: the server encoded it
		}
		names := make([]string, 0, len(profile.Identifiers))
		for _, id := range profile.Identifiers {
			names = append(names, id.Namespace+":"+cli.Printable(id.Value))
		}
		t.Row(title, cli.Plural(profile.Events, "event"), strings.Join(names, " "))
		title = ""
	}
}
