package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cluster"
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/internal/hostport"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// ClusterFlags are the flags that name a cluster and its journal and, for a node, its place there.
type ClusterFlags struct {
	config  cluster.Config
	brokers []string
	kafka   *KafkaFlags
}

// AddCluster adds the flags that name a cluster and its journal. The brokers are reached with the TLS and SASL settings of k.
func AddCluster(cmd *cobra.Command, k *KafkaFlags) *ClusterFlags {
	f := &ClusterFlags{kafka: k}
	flags := cmd.Flags()
	flags.StringVar(&f.config.Cluster, "cluster", "", "name of the cluster; its journal is the topic NAME.journal")
	flags.StringSliceVar(&f.brokers, "journal-brokers", nil, "Kafka brokers of the journal, HOST:PORT,…, with the TLS and SASL settings of --kafka-… and --kafka-config")
	flags.IntVar(&f.config.Replicas, "journal-replicas", 3, "replicas of the journal: 3, or 1 for trials, where the loss of a broker's disk loses data")
	WithEnv(flags, "cluster", "journal-brokers", "journal-replicas")
	return f
}

// AddNodeOfCluster adds the flags of a node of a cluster.
func AddNodeOfCluster(cmd *cobra.Command, k *KafkaFlags) *ClusterFlags {
	f := AddCluster(cmd, k)
	c, flags := &f.config, cmd.Flags()
	flags.StringVar(&c.Name, "node", "", "name of this node in its cluster; it stays over restarts, and no other node has it")
	flags.StringVar(&c.Gossip, "node-listen", "127.0.0.1:7946", "address for other nodes: they find each other at this port, and send messages and rows to the two after it")
	flags.StringVar(&c.Advertise, "advertise", "", "address or name of this machine, as other nodes reach it (default: that of --node-listen)")
	flags.StringSliceVar(&c.Join, "join", nil, "nodes to ask who is there, HOST:PORT of their --node-listen,…; a name stands for all its addresses, and one of this node does no harm")
	flags.StringVar(&c.Zone, "zone", "", "zone of this node; the two copies of a shard are in different zones if there are two")
	flags.Uint16Var(&c.Weight, "weight", 1, "how many shards this node should have in relation to others")
	flags.StringVar(&c.TLS.Cert, "node-tls-cert", "", "file with the certificate of this node, for server and client use, in PEM; read again at each connection")
	flags.StringVar(&c.TLS.Key, "node-tls-key", "", "file with the private key of --node-tls-cert, in PEM")
	flags.StringVar(&c.TLS.Authority, "node-tls-ca", "", "file with the authority of the certificates of all nodes, in PEM")
	flags.StringSliceVar(&c.TLS.Names, "node-tls-names", nil, "names in the certificates of nodes that are let in, NAME,…")
	flags.StringVar(&c.KeyFile, "gossip-key-file", "", "file with keys of the gossip, one a line, 32 bytes in base64; the first one encrypts")
	flags.DurationVar(&c.JournalKeep, "journal-keep", cluster.DefaultJournalKeep, "how old a record of the journal has to be before it is deleted; two nodes have it by then")
	WithEnv(flags, "node", "node-listen", "advertise", "join", "zone", "weight", "node-tls-cert", "node-tls-key", "node-tls-ca", "node-tls-names", "gossip-key-file", "journal-keep")
	return f
}

// On reports whether the flags name a cluster.
func (f *ClusterFlags) On() bool { return f.config.Cluster != "" }

// Config returns how to reach the journal.
func (f *ClusterFlags) Config(cmd *cobra.Command) (c *cluster.Config, err error) {
	c = &f.config
	if c.Brokers, err = f.kafka.Connection(cmd, f.brokers); err == nil {
		err = c.CheckName()
	}
	if err != nil {
		return nil, UsageError("%s: %w", cmd.Name(), err)
	}
	return c, nil
}

// Settle checks the flags of a node, without a connection. insecure allows to run without certificates and keys; listen is where
// clients reach the node.
func (f *ClusterFlags) Settle(cmd *cobra.Command, insecure bool, listen string) error {
	if !f.On() {
		if f.config.Name != "" || len(f.config.Join) > 0 || len(f.brokers) > 0 {
			return UsageError("%s: --node, --join and --journal-brokers: want --cluster NAME, too", cmd.Name())
		}
		return nil
	}
	c, err := f.Config(cmd)
	if err != nil {
		return err
	}
	c.InsecureDev, c.Client, c.Version = insecure, listen, ReadVersion().Version
	if host, port, err := net.SplitHostPort(listen); err == nil && c.Advertise != "" && hostport.Everywhere(host) {
		c.Client = net.JoinHostPort(c.Advertise, port)
	}
	if host, port, err := hostport.Split(c.Gossip); err == nil {
		c.Remote, c.Bulk = net.JoinHostPort(host, strconv.Itoa(port+1)), net.JoinHostPort(host, strconv.Itoa(port+2))
	}
	if err := c.Check(); err != nil {
		return UsageError("%s: %w", cmd.Name(), err)
	}
	return nil
}

