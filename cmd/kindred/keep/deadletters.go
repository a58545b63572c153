package keep

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/spf13/cobra"
)

func newDeadLetters() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletters",
		Short: "List and retry events of Kafka that were rejected",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range []*cobra.Command{newDeadLettersList(), newDeadLettersRetry()} {
		c.Args = cli.UsageArgs(c.Args)
		cmd.AddCommand(c)
	}
	return cmd
}

// errEnough ends a list that is long enough.
var errEnough = errors.New("enough")

func newDeadLettersList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list --kafka-brokers HOST:PORT",
		Short: "List dead letters, the oldest first",
		Args:  cobra.NoArgs,
	}
	k := cli.AddKafka(cmd, false)
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	var limit int
	var values bool
	cmd.Flags().IntVar(&limit, "limit", 100, "how many at most; 0 for all")
	cmd.Flags().BoolVar(&values, "values", false, "with JSON: what each holds, in base64; that may be personal")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
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

func newDeadLettersRetry() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retry --kafka-brokers HOST:PORT",
		Short: "Write dead letters again, so that they are consumed once more",
		Long: `Write dead letters to the topics that they came from, so that they are consumed once more: after a
mapping, a schema or a rule was corrected. Others who read those topics see them again too; --to names a
topic of your own instead, which the server consumes.

An event that was taken meanwhile counts once. One that is rejected again becomes a new dead letter. Each run
begins behind the one before.`,
		Args: cobra.NoArgs,
	}
	k := cli.AddKafka(cmd, false)
	var how kafka.Retry
	cmd.Flags().StringVar(&how.To, "to", "", "topic to write to (default where each came from)")
	cmd.Flags().StringVar(&how.Code, "code", "", "only those that were rejected with this code")
	cmd.Flags().BoolVar(&how.All, "all", false, "from the first one on, also what was retried before")
	cmd.Flags().BoolVar(&how.Dry, "dry-run", false, "count them, and write none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := k.Required(cmd)
		if err != nil {
			return err
		}
		done, err := config.RetryDeadLetters(cmd.Context(), how)
		if err != nil {
			return err
		}
		if err := cli.WriteJSON(cmd.OutOrStdout(), done); err != nil {
			return err
		}
		if done.Missing > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "kindred: %s too large to hold their record: read them where they came from\n", cli.Plural(int64(done.Missing), "letter"))
			return cli.Silently(cli.ExitPartial)
		}
		return nil
	}
	return cmd
}
