package keep

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newReceivers groups the receivers of the change feed: readers for which the feed keeps what they have not
// acknowledged.
func newReceivers() *cobra.Command {
	return cli.Group("receivers", "List and drop receivers of the change feed", `List and drop the registered receivers of the change feed.

The feed keeps every entry that a registered receiver has not acknowledged, even beyond --feed-age and
--feed-bytes. So a retired publisher makes the feed grow until its receiver is dropped.`,
		newReceiversList(), newReceiversDrop())
}

// newReceiversList prints each receiver with the number of entries that it has not acknowledged. A number that only
// grows shows a publisher that has stopped, or was retired without a drop.
func newReceiversList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List receivers and how far each is behind",
		Args:  cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			list, err := c.Feed.Receivers(cmd.Context())
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), list, func(w io.Writer) {
				if len(list.Receivers) == 0 {
					fmt.Fprintln(w, "the change feed has no receivers")
				}
				var t cli.Table
				for _, r := range list.Receivers {
					t.Row(r.Name, cli.Plural(r.Behind, "entry")+" behind")
				}
				t.Write(w, "")
			})
		})
	}
	return cmd
}

// newReceiversDrop forgets a receiver, so that the feed may delete what was kept for it. A publisher that still runs
// under the name fails from then on; its next start registers it again, from the oldest entry that is left. An unknown
// name ends with exit code 3.
func newReceiversDrop() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drop NAME",
		Short: "Forget a receiver: the feed no longer keeps entries for it",
		Args:  cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			if err := c.Feed.DropReceiver(cmd.Context(), args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "dropped receiver %s\n", args[0])
			return nil
		})
	}
	return cmd
}
