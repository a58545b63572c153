package node

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// Cluster is this process among the others of a deployment; cluster.Node is one. It is an interface because a program that is alone
// shall not carry the libraries of a cluster: they are 12 MB of it, and 13 MB of its memory.
type Cluster interface {
	actors.Journal
	actors.Network
	// Start lets an engine have its share of the shards.
	Start(context.Context, *actors.Engine) error
	// Leave gives its shards to other nodes.
	Leave(context.Context) error
	Close()
}

// Deployment is what the nodes of a cluster have in common.
type Deployment struct {
	ID     [16]byte
	Shards int
	Rules  uint64 // the version of the rules in force
}

// joinJournal makes the engine that is about to be opened one of several: the journal decides which of its batches count, and
// shards come to it once others have heard of it.
func (d *directory) joinJournal(ctx context.Context, c *Config, engine *actors.Config) error {
	if c.Cluster == nil {
		return nil
	}
	if c.Kafka != nil || c.Publish.on() || c.Feed.On {
		return &ConfigError{errors.New("a node of a cluster neither consumes topics nor has a change feed yet: leave both out")}
	}
	joined, err := c.Cluster(ctx, deploymentOf(&d.deployment, d.rules.Rules), d.store)
	if err != nil {
		return err
	}
	d.cluster = joined
	engine.Journal, engine.Network, engine.Shards = d.cluster, d.cluster, []graph.ShardID{}
	return nil
}

// deploymentOf describes a deployment to the other nodes. A process that has the secret of a deployment is one of its nodes; the
// id does not reveal the secret.
func deploymentOf(d *row.Deployment, rules *graph.Rules) Deployment {
	sum := sha256.Sum256(append([]byte("kindred cluster\x00"), d.Secret[:]...))
	return Deployment{ID: [16]byte(sum[:16]), Shards: d.Shards, Rules: rules.Version}
}

// startCluster lets the engine have its share of the shards.
func (k *Kindred) startCluster(ctx context.Context) error {
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
