package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/admin"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/prometheus/client_golang/prometheus"
)

// Membership makes the process one of the nodes of a cluster. The zero value of no field is of use.
type Membership struct {
	ID     [16]byte // of the deployment, as its journal has it
	Shards int
	Node   string // and its cluster, in words: the directory belongs to it for ever
	Ops    []byte // the definition of the deployment: see row.CatalogOf
	Count  uint32
	// Join connects to the journal.
	Join func(context.Context, Deployment, storage.Store) (Cluster, error)
}

// Cluster is this process among the others of a deployment; cluster.Node is one. It is an interface so that a program which embeds
// this package does not carry the libraries of a cluster.
type Cluster interface {
	actors.Journal
	actors.Network
	// Start lets an engine have its share of the shards.
	Start(context.Context, *actors.Engine) error
	// Leave gives its shards to other nodes.
	Leave(context.Context) error
	Close()
	// Catalog orders the changes of rows of no shard, over all nodes.
	Catalog() catalog.Log
	// Watch calls a function now, and whenever such rows were written.
	Watch(func())
	// Consume says to the other nodes which topics this one consumes.
	Consume(topics []string) error
	// Consumes reports whether this node should consume a partition. Each is one node's, but for moments.
	Consumes(topic string, partition int32) bool
	// Publish says to the other nodes that this one can publish the change feed to a receiver.
	Publish(receiver string) error
	// Publishes reports whether this node should do so now. It is one node's, but for moments.
	Publishes(receiver string) bool
	// Status is what the node knows of the cluster.
	Status() document.Cluster
	// Nodes is for operators, who drain and remove nodes.
	admin.Nodes
	// Collector has the metrics of the node.
	prometheus.Collector
}

// Deployment is what the nodes of a cluster have in common.
type Deployment struct {
	ID     [16]byte
	Shards int
	Rules  uint64 // the version of the rules in force
}

// Define makes the definition of a deployment from settings: its shards, secret, rules, locale, and change feed. The batch has no
// secret.
//
// With the name of a key it also makes one that may do everything, and returns its secret, which is told nowhere else.
func Define(ctx context.Context, c Config, key string) (d Deployment, rows *storage.Batch, secret string, err error) {
	if c.Shards == 0 {
		c.Shards = defaultShards
	}
	if err := errors.Join(
		unless(c.SecretFile != "", "no secret; make one with \"openssl rand -hex 16\", and give --secret-file FILE: every node needs it, and the journal never has it"),
		unless(c.Shards > 0 && c.Shards <= MaxClusterShards, "--shards %d: want 1 to %d in a cluster", c.Shards, MaxClusterShards),
		c.Locale.check(),
	); err != nil {
		return d, nil, "", &ConfigError{err}
	}
	c.Memory = storage.MinMemory // read checks it, and nothing else is made of it here
	s, err := c.read()
	if err != nil {
		return d, nil, "", err
	}
	if s.rules == nil {
		if s.rules, err = rulesfile.Load(defaultRules); err != nil {
			return d, nil, "", err
		}
	}
	rules, now := c.Locale.over(s.rules), time.Now().UnixMilli()
	of := row.Deployment{Shards: c.Shards, Secret: s.secret, Created: now, RulesName: rules.Rules.Name, RulesVersion: rules.Rules.Version}
	log := &defining{rows: &storage.Batch{}}
	defined := catalog.New(storage.NewMemStore(), log)
	err = defined.Change(ctx, func(change *catalog.Change) error {
		doc := row.RulesDocument{Version: rules.Rules.Version, Text: rules.YAML()}
		return errors.Join(of.Put(change.Batch()), doc.Put(change.Batch()), feed.Prepare(change, rules.Rules, c.Feed, now))
	})
	if err == nil && key != "" {
		secret, err = firstKey(ctx, defined, key, now)
	}
	if err != nil {
		return d, nil, "", err
	}
	rows, err = row.Concealed(log.rows)
	return deploymentOf(&of, rules.Rules), rows, secret, err
}

// firstKey makes a key that may do everything.
func firstKey(ctx context.Context, rows *catalog.Catalog, name string, now int64) (secret string, err error) {
	keys, err := keyring.Open(rows, func() int64 { return now })
	if err != nil {
		return "", err
	}
	_, secret, err = keys.Create(ctx, keyring.Spec{Name: name, Kind: keyring.Admin}, keyring.All())
	return secret, err
}

// defining gathers the rows of a definition. It implements catalog.Log.
type defining struct{ rows *storage.Batch }

// Commit implements catalog.Log.
func (d *defining) Commit(_ context.Context, b *storage.Batch, _ catalog.Rows) error {
	d.rows.Append(b)
	return nil
}

