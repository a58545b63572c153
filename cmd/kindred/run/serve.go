package run

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
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
variables over the configuration file, and the file over defaults: kindred config show --origin tells which.

SIGHUP reads the settings again, and takes over those that may change while the server runs; kindred config
check lists them.

With --kafka-brokers and --kafka-topic, or with --kafka-config, also consume the events of topics, each
exactly once, from where the last run stopped. See docs/kafka.md.

With --cluster, be one of several nodes that share the shards of a deployment, which kindred cluster init made.
See docs/cluster.md.`,
		Args: cobra.NoArgs,
	}
	f := addServe(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		err := f.settle(cmd)
		if err == nil && !f.cluster.On() {
			err = f.node.AskLocale(cmd)
		}
		if err != nil {
			return err
		}
		logger := f.node.Logger(cmd.ErrOrStderr())
		hangup := make(chan os.Signal, 1) // from here on: one that comes early is answered late, and ends nothing
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
		start := time.Now()
		if f.cluster.On() {
			if f.node.Config.Cluster, err = f.cluster.Find(cmd.Context(), logger); err != nil {
				return err
			}
		}
		kindred, err := f.node.Open(cmd.Context(), logger)
		if err != nil {
			return err
		}
		logger.Info("serving", "url", kindred.URL(), "console", kindred.URL()+"/console", "data", f.node.Config.Dir, "rules", kindred.Rules().Name,
			"shards", kindred.Engine().Shards(), "memory", cli.FormatBytes(f.node.Config.Memory), "opened_in", time.Since(start).Round(time.Millisecond).String())
		if err := cli.Notify(cli.NotifyReady); err != nil {
			logger.Warn("serving, and nobody was told", "error", err)
		}
		again := newReloader(cmd, kindred, logger)
		stopped := make(chan struct{})
		var reloads sync.WaitGroup
		reloads.Go(func() { again.run(hangup, stopped) })
		err = kindred.Wait(cmd.Context())
		close(stopped)
		reloads.Wait()
		_ = cli.Notify(cli.NotifyStopping) // it was told that this one is ready, or was not there
		return cmp.Or(err, kindred.Stop(context.Background()))
	}
	return cmd
}

// serveFlags are the flags of serve, and of the commands that look at its settings.
type serveFlags struct {
	node    *cli.NodeFlags
	kafka   *cli.KafkaFlags
	cluster *cli.ClusterFlags
	publish *publishFlags
}

// addServe adds the flags of serve.
func addServe(cmd *cobra.Command) *serveFlags {
	f := &serveFlags{node: cli.AddNode(cmd)}
	f.node.AddLog(cmd)
	f.node.Config.Refit = true
	f.kafka = cli.AddKafka(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&f.node.Config.Listen, "listen", defaultListen, "address to listen on; port 0 selects a free port")
	flags.StringSliceVar(&f.node.Config.Origins, "collect-origins", nil, "origins of pages that may send events, SCHEME://HOST,…; none: no page (default: any)")
	flags.StringSliceVar(&f.node.Config.Mappings, "map", nil, "mappings of POST /v1/map/NAME, NAME=FILE,… (default: the ready-made ones alone)")
	flags.StringVar(&f.node.Config.AdminListen, "admin-listen", "", "loopback address for profiles of the process (pprof) and the level of the log, PORT or HOST:PORT (default: none)")
	cli.WithEnv(flags, "listen", "collect-origins", "map", "admin-listen")
	addAccess(cmd, f.node)
	addDeadLetters(cmd, f.node)
	addFeed(cmd, f.node)
	cli.Reloads(flags, "log-level", "collect-origins", "allowed-hosts", "unknown-key", "key-rate", "map", "feed-age", "feed-bytes")
	f.publish = addPublish(cmd)
	f.cluster = cli.AddNodeOfCluster(cmd, f.kafka)
	return f
}

// settle makes the configuration of the node from the flags.
func (f *serveFlags) settle(cmd *cobra.Command) (err error) {
	if f.node.Config.Dir == "" {
		return cli.UsageError("%s: no data directory; give --data DIR", cmd.Name())
	}
	if f.node.Config.Kafka, err = f.kafka.Config(cmd); err != nil {
		return err
	}
	if f.node.Config.Publish, err = f.publish.config(cmd, f.kafka); err != nil {
		return err
	}
	f.node.Config.Refit = !f.cluster.On() // the scores of a cluster are fitted on demand so far
	return f.cluster.Settle(cmd, f.node.Config.Access.InsecureDev, f.node.Config.Listen)
}
