package main

import (
	"cmp"
	"context"
	"time"

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
	f := addNode(cmd)
	f.addLogFormat(cmd)
	f.config.Refit = true
	k := addKafka(cmd, true)
	cmd.Flags().StringVar(&f.config.Listen, "listen", defaultListen, "address to listen on; port 0 takes a free one")
	withEnv(cmd.Flags(), "listen")
	addFeed(cmd, f)
	publish := addPublish(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if f.config.Dir == "" {
			return usageError("serve: give the directory to serve: --data DIR")
		}
		if f.config.Kafka, err = k.config(cmd); err != nil {
			return err
		}
		if f.config.Publish, err = publish.config(k); err != nil {
			return err
		}
		logger := f.logger(cmd.ErrOrStderr())
		start := time.Now()
		kindred, err := f.open(cmd.Context(), logger)
		if err != nil {
			return err
		}
		logger.Info("serving", "url", kindred.URL(), "data", f.config.Dir, "rules", kindred.Rules().Name,
			"shards", kindred.Engine().Shards(), "memory", formatBytes(f.config.Memory), "opened_in", time.Since(start).Round(time.Millisecond).String())
		err = kindred.Wait(cmd.Context())
		return cmp.Or(err, kindred.Stop(context.Background()))
	}
	return cmd
}