// MaxClusterShards bounds the shards of a cluster: each node tells the others which copies it has, in 512 bytes.
const MaxClusterShards = 1024

// openNode opens the directory of a node.
func openNode(c *Config, s *settled) (*storage.Pebble, row.Deployment, error) {
	m := c.Cluster
	if err := errors.Join(
		unless(s.secret != row.Secret{}, "no secret; give --secret-file FILE with that of the deployment"),
		unless(c.Shards == 0 || c.Shards == m.Shards, "--shards %d: the deployment has %d, and their number is fixed; leave the setting out", c.Shards, m.Shards),
	); err != nil {
		return nil, row.Deployment{}, &ConfigError{err}
	}
	if id := deploymentID(s.secret); id != m.ID {
		return nil, row.Deployment{}, &ConfigError{fmt.Errorf("%s: the secret is that of deployment %x, and %s is of deployment %x; give the secret that the cluster was made with", c.SecretFile, id, m.Node, m.ID)}
	}
	rows, err := row.CatalogOf(m.Ops, m.Count, s.secret)
	if err != nil {
		return nil, row.Deployment{}, fmt.Errorf("the definition of the deployment: %w", err)
	}
	store, deployment, err := row.OpenDefined(storage.Options{
		Dir: c.Dir, BlockCacheBytes: s.memory.BlockCache, MemtableBytes: s.memory.Memtables, Logger: c.Logger, Node: m.Node,
	}, s.secret, rows)
	if err != nil || !c.Feed.On {
		return store, deployment, err
	}
	_, err = row.ReadFeedSettings(store)
	if errors.Is(err, storage.ErrNotFound) {
		err = &ConfigError{fmt.Errorf("%s was made without a change feed: leave --feed out, or make a cluster with \"kindred cluster init --feed\"", m.Node)}
	}
	if err != nil {
		return nil, deployment, errors.Join(err, store.Close())
	}
	return store, deployment, nil
}

// joinJournal makes the engine that is about to be opened one of several: the journal decides which of its batches count, and
// shards come to it once others have heard of it.
func (d *directory) joinJournal(ctx context.Context, c *Config, engine *actors.Config, stored *rulesfile.File) error {
	if c.Cluster == nil {
		return nil
	}
	if stored == nil || !bytes.Equal(stored.YAML(), d.rules.YAML()) {
		return &ConfigError{errors.New("the rules of a cluster are those that it was made with, and can't be changed yet: leave --rules, --region and --currency out")}
	}
	joined, err := c.Cluster.Join(ctx, deploymentOf(&d.deployment, d.rules.Rules), d.store)
	if err != nil {
		return err
	}
	d.cluster = joined
	engine.Journal, engine.Network, engine.CatalogLog, engine.Shards = d.cluster, d.cluster, d.cluster.Catalog(), []graph.ShardID{}
	return nil
}

// deploymentOf describes a deployment to the other nodes.
func deploymentOf(d *row.Deployment, rules *graph.Rules) Deployment {
	return Deployment{ID: deploymentID(d.Secret), Shards: d.Shards, Rules: rules.Version}
}

// deploymentID names a deployment. A process that has the secret of a deployment is one of its nodes; the id does not reveal the
// secret.
func deploymentID(secret row.Secret) [16]byte {
	sum := sha256.Sum256(append([]byte("kindred cluster\x00"), secret[:]...))
	return [16]byte(sum[:16])
}

// startCluster lets the engine have its share of the shards.
func (k *Kindred) startCluster(ctx context.Context) error {
	channels := k.directory.engine.ExternalChannels()
	k.directory.cluster.Watch(func() {
		if err := channels.Reload(); err != nil {
			k.config.Logger.Error("partitions that other nodes consume are not known here", "error", err)
		}
	})
	err := k.directory.cluster.Start(ctx, k.directory.engine)
	if err != nil {
		k.directory.cluster.Close()
	}
	return err
}

// stopCluster gives the shards to other nodes.
func (k *Kindred) stopCluster(ctx context.Context) error {
	err := k.directory.cluster.Leave(ctx)
	k.directory.cluster.Close()
	return err
}

// leaveJournal ends what joinJournal began.
func (d *directory) leaveJournal() {
	if d.cluster != nil {
		d.cluster.Close()
	}
}

// readShared puts in force what other nodes may have changed: definitions of audiences, and parameters of scores.
func (d *directory) readShared(logger *slog.Logger) {
	if err := d.engine.ReadDefinitions(); err != nil {
		logger.Error("the audiences that another node has changed are not in force here", "error", err)
	}
	if err := d.scores.Reload(); err != nil {
		logger.Error("the parameters of the scores that another node has fitted are not in force here", "error", err)
	}
}
