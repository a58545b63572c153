package run

import (
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// publishFlags are the flags for publishing the change feed to Kafka.
type publishFlags struct {
	brokers         []string
	topic, profiles string
	scores          bool
}

// addPublish adds the flags that publish the change feed. Nothing is published without --publish-brokers, whatever the
// others say.
func addPublish(cmd *cobra.Command) *publishFlags {
	f := &publishFlags{}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.brokers, "publish-brokers", nil, "publish the change feed to these Kafka brokers, HOST:PORT,…, with the TLS and SASL settings of --kafka-… and --kafka-config")
	flags.StringVar(&f.topic, "publish-topic", "kindred.changes", "topic for the entries of the change feed")
	flags.StringVar(&f.profiles, "publish-profiles", "", "compacted topic for whole profiles (default: profiles are not published)")
	flags.BoolVar(&f.scores, "publish-scores", false, "publish scores too: in entries that change orders, and in whole profiles")
	cli.WithEnv(flags, "publish-brokers", "publish-topic", "publish-profiles", "publish-scores")
	return f
}

// config returns where the change feed goes. The brokers are reached with the TLS and SASL settings of the Kafka flags.
func (f *publishFlags) config(cmd *cobra.Command, k *cli.KafkaFlags) (p node.Publish, err error) {
	if len(f.brokers) == 0 {
		return p, nil
	}
	p = node.Publish{Topic: f.topic, Profiles: f.profiles, Scores: f.scores}
	if p.Connection, err = k.Connection(cmd, f.brokers); err != nil {
		return p, cli.UsageError("%s: --publish-brokers: %w", cmd.Name(), err)
	}
	return p, nil
}
