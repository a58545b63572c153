package keep

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// backupAsksEvery is how often a node is asked how far its backup is.
const backupAsksEvery = 500 * time.Millisecond

// newClusterBackup asks a node for a copy of the whole deployment. A directory that has files in it is refused with exit code 4.
func newClusterBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Write a consistent copy of a cluster, while it runs",
		Long: `Let a node write a copy of the whole deployment, as it is at one moment, to a directory of its machine that is empty
or does not exist, below the folder of kindred serve --backup-dir. Events wait for a moment only, and not while
rows are copied.

The copy is the data directory of one process: kindred verify, export and serve open it with --data DIR, and
kindred cluster init --from DIR makes a cluster of it again.`,
		Args: cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			bar := cli.NewProgress(cmd.ErrOrStderr(), "copying", -1, true, "")
			ctx, stop := context.WithCancel(cmd.Context())
			followed := make(chan struct{})
			go func() {
				defer close(followed)
				followBackup(ctx, c, bar)
			}()
			made, err := c.Admin.ClusterBackup(cmd.Context(), args[0])
			stop()
			<-followed
			bar.End()
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), made, func(w io.Writer) { showBackup(w, &made) })
		})
	}
	return cmd
}

// followBackup shows how far a backup is until ctx ends.
func followBackup(ctx context.Context, c *client.Client, bar *cli.Progress) {
	tick := time.NewTicker(backupAsksEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if at, err := c.Admin.ClusterBackupProgress(ctx); err == nil && at.Running {
			bar.Set(at.Bytes)
		}
	}
}

func showBackup(w io.Writer, made *document.ClusterBackup) {
	fmt.Fprintf(w, "backup written to %s: %s of %s, %s; events waited for %v\n", cli.Printable(made.Dir), cli.Plural(made.Shards, "shard"), cli.Plural(made.Nodes, "node"),
		cli.Plural(int(made.Rows), "row"), time.Duration(made.HeldSeconds*float64(time.Second)).Round(time.Millisecond))
}
