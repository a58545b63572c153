package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
)

// The definition of a deployment is the first commit of the control partition, which is the last one of the journal:
//
//	claim of "cluster init": deployment, shards │ data: rules, deployment row without its secret │ seal │ what nodes change …
//
// So a node needs no file to know what it is a node of, and a node that comes years later has what the first one had.

// Definition is what a deployment was made with.
type Definition struct {
	Deployment [16]byte
	Shards     int
	Ops        []byte // of a batch of rows of the catalog, concealed: see row.CatalogOf
	Count      uint32
}

// ErrDefined is returned for a cluster that has a definition.
var ErrDefined = errors.New("it is initialised already")

// initName is the node that a definition's claim names.
const initName = "cluster init"

const (
	// definePatience bounds what init and the start of a node wait for the brokers.
	definePatience = time.Minute
	defineAgain    = 100 * time.Millisecond
	// leaderPatience bounds what they wait for leaders of partitions.
	leaderPatience = 20 * time.Second
)

// Define makes the journal of a cluster, unless its topic is there and empty, and writes the definition. A topic that has another
// layout or holds something is an error. If it is cut short, it may be run again.
func Define(ctx context.Context, c *Config, d Definition, rules uint64) error {
	ctx, cancel := context.WithTimeout(ctx, definePatience)
	defer cancel()
	log, err := c.make(ctx, d.Shards)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := undefined(ctx, c, log); err != nil {
		return err
	}
	if err := write(ctx, log, &d, rules); err != nil {
		return fmt.Errorf("cluster %s: write the definition: %w; run \"kindred cluster init\" again", c.Cluster, err)
	}
	is, err := read(ctx, c, log)
	if err == nil && is.Deployment != d.Deployment {
		err = fmt.Errorf("cluster %s: another process has initialised it at the same time, with another secret", c.Cluster)
	}
	return err
}

// make makes the topic of a journal, unless it is there, and opens it.
func (c *Config) make(ctx context.Context, shards int) (*kafka.Log, error) {
	there, err := kafka.Partitions(ctx, c.Brokers, c.Topic())
	if err == nil && there == 0 {
		_, err = kafka.Create(ctx, c.Brokers, c.layout(shards))
	}
	if err != nil {
		return nil, err
	}
	return c.open(ctx, shards)
}

// open opens the journal. Its topic may be a moment old, and brokers then do not all know it.
func (c *Config) open(ctx context.Context, shards int) (log *kafka.Log, err error) {
	for range 50 {
		there := 0
		if there, err = kafka.Partitions(ctx, c.Brokers, c.Topic()); err == nil && there > 0 {
			return kafka.Open(ctx, kafka.Config{Connection: c.Brokers, Layout: c.layout(shards), Logger: c.Logger})
		}
		if ended := backoff.Sleep(ctx, defineAgain); ended != nil {
			return nil, errors.Join(err, ended)
		}
	}
	return nil, errors.Join(err, fmt.Errorf("journal: the brokers do not know topic %s, which was just made", c.Topic()))
}

// undefined returns an error unless a journal is empty, but perhaps for a definition that was cut short.
func undefined(ctx context.Context, c *Config, log *kafka.Log) error {
	ranges, err := rangesOf(ctx, c, log)
	if err != nil {
		return err
	}
	control := len(ranges) - 1
	if ranges[control].End > 0 {
		is, err := read(ctx, c, log)
		if err == nil {
			return fmt.Errorf("cluster %s: %w, as deployment %x with %d shards; start its nodes with \"kindred serve --cluster %s\", or choose another name",
				c.Cluster, ErrDefined, is.Deployment, is.Shards, c.Cluster)
		}
		if !errors.Is(err, errNoDefinition) {
			return err
		}
	}
	for partition, r := range ranges[:control] {
		if r.End > 0 {
			return fmt.Errorf("cluster %s: %w: partition %d of topic %s has records; choose another name", c.Cluster, ErrDefined, partition, c.Topic())
		}
	}
	return nil
}