// Find reads the definition of the deployment from the journal, and returns the membership of this node.
func (f *ClusterFlags) Find(ctx context.Context, logger *slog.Logger) (*node.Membership, error) {
	c := f.config
	c.Logger = logger
	d, err := cluster.Find(ctx, &c)
	if err != nil {
		return nil, err
	}
	m := &node.Membership{Ops: d.Ops, Count: d.Count, Node: fmt.Sprintf("node %s of cluster %s, deployment %x", c.Name, c.Cluster, d.Deployment)}
	m.ID, m.Shards = d.Deployment, d.Shards
	m.Join = func(ctx context.Context, of node.Deployment, s storage.Store) (node.Cluster, error) {
		n, err := cluster.New(ctx, c, cluster.Deployment(of), s)
		if err != nil {
			return nil, err
		}
		return member{n}, nil
	}
	return m, nil
}

// member is a node of a cluster as the rest of the process sees it. It implements node.Cluster.
type member struct{ *cluster.Node }

// Status implements node.Cluster.
func (m member) Status() document.Cluster {
	s := m.Node.Status()
	d := document.Cluster{
		Cluster: s.Cluster, Node: s.Node, Deployment: hex.EncodeToString(s.Deployment[:]), Draining: s.Leaving,
		Journal: document.ClusterJournal{
			Topic: s.Topic, Answers: s.Answers, Error: text(s.Err), Bytes: s.Journal.Bytes, Appends: s.Journal.Appends,
			KeepSeconds: int64(s.Keep.Seconds()), Held: []document.ClusterHeld{},
		},
		Encodings: document.ClusterEncoding{Written: s.Written, HeldBack: append([]string{}, s.HeldBack...)},
		Absent:    []document.ClusterAbsent{},
		Totals:    document.ClusterCounters{Claims: s.Claims, Losses: s.Losses, Voids: s.Voids},
	}
	for _, n := range s.Members {
		d.Nodes = append(d.Nodes, document.ClusterNode{
			Node: n.Name, State: n.State, Version: n.Version, Reads: n.Reads, Zone: n.Zone, Weight: n.Weight, Client: n.Client, Owned: n.Owned, Copies: n.Copies,
		})
	}
	for _, n := range s.Absent {
		d.Absent = append(d.Absent, document.ClusterAbsent{Node: n.Name, State: n.State, Since: document.NewTime(n.Since), Version: n.Version, Reads: n.Reads})
	}
	held, longest := m.Held()
	for _, why := range journal.Holds {
		if held[why] > 0 {
			d.Journal.Held = append(d.Journal.Held, document.ClusterHeld{Why: why.String(), Shards: held[why], Seconds: int64(longest[why].Seconds())})
		}
	}
	for id := range s.Shards {
		at := &s.Shards[id]
		d.Shards = append(d.Shards, document.ClusterShard{
			Shard: id, Owner: at.Owner, Copies: append([]string{}, at.Copies...), Here: at.Here, Due: at.Due, Lag: at.Lag, Problem: text(at.Err), Awaits: text(at.Awaits),
		})
	}
	return d
}

// Drain implements admin.Nodes.
func (m member) Drain(ctx context.Context, name string, undo bool) error {
	return refusal(m.Node.Drain(ctx, name, undo))
}

// Remove implements admin.Nodes.
func (m member) Remove(ctx context.Context, name string) error {
	return refusal(m.Node.Remove(ctx, name))
}

// Backup implements admin.Nodes.
func (m member) Backup(ctx context.Context, dir string) (document.ClusterBackup, error) {
	made, err := m.Node.Backup(ctx, dir)
	return document.ClusterBackup{Dir: dir, Nodes: made.Nodes, Shards: made.Shards, Rows: made.Rows, Bytes: made.Bytes, HeldSeconds: made.Held.Seconds()}, err
}

// BackupProgress implements admin.Nodes.
func (m member) BackupProgress() (at document.ClusterBackupProgress) {
	at.Running, at.Rows, at.Bytes = m.Node.BackupProgress()
	return at
}

// refusal gives the refusals of a cluster their codes.
func refusal(err error) error {
	for reason, code := range map[error]document.Code{
		cluster.ErrUnknownNode: document.CodeUnknownNode, cluster.ErrNodeAlive: document.CodeNodeAlive, cluster.ErrLastNode: document.CodeLastNode,
	} {
		if errors.Is(err, reason) {
			return &document.ClusterRefusal{Code: code, Err: err}
		}
	}
	return err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// ClusterError gives an error of the cluster its exit code.
func ClusterError(err error) error {
	if errors.Is(err, cluster.ErrDefined) || errors.Is(err, cluster.ErrUnfinished) {
		return Exit(ExitRefused, err)
	}
	return err
}
