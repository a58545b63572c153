package run

import (
	"cmp"
	"context"
	"time"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

const defaultListen = "127.0.0.1:8080"

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Serve a data directory over HTTP, and take the events of Kafka topics in",
		Long: `Take events in and answer questions over HTTP, until a signal (SIGINT, SIGTERM) asks to stop. Then
requests under way are answered, everything is written, and nothing is lost. Flags come before
environment variables, these before a file, and that before defaults.

With --kafka-brokers and --kafka-topic, or --kafka-config, it takes the events of topics too, each
once, from where it stood. See docs/kafka.md.`,
		Args: cobra.NoArgs,
	}
	f := cli.AddNode(cmd)
	f.AddLogFormat(cmd)
	f.Config.Refit = true
	k := cli.AddKafka(cmd, true)
	cmd.Flags().StringVar(&f.Config.Listen, "listen", defaultListen, "address to listen on; port 0 takes a free one")
	cli.WithEnv(cmd.Flags(), "listen")
	addFeed(cmd, f)
	publish := addPublish(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if f.Config.Dir == "" {
			return cli.UsageError("serve: give the directory to serve: --data DIR")
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