// rangesOf returns what all partitions hold. It waits for leaders: the partitions of a new topic have none at first, and those of a
// broker that is down get others within seconds.
func rangesOf(ctx context.Context, c *Config, log *kafka.Log) (ranges []kafka.Range, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaderPatience)
	defer cancel()
	for tries := 0; ; tries++ {
		ranges, failed := log.Ranges(ctx)
		if failed == nil {
			return ranges, nil
		}
		if err == nil || ctx.Err() == nil {
			err = failed // of the last question that was not cut short
		}
		if tries == 0 && c.Logger != nil {
			c.Logger.Warn("not all partitions of the journal answer; they are asked again", "error", failed)
		}
		if backoff.Sleep(ctx, defineAgain) != nil {
			return nil, err
		}
	}
}

// write writes a claim, and the definition under it.
func write(ctx context.Context, log *kafka.Log, d *Definition, rules uint64) error {
	s, err := claim(ctx, log, d.Shards, d, initName, rules)
	if err != nil {
		return err
	}
	return s.define(ctx, d)
}

var errNoDefinition = errors.New("no definition")

// Find reads the definition of a cluster.
func Find(ctx context.Context, c *Config) (Definition, error) {
	ctx, cancel := context.WithTimeout(ctx, definePatience)
	defer cancel()
	n, err := kafka.Partitions(ctx, c.Brokers, c.Topic())
	switch {
	case err != nil:
		return Definition{}, err
	case n == 0:
		return Definition{}, fmt.Errorf("cluster %s: its journal, topic %s, does not exist; make it with \"kindred cluster init --cluster %s\"", c.Cluster, c.Topic(), c.Cluster)
	case n < 2:
		return Definition{}, fmt.Errorf("cluster %s: topic %s has %d partition, and a journal has one a shard and one more; choose another name", c.Cluster, c.Topic(), n)
	}
	log, err := kafka.Open(ctx, kafka.Config{Connection: c.Brokers, Layout: c.layout(n - 1), Logger: c.Logger})
	if err != nil {
		return Definition{}, err
	}
	defer log.Close()
	d, err := read(ctx, c, log)
	if errors.Is(err, errNoDefinition) {
		return d, fmt.Errorf("cluster %s: topic %s has no definition of a deployment; run \"kindred cluster init --cluster %s\" again", c.Cluster, c.Topic(), c.Cluster)
	}
	if err == nil && d.Shards != n-1 {
		err = fmt.Errorf("cluster %s: topic %s has %d partitions, and its deployment has %d shards and one more: partitions must never be added; restore a backup into a new deployment", c.Cluster, c.Topic(), n, d.Shards)
	}
	return d, err
}

// read reads the first commit of the control partition. It fails with errNoDefinition if there is none yet.
func read(ctx context.Context, c *Config, log *kafka.Log) (d Definition, err error) {
	ranges, err := rangesOf(ctx, c, log)
	if err != nil {
		return d, err
	}
	control := len(ranges) - 1
	at := ranges[control]
	switch {
	case at.Start > 0:
		return d, fmt.Errorf("cluster %s: partition %d of topic %s begins at offset %d, and the definition was before it; restore a backup into a new deployment", c.Cluster, control, c.Topic(), at.Start)
	case at.End == 0:
		return d, errNoDefinition
	}
	var fold *journal.Fold
	adopts := false // the journal begins with the claim of an adoption: no other claim defines it (J10)
	for r, err := range recordsOf(ctx, log, int32(control), 0, at.End) {
		if err != nil {
			return d, err
		}
		record, err := journal.Parse(r.Value)
		if err != nil {
			return d, fmt.Errorf("cluster %s: topic %s: %w; choose another name if it is no journal", c.Cluster, c.Topic(), err)
		}
		if claim := record.Claim; claim != nil && fold == nil {
			d.Deployment, d.Shards, adopts = claim.Deployment, int(claim.Shards), claim.Node == adoptName
		} else if claim != nil && adopts {
			return d, fmt.Errorf("%w, and another process began with it meanwhile", cutShort(c))
		}
		if fold == nil {
			fold = journal.NewFold(journal.Deployment{ID: d.Deployment, Shards: uint32(d.Shards)}, journal.Start(log.ID()))
		}
		_, commit, err := fold.Take(r.Offset, &record)
		if err != nil {
			return d, err
		}
		if commit != nil && commit.Count > 0 {
			d.Ops, d.Count = commit.Ops, commit.Count
			_, err := storage.BatchOf(d.Ops, d.Count)
			return d, err
		}
	}
	if adopts {
		return d, cutShort(c)
	}
	return d, errNoDefinition
}
