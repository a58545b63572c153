package keep

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// eachLetter calls fn with the letters of a code, the oldest first. A letter that fn drops does not disturb the order.
func eachLetter(ctx context.Context, c *client.Client, code string, fn func(document.DeadLetter) error) error {
	for cursor := ""; ; {
		page, err := c.Admin.DeadLetters(ctx, code, cursor)
		if err != nil {
			return err
		}
		for _, l := range page.DeadLetters {
			if err := fn(l); err != nil {
				return err
			}
		}
		if cursor = string(page.Next); cursor == "" {
			return nil
		}
	}
}

// listLetters prints the letters of HTTP as far as a limit; 0 lists all.
func listLetters(cmd *cobra.Command, c *client.Client, o *cli.Output, code string, limit int) error {
	letters := []document.DeadLetter{}
	err := eachLetter(cmd.Context(), c, code, func(l document.DeadLetter) error {
		if limit > 0 && len(letters) == limit {
			return errEnough
		}
		letters = append(letters, l)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return o.Show(cmd.OutOrStdout(), letters, func(w io.Writer) {
		var t cli.Table
		for _, l := range letters {
			t.Row(strconv.FormatUint(l.Number, 10), string(l.Received), l.Code, cli.Printable(l.Source), l.Route, cli.Printable(strings.TrimSpace(l.Field+" "+l.Message)))
		}
		t.Write(w, "")
	})
}

// letterNumber reads the argument that names a letter.
func letterNumber(cmd *cobra.Command, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, cli.UsageError("%s: %q is no number of a dead letter; kindred deadletters list shows them", cmd.Name(), text)
	}
	return n, nil
}

// newDeadLettersShow prints one letter with its text, which may be personal data.
func newDeadLettersShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show a dead letter of HTTP with the event, as JSON",
		Args:  cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := letterNumber(cmd, args[0])
		if err != nil {
			return err
		}
		return t.With(cmd, func(c *client.Client) error {
			l, err := c.Admin.DeadLetter(cmd.Context(), n)
			if err != nil {
				return err
			}
			return cli.WriteJSON(cmd.OutOrStdout(), l)
		})
	}
	return cmd
}

// selected are the letters that a command names: by number, or by --all and --code.
type selected struct {
	all  bool
	code string
}

func (s *selected) add(cmd *cobra.Command, verb string) {
	cmd.Flags().BoolVar(&s.all, "all", false, verb+" all dead letters of HTTP")
	cmd.Flags().StringVar(&s.code, "code", "", verb+" all dead letters with this code")
}

func (s *selected) each(cmd *cobra.Command, args []string, c *client.Client, fn func(number uint64) error) error {
	byCode := s.all || s.code != ""
	if byCode == (len(args) > 0) {
		return cli.UsageError("%s: give numbers of dead letters, or --code CODE, or --all", cmd.Name())
	}
	if byCode {
		return eachLetter(cmd.Context(), c, s.code, func(l document.DeadLetter) error { return fn(l.Number) })
	}
	for _, text := range args {
		n, err := letterNumber(cmd, text)
		if err != nil {
			return err
		}
		if err := fn(n); err != nil {
			return err
		}
	}
	return nil
}

// newDeadLettersResend has letters taken, and prints how many were. Letters that are refused again stay, and the command ends
// with exit code 5.
func newDeadLettersResend() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resend [NUMBER…]",
		Short: "Have rejected events of HTTP taken after all, and drop those that are",
		Long: `Take events that were rejected over HTTP as if they came again: from the same source, at the time when they
came. Do it after you have corrected what they were rejected for: a mapping, a rule, a limit. Events that are taken,
or were taken meanwhile, leave the dead letters; the others stay.

Events that were kept aside because their write key was not known (--unknown-key of serve) name no system: give
--source, as in kindred deadletters resend --code unknown_key --source shop-web.`,
	}
	t := cli.AddTarget(cmd)
	var which selected
	which.add(cmd, "resend")
	source := ""
	cmd.Flags().StringVar(&source, "source", "", "the system that events with an unknown write key are of, as its right key names it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var done struct {
			Resent int `json:"resent"`
			Stay   int `json:"stay"`
		}
		err := t.With(cmd, func(c *client.Client) error {
			return which.each(cmd, args, c, func(number uint64) error {
				r, err := c.Admin.ResendDeadLetter(cmd.Context(), number, source)
				var problem *client.Problem
				switch {
				case err == nil && r.Dropped:
					done.Resent++
				case err == nil || errors.As(err, &problem) && problem.Code == document.CodeNoText:
					done.Stay++
				default:
					return err
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
		return sentAgain(cmd, done, done.Stay, "refused again, or kept without the text; kindred deadletters list shows why")
	}
	return cmd
}

// newDeadLettersDrop deletes letters.
func newDeadLettersDrop() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drop [NUMBER…]",
		Short: "Delete rejected events of HTTP",
	}
	t := cli.AddTarget(cmd)
	var which selected
	which.add(cmd, "drop")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var done struct {
			Dropped int `json:"dropped"`
		}
		err := t.With(cmd, func(c *client.Client) error {
			return which.each(cmd, args, c, func(number uint64) error {
				if err := c.Admin.DropDeadLetter(cmd.Context(), number); err != nil {
					return err
				}
				done.Dropped++
				return nil
			})
		})
		if err != nil {
			return err
		}
		return cli.WriteJSON(cmd.OutOrStdout(), done)
	}
	return cmd
}
