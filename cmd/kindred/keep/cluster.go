package keep

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/cluster"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// newCluster groups the commands about several nodes that share one deployment.
func newCluster() *cobra.Command {
	return cli.Group("cluster", "Make a cluster, and look at its nodes and shards",
		`Several nodes share the shards of one deployment: make its journal once with init, then start each node with
kindred serve --cluster. See docs/cluster.md.`,
		newClusterInit(), newClusterStatus(), newClusterShards(), newClusterDrain(), newClusterRemove())
}

// initialised is what cluster init made.
type initialised struct {
	Cluster    string `json:"cluster"`
	Topic      string `json:"topic"`
	Deployment string `json:"deployment"`
	Shards     int    `json:"shards"`
	Rules      string `json:"rules"`         // their version
	Key        string `json:"key,omitempty"` // the secret of the first key, shown here alone
}

// newClusterInit makes the journal of a cluster and writes what the deployment is.
func newClusterInit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init --cluster NAME --journal-brokers HOST:PORT,… --secret-file FILE",
		Short: "Make the journal of a new cluster",
		Long: `Make the topic NAME.journal with a partition for each shard and one for what belongs to no shard, and write
there what the deployment is: its number of shards, its id and its rules. Every node needs the secret, which
the journal never has. With --admin-key, make a first key: nodes that listen on a network need one.

A topic of that name which is there already is used if it is empty and has the settings that a journal needs.
Otherwise the command refuses it, and names each setting with its value and the remedy. If the command is cut
short, give it again.`,
		Args: cobra.NoArgs,
	}
	var c node.Config
	var key string
	f := cli.AddCluster(cmd, cli.AddKafka(cmd, false))
	cli.AddDefinition(cmd, &c)
	cmd.Flags().StringVar(&key, "admin-key", "", "name of a first key, which may do everything; its secret is shown once (default: none, and nodes listen on loopback alone)")
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !f.On() {
			return cli.UsageError("init: no name; give --cluster NAME")
		}
		journal, err := f.Config(cmd)
		if err != nil {
			return err
		}
		d, rows, secret, err := node.Define(cmd.Context(), c, key)
		if err != nil {
			return cli.Exit(cli.ExitUsage, fmt.Errorf("init: %w", err))
		}
		ops, count := rows.Ops()
		if err := cluster.Define(cmd.Context(), journal, cluster.Definition{Deployment: d.ID, Shards: d.Shards, Ops: ops, Count: count}, d.Rules); err != nil {
			return cli.ClusterError(err)
		}
		made := initialised{journal.Cluster, journal.Topic(), fmt.Sprintf("%x", d.ID), d.Shards, fmt.Sprintf("%016x", d.Rules), secret}
		return o.Show(cmd.OutOrStdout(), made, func(w io.Writer) {
			fmt.Fprintf(w, "cluster %s is made: topic %s, %d shards, deployment %s\n", made.Cluster, made.Topic, made.Shards, made.Deployment)
			if made.Key != "" {
				fmt.Fprintf(w, "key %s, which is shown once: %s\n", key, made.Key)
			}
		})
	}
	return cmd
}
