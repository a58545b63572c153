package run

import (
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// addFeed adds the flags that switch the change feed on and bound it. They are checked before the command runs,
// together with what the command checks before.
func addFeed(cmd *cobra.Command, f *cli.NodeFlags) {
	bytes := cli.ByteSize(feed.DefaultBytes)
	flags := cmd.Flags()
	flags.BoolVar(&f.Config.Feed.On, "feed", false, "keep a change feed of identities; once on, it stays on")
	flags.DurationVar(&f.Config.Feed.Age, "feed-age", feed.DefaultAge, "how long to keep entries of the change feed, at least 1s; longer for receivers that have not acknowledged them")
	flags.Var(&bytes, "feed-bytes", "how much of the change feed to keep, at least 1MiB; more for receivers that have not acknowledged it")
	cli.WithEnv(flags, "feed", "feed-age", "feed-bytes")
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if f.Config.Feed.Age < time.Second || bytes < 1<<20 {
			return cli.UsageError("%s: --feed-age and --feed-bytes: want at least 1s and 1MiB", cmd.Name())
		}
		f.Config.Feed.Bytes = int64(bytes)
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
}
