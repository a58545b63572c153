package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/kindred-id/kindred/api"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

const defaultListen = "127.0.0.1:8080"

// Bounds of a shutdown.
const (
	drainTimeout  = 30 * time.Second // of requests under way
	failedTimeout = 2 * time.Second  // of these, once the engine has failed
	closeTimeout  = 2 * time.Minute  // of what is written behind
)

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
	f := addInstance(cmd)
	f.addLogFormat(cmd)
	k := addKafka(cmd, true)
	var listen string
	cmd.Flags().StringVar(&listen, "listen", defaultListen, "address to listen on; port 0 takes a free one")
	withEnv(cmd.Flags(), "listen")
	addFeed(cmd, f)
	publish := addPublish(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if f.options.Dir == "" {
			return usageError("serve: give the directory to serve: --data DIR")
		}
		topics, err := k.config(cmd)
		if err == nil && topics != nil {
			err = topics.Check() // before the directory is made
		}
		if err != nil {
			return &exitError{exitUsage, err}
		}
		logger := f.logger(cmd.ErrOrStderr())
		if err := publish.check(k); err != nil {
			return err
		}
		// First, so that a port that is taken is found before the directory is opened.
		listener, err := listenOn(listen)
		if err != nil {
			return err
		}
		start := time.Now()
		i, err := f.open(cmd.Context(), logger)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		logger.Info("serving", "url", "http://"+listener.Addr().String(), "data", f.options.Dir, "rules", i.Rules.Rules.Name,
			"shards", i.Engine.Shards(), "memory", formatBytes(f.options.Memory), "opened_in", time.Since(start).Round(time.Millisecond).String())
		published, err := publish.start(i, logger)
		if err != nil {
			return cmp.Or(errors.Join(err, listener.Close()), closeInstance(i, logger))
		}
		consumer, err := startConsumer(i, topics, logger)
		var server *api.Server
		if err == nil {
			server, err = newServer(i, logger, consumer, published)
		}
		if err != nil {
			err = errors.Join(err, listener.Close())
		} else {
			stop := refitting(cmd.Context(), i, logger)
			err = serve(cmd.Context(), i, server, listener, logger)
			stop()
		}
		err = cmp.Or(err, stopConsumer(consumer))
		published.end()
		return cmp.Or(err, closeInstance(i, logger))
	}
	return cmd
}

// refitting keeps the parameters of the scores up to date, until stop is called.
func refitting(ctx context.Context, i *node.Instance, logger *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.Scores.Run(ctx, logger)
	}()
	return func() {
		cancel()
		<-done
	}
}

func listenOn(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: another process does (stop it, or name another address with --listen)", address)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (give --listen HOST:PORT)", err)
	}
	return listener, nil
}

// serve answers until the context ends, the engine fails or the listener does. Requests under way are
// answered before it returns.
func serve(ctx context.Context, i *node.Instance, server *api.Server, listener net.Listener, logger *slog.Logger) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	drain := drainTimeout
	var failed error
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-i.Engine.Failed():
		// Whoever is being answered is told so by the engine.
		failed, drain = i.Engine.Err(), failedTimeout
	case <-ctx.Done():
		logger.Info("stopping", "wait_at_most", drain.String())
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(draining); err != nil {
		logger.Warn("requests under way are broken off: their clients will send again", "error", err)
	}
	return failed
}

// closeInstance writes everything and closes the directory.
func closeInstance(i *node.Instance, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := i.Close(ctx); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	logger.Info("stopped")
	return nil
}
