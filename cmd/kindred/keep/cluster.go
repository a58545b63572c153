package keep

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/kindred-id/kindred/cluster"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// newCluster groups the commands about several nodes that share one deployment.
func newCluster() *cobra.Command {
	return cli.Group("cluster", "Make a cluster, and look at its nodes and shards",
		`Several nodes share the shards of one deployment: make its journal once with init, then start each node with
kindred serve --cluster. See docs/cluster.md.`,
		newClusterInit(), newClusterStatus(), newClusterShards(), newClusterDrain(), newClusterRemove(), newClusterBackup(), newClusterReseed(), newClusterPlan())
}

// initialised is what cluster init made.
type initialised struct {
	Cluster    string   `json:"cluster"`
	Topic      string   `json:"topic"`
	Deployment string   `json:"deployment"`
	Shards     int      `json:"shards"`
	Rules      string   `json:"rules"`         // their version
	Key        string   `json:"key,omitempty"` // the secret of the first key, shown here alone
	From       *adopted `json:"from,omitempty"`
}

// adopted is what became of a directory.
type adopted struct {
	Dir         string `json:"dir"`
	Rows        int64  `json:"rows"`                  // of shards
	DeadLetters int    `json:"dead_letters"`          // that stayed there
	Secret      string `json:"secret_file,omitempty"` // that was made
}

// newClusterInit makes the journal of a cluster and writes what the deployment is.
func newClusterInit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init --cluster NAME --journal-brokers HOST:PORT,… --secret-file FILE",
		Short: "Make the journal of a new cluster",
		Long: `Make the topic NAME.journal with a partition for each shard and one for what belongs to no shard, and write
there what the deployment is: its number of shards, its id and its rules. Every node needs the secret, which
the journal never has. With --admin-key, make a first key: nodes that listen on a network need one. With --feed,
the deployment keeps a change feed, from its first event on; it can't be turned on later.

With --from DIR, the cluster goes on with the deployment of a data directory that no process has open: its
shards, rules, keys, audiences and parameters, and all its people. The secret is the directory's, and FILE is
made if it does not exist. The directory is not changed; dead letters stay there.

A topic of that name which is there already is used if it is empty and has the settings that a journal needs.
Otherwise the command refuses it, and names each setting with its value and the remedy. If the command is cut
short, give it again; with --from, it says which topic to delete before.`,
		Args: cobra.NoArgs,
	}
	var c node.Config
	var key string
	f := cli.AddCluster(cmd, cli.AddKafka(cmd, false))
	cli.AddDefinition(cmd, &c)
	cmd.Flags().StringVar(&key, "admin-key", "", "name of a first key, which may do everything; its secret is shown once (default: none, and nodes listen on loopback alone)")
	cmd.Flags().StringVar(&c.Dir, "from", "", "data directory of a deployment in one process, stopped, that the cluster goes on with (default: none, the cluster begins empty)")
	cmd.Flags().BoolVar(&c.Feed.On, "feed", false, "keep a change feed of identities, from the first event on")
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !f.On() {
			return cli.UsageError("init: no name; give --cluster NAME")
		}
		journal, err := f.Config(cmd)
		if err != nil {
			return err
		}
		made, err := initialise(cmd, journal, c, key)
		if err != nil {
			return err
		}
		return o.Show(cmd.OutOrStdout(), made, func(w io.Writer) { made.table(w, key) })
	}
	return cmd
}

// initialise makes a journal, of a directory if c names one.
func initialise(cmd *cobra.Command, journal *cluster.Config, c node.Config, key string) (made initialised, err error) {
	if c.Dir != "" {
		return adopt(cmd, journal, c, key)
	}
	d, rows, secret, err := node.Define(cmd.Context(), c, key)
	if err != nil {
		return made, cli.Exit(cli.ExitUsage, fmt.Errorf("init: %w", err))
	}
	err = cluster.Define(cmd.Context(), journal, definition(d, rows), d.Rules)
	return initialisedOf(journal, d, secret), cli.ClusterError(err)
}

// adopt makes the journal of a directory.
func adopt(cmd *cobra.Command, journal *cluster.Config, c node.Config, key string) (made initialised, err error) {
	a, err := node.Adopt(cmd.Context(), c, key)
	if err != nil {
		return made, fmt.Errorf("init: %w", err)
	}
	from := &adopted{Dir: c.Dir, DeadLetters: a.DeadLetters}
	if a.MadeSecret {
		from.Secret = c.SecretFile
	}
	bar := cli.NewProgress(cmd.ErrOrStderr(), "bringing rows into the journal", -1, false, "rows")
	var rows atomic.Int64
	err = cluster.Adopt(cmd.Context(), journal, definition(a.Deployment, a.Rows), a.Deployment.Rules, a.Shards, func(n int) {
		rows.Add(int64(n))
		bar.Add(int64(n))
	})
	bar.End()
	from.Rows = rows.Load()
	made = initialisedOf(journal, a.Deployment, a.Key)
	made.From = from
	return made, errors.Join(cli.ClusterError(err), a.Close())
}

func definition(d node.Deployment, rows *storage.Batch) cluster.Definition {
	ops, count := rows.Ops()
	return cluster.Definition{Deployment: d.ID, Shards: d.Shards, Ops: ops, Count: count}
}

func initialisedOf(journal *cluster.Config, d node.Deployment, key string) initialised {
	return initialised{
		Cluster: journal.Cluster, Topic: journal.Topic(), Deployment: fmt.Sprintf("%x", d.ID), Shards: d.Shards, Rules: fmt.Sprintf("%016x", d.Rules), Key: key,
	}
}

// table says what was made, and what an operator has to know of a directory. key is the name of the first key.
func (i *initialised) table(w io.Writer, key string) {
	fmt.Fprintf(w, "cluster %s is made: topic %s, %d shards, deployment %s\n", i.Cluster, i.Topic, i.Shards, i.Deployment)
	if i.Key != "" {
		fmt.Fprintf(w, "key %s, which is shown once: %s\n", key, i.Key)
	}
	if i.From == nil {
		return
	}
	fmt.Fprintf(w, "it goes on with %s, which has not changed: serve it no more\n", i.From.Dir)
	if i.From.Secret != "" {
		fmt.Fprintf(w, "the secret, which every node needs, is in %s\n", i.From.Secret)
	}
	if n := i.From.DeadLetters; n > 0 {
		fmt.Fprintf(w, "%s stayed there: see kindred deadletters --data %s\n", cli.Plural(n, "dead letter"), i.From.Dir)
	}
}
