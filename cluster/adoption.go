package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"golang.org/x/sync/errgroup"
)

// An adoption makes the journal of a cluster from the rows that a deployment in one process has:
//
//	control    claim ────────────────────────────────────────────► definition │ seal
//	shard 0      └──► claim │ rows │ rows │ … ──► read back ──────────┘
//	shard 1      └──► claim │ rows │ … ─────────► read back ──────────┘
//
// Rows are data under a claim, as those of an owner that died, with the log tail and the messages that are under way: nodes
// follow each partition from its first record, and the first to claim a shard goes on from its rows. They need no code for that.
//
// Invariant J10 of package cluster: who finds the definition finds all rows. It follows from three rules. The definition comes after every row was
// read back. Only the process whose claim is the first record of the journal writes rows. And no other claim than that one defines a
// journal which begins so, as every reader of the definition checks.
//
// They force that an adoption that was cut short is over: another one would have to know that the first writes no more.
type adoption struct {
	config *Config
	log    *kafka.Log
	of     *Definition
	rules  uint64
	from   storage.Reader
	taken  func(rows int)
}

// adoptName is the node that the claims of an adoption name.
const adoptName = "cluster init --from"

const (
	adoptBatch  = 512 << 10 // bytes of rows in a commit, or one row that has more
	adoptAtOnce = 4         // shards
)

// ErrUnfinished is returned for a journal that an adoption began, and that has no definition.
var ErrUnfinished = errors.New("rows of a directory were being brought into it, and that has not ended")

// cutShort says what to do about a journal that an adoption began.
func cutShort(c *Config) error {
	return fmt.Errorf("cluster %s: %w: wait while \"kindred cluster init --from\" runs; if it was cut short, delete topic %s and run it again, or choose another name",
		c.Cluster, ErrUnfinished, c.Topic())
}

// Adopt makes the journal of a cluster with the rows of all shards, and then writes the definition. Nobody may write the rows
// meanwhile. taken is told of rows that are in the journal, from any goroutine. The journal is of no use if Adopt fails: no node
// starts on it, and Adopt refuses it.
func Adopt(ctx context.Context, c *Config, d Definition, rules uint64, from storage.Reader, taken func(rows int)) error {
	log, err := c.makeEmpty(ctx, d.Shards)
	if err != nil {
		return err
	}
	defer log.Close()
	a := &adoption{c, log, &d, rules, from, taken}
	control, err := claim(ctx, log, d.Shards, &d, adoptName, rules)
	if err == nil && control.claim != 0 {
		return fmt.Errorf("%w; another process began with it at the same time", cutShort(c))
	}
	if err == nil {
		err = a.shards(ctx)
	}
	if err == nil {
		err = control.define(ctx, &d)
	}
	if err != nil {
		return fmt.Errorf("cluster %s: not all rows are in the journal: %w; delete topic %s and run \"kindred cluster init\" again, or choose another name", c.Cluster, err, c.Topic())
	}
	_, err = read(ctx, c, log)
	return err
}

// makeEmpty makes the journal, or takes a topic that is there and was never written to.
func (c *Config) makeEmpty(ctx context.Context, shards int) (*kafka.Log, error) {
	ctx, cancel := context.WithTimeout(ctx, definePatience)
	defer cancel()
	log, err := c.make(ctx, shards)
	if err != nil {
		return nil, err
	}
	if err = undefined(ctx, c, log); err == nil {
		var ranges []kafka.Range
		if ranges, err = rangesOf(ctx, c, log); err == nil && ranges[shards].End > 0 {
			err = fmt.Errorf("cluster %s: topic %s has records: delete it, or choose another name", c.Cluster, c.Topic())
		}
	}
	if err != nil {
		log.Close()
		return nil, err
	}
	return log, nil
}

// shards writes the rows of all shards, some at a time.
func (a *adoption) shards(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(adoptAtOnce)
	for id := range a.of.Shards {
		group.Go(func() error {
			if err := a.shard(ctx, graph.ShardID(id)); err != nil {
				return fmt.Errorf("shard %d: %w", id, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// shard writes the rows of a shard, and reads them back. A shard without rows needs no record: it begins empty.
func (a *adoption) shard(ctx context.Context, id graph.ShardID) (err error) {
	var s *scribe
	var b storage.Batch
	wrote := sha256.New()
	flush := func() error {
		if b.Empty() {
			return nil
		}
		if s == nil {
			if s, err = claim(ctx, a.log, int(id), a.of, adoptName, a.rules); err != nil {
				return err
			}
		}
		ops, count := b.Ops()
		if err := s.commit(ctx, ops, count); err != nil {
			return err
		}
		wrote.Write(ops)
		a.taken(b.Len())
		b.Reset()
		return nil
	}
	ranges, _ := row.CopyRanges(id)
	for _, r := range ranges {
		if err := a.from.Iterate(r[0], r[1], func(key, value []byte) error {
			if _, err := row.ShardOf(key); err != nil {
				return storage.Corrupt("read", "a row", err)
			}
			if b.Size()+len(key)+len(value) > adoptBatch {
				if err := flush(); err != nil {
					return err
				}
			}
			b.Set(key, value)
			return nil
		}); err != nil {
			return err
		}
	}
	if err := flush(); err != nil || s == nil {
		return err
	}
	return a.readBack(ctx, s, wrote)
}

// readBack reads a partition as nodes will, and compares what counts there with what was written.
func (a *adoption) readBack(ctx context.Context, s *scribe, wrote hash.Hash) error {
	ranges, err := rangesOf(ctx, a.config, a.log)
	if err != nil {
		return err
	}
	fold := journal.NewFold(journal.Deployment{ID: a.of.Deployment, Shards: uint32(a.of.Shards)}, journal.Start(a.log.ID()))
	counts := sha256.New()
	for r, err := range recordsOf(ctx, a.log, int32(s.partition), 0, ranges[s.partition].End) {
		if err != nil {
			return err
		}
		record, err := journal.Parse(r.Value)
		if err != nil {
			return err
		}
		_, commit, err := fold.Take(r.Offset, &record)
		if err != nil {
			return err
		}
		if commit != nil {
			counts.Write(commit.Ops)
		}
	}
	if at, whole := fold.Position(); !whole || at.Claim != s.claim || at.Seq != s.seq || string(counts.Sum(nil)) != string(wrote.Sum(nil)) {
		return errors.New("the journal has other rows than were written: another process writes into the topic, or the brokers lost some")
	}
	return nil
}
