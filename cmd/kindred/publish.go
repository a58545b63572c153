package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/kindred-id/kindred/api"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/egress/kafka"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// publishFlags say where the change feed is published.
type publishFlags struct {
	brokers, topic, profiles string
	scores                   bool
	connection               broker.Connection // of check
}

func addPublish(cmd *cobra.Command) *publishFlags {
	f := &publishFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "publish-brokers", "", "Kafka brokers to publish the change feed to: HOST:PORT, with commas between; TLS and SASL as --kafka-… and --kafka-config say")
	flags.StringVar(&f.topic, "publish-topic", "kindred.changes", "topic that takes the entries of the change feed")
	flags.StringVar(&f.profiles, "publish-profiles", "", "compacted topic that takes whole profiles; default none")
	flags.BoolVar(&f.scores, "publish-scores", false, "publish scores too: in entries that say something new of orders, and in whole profiles")
	withEnv(flags, "publish-brokers", "publish-topic", "publish-profiles", "publish-scores")
	return f
}

// check finds what is wrong with the settings, before a directory is opened.
func (f *publishFlags) check(k *kafkaFlags) (err error) {
	if f.brokers == "" {
		return nil
	}
	if f.connection, err = k.connection(strings.Split(f.brokers, ",")); err != nil {
		return &exitError{exitUsage, fmt.Errorf("serve: --publish-brokers: %w", err)}
	}
	return nil
}

// publishing is a publisher at work.
type publishing struct {
	publisher *egress.Publisher
	stop      func()
}

// start publishes until it is stopped; nil when nothing is to be published.
func (f *publishFlags) start(i *node.Instance, logger *slog.Logger) (*publishing, error) {
	if f.brokers == "" {
		return nil, nil
	}
	since, on := i.Engine.FeedOn()
	if !on {
		return nil, usageError("serve: --publish-brokers publishes the change feed, and there is none: add --feed")
	}
	config := kafka.Config{
		Connection: f.connection, Logger: logger,
		Topic: f.topic, Profiles: f.profiles, Documents: profileDocuments(i, f.scores), Source: egress.Source(since),
	}
	if f.scores {
		config.Scores = api.ScoresOf(i.Engine, i.Scores)
	}
	sink, err := kafka.New(config)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	p := &egress.Publisher{Engine: i.Engine, Sink: sink, Name: "kafka", Logger: logger}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.Run(ctx); err != nil {
			logger.Error("publishing stopped", "error", err)
		}
	})
	logger.Info("publishing the change feed", "topic", f.topic, "profiles", f.profiles)
	return &publishing{p, func() {
		cancel()
		running.Wait()
		if err := sink.Close(); err != nil {
			logger.Warn("the publisher did not close", "error", err)
		}
	}}, nil
}

// end stops publishing, where there is any.
func (p *publishing) end() {
	if p != nil {
		p.stop()
	}
}

// check is a check of /readyz: it fails where publishing stopped. A delivery that fails is tried again by
// itself, and is told; the feed keeps what is not delivered.
func (p *publishing) check(context.Context) document.Check {
	s := p.publisher.Status()
	c := document.Check{Name: "publish", OK: !s.Stopped}
	switch {
	case s.Stopped:
		c.Detail = "publishing the change feed stopped: " + s.Err.Error()
		c.Hint = "restart the server; it goes on behind what was delivered last"
	case s.Err != nil:
		c.Detail = fmt.Sprintf("%d entries of the change feed wait; %d deliveries failed in a row: %s", s.Behind, s.Attempts, s.Err)
	}
	return c
}

// profileDocuments gives what GET /v1/profiles answers, with scores where they are wanted. Documents are written on the
// identities' shards, in turn with what flows in.
func profileDocuments(i *node.Instance, scores bool) func(context.Context, []graph.NodeKey) ([][]byte, []int, error) {
	return func(ctx context.Context, ids []graph.NodeKey) (documents [][]byte, moving []int, err error) {
		documents = make([][]byte, len(ids))
		here := make([]bool, len(ids))
		scorer, now := i.Scores.Scorer(), i.Engine.Now()
		if err := i.Engine.ViewMany(ctx, ids, func(n int, c *graph.Component) {
			p, ok := c.Profile(ids[n], i.Engine.Rules())
			here[n] = ok
			switch {
			case !ok || p.ID != ids[n] || p.Events == 0:
			case scores:
				scores := document.Score(scorer, &p, now)
				documents[n] = document.AppendScored(nil, &p, &scores, i.Control)
			default:
				documents[n] = document.AppendProfile(nil, &p, i.Control)
			}
		}); err != nil {
			return nil, nil, fmt.Errorf("read profiles: %w", err)
		}
		for n := range ids {
			if !here[n] {
				moving = append(moving, n)
			}
		}
		return documents, moving, nil
	}
}
