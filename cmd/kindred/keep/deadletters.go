package keep

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/spf13/cobra"
)

// newDeadLetters groups what can be done with events that were rejected. Those from Kafka are records of a topic, so the
// commands for them need the brokers and neither a server nor a data directory; those from HTTP are in the data directory.
func newDeadLetters() *cobra.Command {
	return cli.Group("deadletters", "List, show, resend and drop rejected events",
		`List, show, resend and drop events that were rejected.

Events that came over HTTP are kept in the data directory, and a server shows them: list, show, resend, drop.
Events from Kafka are in a topic: list --kafka-brokers, retry.`,
		newDeadLettersList(), newDeadLettersShow(), newDeadLettersResend(), newDeadLettersDrop(), newDeadLettersRetry())
}

// errEnough stops reading when the list has reached its limit.
var errEnough = errors.New("enough")

// newDeadLettersList prints letters as far as --limit. It reads without a consumer group, so it marks nothing as read,
// and a retry begins where it would have begun.
//
// The records themselves may hold personal data: a table never shows them, and JSON only with --values.
func newDeadLettersList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [--kafka-brokers HOST:PORT]",
		Short: "List dead letters, oldest first",
		Long: `List the events that were rejected over HTTP; with --kafka-brokers or --kafka-config, those of the topic of dead
letters instead.`,
		Args: cobra.NoArgs,
	}
	k := cli.AddKafka(cmd, false)
	target := cli.AddTarget(cmd)
	var code string
	cmd.Flags().StringVar(&code, "code", "", "over HTTP: only letters rejected with this code (default: any)")
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	var limit int
	var values bool
	cmd.Flags().IntVar(&limit, "limit", 100, "maximum number of letters; 0 lists all")
	cmd.Flags().BoolVar(&values, "values", false, "in JSON, include the content of each letter in base64; it may be personal data")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !k.Given(cmd) {
			return target.With(cmd, func(c *client.Client) error { return listLetters(cmd, c, o, code, limit) })
		}
		config, err := k.Required(cmd)
		if err != nil {
			return err
		}
		letters := []kafka.DeadLetter{}
		_, err = config.ReadDeadLetters(cmd.Context(), nil, func(l kafka.DeadLetter) error {
			if limit > 0 && len(letters) == limit {
				return errEnough
			}
			if !values {
				l.Value = nil
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
				t.Row(l.Time.Format(time.RFC3339), l.Code, cli.Printable(fmt.Sprint(l.Origin)), cli.Printable(l.Reason))
			}
			t.Write(w, "")
		})
	}
	return cmd
}

// newDeadLettersRetry sends letters to a topic that the server consumes, and prints how many, as JSON. How far it came
// is the offset of a consumer group, which the next run reads. A letter whose record was too large to be kept with it
// can't be sent: it is counted as missing, and the command ends with exit code 5.
func newDeadLettersRetry() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retry --kafka-brokers HOST:PORT",
		Short: "Send dead letters through Kafka again",
		Long: `Write dead letters back to the topics they came from, to be consumed again, after you have corrected a
mapping, a schema or a rule. Other consumers of those topics see them again too; --to writes to a topic of your
own instead, which the server must consume.

An event that was accepted meanwhile counts once. An event that is rejected again becomes a new dead letter.
Each run begins where the previous run ended.`,
		Args: cobra.NoArgs,
	}
	k := cli.AddKafka(cmd, false)
	var how kafka.Retry
	cmd.Flags().StringVar(&how.To, "to", "", "topic to write to (default: the topic each letter came from)")
	cmd.Flags().StringVar(&how.Code, "code", "", "retry only letters rejected with this code (default: any)")
	cmd.Flags().BoolVar(&how.All, "all", false, "begin with the oldest letter, including letters retried before")
	cmd.Flags().BoolVar(&how.Dry, "dry-run", false, "count the letters, and write none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := k.Required(cmd)
		if err != nil {
			return err
		}
		done, err := config.RetryDeadLetters(cmd.Context(), how)
		if err != nil {
			return err
		}
		return sentAgain(cmd, done, done.Missing, "kept without the record, which was too large; read it in its original topic")
	}
	return cmd
}

// sentAgain prints what a command did that sends letters again, and ends it with exit code 5 if some can't be sent.
func sentAgain(cmd *cobra.Command, done any, left int, why string) error {
	if err := cli.WriteJSON(cmd.OutOrStdout(), done); err != nil || left == 0 {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "kindred: %s left: %s\n", cli.Plural(int64(left), "letter"), why)
	return cli.Silently(cli.ExitPartial)
}
