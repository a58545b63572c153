package run

import (
	"cmp"
	"context"
	"time"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

const defaultListen = "127.0.0.1:8080"

// newServe opens a directory and serves it until a signal comes or the engine or the HTTP server fails.
//
// Two signals differ. The first begins an orderly stop: requests under way are answered, and all rows are written. The
// second ends the process at once, and the next start replays the log. Nothing that was acknowledged is lost either
// way.
func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Serve a data directory over HTTP, and consume events from Kafka",
		Long: `Accept events and answer queries over HTTP until SIGINT or SIGTERM. Then finish the requests in progress
and write everything, so that nothing is lost. Flags take precedence over environment variables, environment
variables over files, and files over defaults.

With --kafka-brokers and --kafka-topic, or with --kafka-config, also consume the events of topics, each
exactly once, from where the last run stopped. See docs/kafka.md.`,
		Args: cobra.NoArgs,
	}
	f := cli.AddNode(cmd)
	f.AddLogFormat(cmd)
	f.Config.Refit = true
	k := cli.AddKafka(cmd, true)
	cmd.Flags().StringVar(&f.Config.Listen, "listen", defaultListen, "address to listen on; port 0 selects a free port")
	cmd.Flags().StringSliceVar(&f.Config.Origins, "collect-origins", nil, "origins of pages that may send events, SCHEME://HOST,…; none: no page (default: any)")
	cli.WithEnv(cmd.Flags(), "listen", "collect-origins")
	addFeed(cmd, f)
	publish := addPublish(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if f.Config.Dir == "" {
			return cli.UsageError("serve: no data directory; give --data DIR")
		}
		if f.Config.Kafka, err = k.Config(cmd); err != nil {
			return err
		}
		if f.Config.Publish, err = publish.config(k); err != nil {
			return err
		}
		logger := f.Logger(cmd.ErrOrStderr())
		start := time.Now()
		kindred, err := f.Open(cmd.Context(), logger)
		if err != nil {
			return err
		}
		logger.Info("serving", "url", kindred.URL(), "data", f.Config.Dir, "rules", kindred.Rules().Name,
			"shards", kindred.Engine().Shards(), "memory", cli.FormatBytes(f.Config.Memory), "opened_in", time.Since(start).Round(time.Millisecond).String())
		err = kindred.Wait(cmd.Context())
		return cmp.Or(err, kindred.Stop(context.Background()))
	}
	return cmd
}
