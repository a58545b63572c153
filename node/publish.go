package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/stream"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/egress/kafka"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/broker"
)

// Publish is the destination of the change feed in Kafka. Without brokers nothing is published. With brokers, Topic and
// Config.Feed are required.
type Publish struct {
	Connection broker.Connection
	Topic      string // for the entries
	Profiles   string // compacted topic for whole profiles; default: profiles are not published
	Scores     bool   // publish scores too
}

// on reports whether the feed is to be published at all.
func (p *Publish) on() bool { return len(p.Connection.Brokers) > 0 }

// check finds what is wrong with the settings before anything is opened.
func (p *Publish) check() error {
	if !p.on() {
		return nil
	}
	return errors.Join(p.Connection.Check(), kafka.CheckTopics(p.Topic, p.Profiles))
}

// receiverName is that of the receiver of the feed which the topics are.
const receiverName = "kafka"

// publishing is a publisher at work.
type publishing struct {
	publisher *egress.Publisher
	stop      func()
}

// startPublishing starts the publisher, which goes on from the place that its receiver has in the feed. In a cluster one node at a time
// publishes, and the brokers refuse what another one has under way (docs/cluster.md). An error here
// is one of the settings; brokers that can't be reached are tried again for as long as it takes.
func (k *Kindred) startPublishing(context.Context) error {
	d, p, logger := k.directory, &k.config.Publish, k.config.Logger
	since, on := d.engine.Feed().Since()
	if !on {
		return &ConfigError{errors.New("--publish-brokers: there is no change feed to publish; add --feed")}
	}
	config := kafka.Config{
		Connection: p.Connection, Logger: logger,
		Topic: p.Topic, Profiles: p.Profiles, Documents: d.documents(p.Scores), Source: egress.Source(since),
	}
	if p.Scores {
		config.Scores = stream.ScoresOf(d.engine, d.scores)
	}
	publisher := &egress.Publisher{Engine: d.engine, Name: receiverName, Logger: logger}
	if d.cluster != nil {
		if err := d.cluster.Publish(receiverName); err != nil {
			return &ConfigError{err}
		}
		config.TransactionalID = fmt.Sprintf("kindred.%x.%s", k.config.Cluster.ID, receiverName)
		publisher.Turns = &egress.Turns{
			Mine: func() bool { return d.cluster.Publishes(receiverName) },
			Open: func() (egress.Exclusive, error) { return kafka.New(config) },
		}
	} else {
		sink, err := kafka.New(config)
		if err != nil {
			return &ConfigError{err}
		}
		publisher.Sink = sink
	}
	stop := background(func(ctx context.Context) {
		if err := publisher.Run(ctx); err != nil {
			logger.Error("publishing stopped", "error", err)
		}
	})
	k.publisher = &publishing{publisher, stop}
	logger.Info("publishing the change feed", "topic", p.Topic, "profiles", p.Profiles)
	return nil
}

// stopPublishing waits for the delivery under way to end or break off. Entries that the brokers have and that are not
// acknowledged in the feed are sent again after the next start.
func (k *Kindred) stopPublishing(context.Context) error {
	k.publisher.stop()
	if sink := k.publisher.publisher.Sink; sink != nil {
		if err := sink.Close(); err != nil {
			k.config.Logger.Warn("the publisher did not close", "error", err)
		}
	}
	return nil
}

// check is a check of /readyz. It fails if publishing has stopped. A delivery that failed is retried, so it is reported
// without failing the check: the feed keeps every entry until it is delivered.
func (p *publishing) check(ctx context.Context) document.Check {
	s := p.publisher.Status(ctx)
	c := document.Check{Name: "publish", OK: !s.Stopped}
	switch {
	case s.Stopped:
		c.Detail = "publishing the change feed stopped: " + s.Err.Error()
		c.Hint = "restart the server; it continues after the last entry delivered"
	case s.Err != nil:
		c.Detail = fmt.Sprintf("%d entries of the change feed wait; %d deliveries failed in a row: %s", s.Behind, s.Attempts, s.Err)
	}
	return c
}

// documents encodes profiles as GET /v1/profiles answers them, with scores if wanted. It runs on the identities' shards,
// in turn with incoming events.
func (d *directory) documents(scores bool) func(context.Context, []graph.NodeKey) ([][]byte, []int, error) {
	return func(ctx context.Context, ids []graph.NodeKey) (documents [][]byte, moving []int, err error) {
		documents = make([][]byte, len(ids))
		here := make([]bool, len(ids))
		scorer, now := d.scores.Scorer(), d.engine.Now()
		if err := d.engine.ReadMany(ctx, ids, func(n int, v *actors.View) {
			p, err := v.Profile()
			here[n] = err == nil
			switch {
			case err != nil || p.ID != ids[n] || p.Events == 0:
			case scores:
				scores := document.Score(scorer, &p, now)
				documents[n] = document.AppendScored(nil, &p, &scores, d.control)
			default:
				documents[n] = document.AppendProfile(nil, &p, d.control)
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
