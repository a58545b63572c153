package run

import (
	"strings"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// publishFlags say where the change feed is published.
type publishFlags struct {
	brokers, topic, profiles string
	scores                   bool
}

func addPublish(cmd *cobra.Command) *publishFlags {
	f := &publishFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "publish-brokers", "", "Kafka brokers to publish the change feed to: HOST:PORT, with commas between; TLS and SASL as --kafka-… and --kafka-config say")
	flags.StringVar(&f.topic, "publish-topic", "kindred.changes", "topic that takes the entries of the change feed")
	flags.StringVar(&f.profiles, "publish-profiles", "", "compacted topic that takes whole profiles; default none")
	flags.BoolVar(&f.scores, "publish-scores", false, "publish scores too: in entries that say something new of orders, and in whole profiles")
	cli.WithEnv(flags, "publish-brokers", "publish-topic", "publish-profiles", "publish-scores")
	return f
}

// config says where the change feed goes, to brokers that are reached with the TLS and SASL of the flags of Kafka.
func (f *publishFlags) config(k *cli.KafkaFlags) (p node.Publish, err error) {
	if f.brokers == "" {
		return p, nil
	}
	p = node.Publish{Topic: f.topic, Profiles: f.profiles, Scores: f.scores}
	if p.Connection, err = k.Connection(strings.Split(f.brokers, ",")); err != nil {
		return p, cli.UsageError("serve: --publish-brokers: %w", err)
	}
	return p, nil
}
