package audit

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// metaPass reads how many shards there are, and what truncation has left of their logs.
type metaPass struct{ *auditor }

// run fails if there is no deployment row: without the number of shards nothing can be checked.
func (p metaPass) run(ctx context.Context) error {
	deployment, err := row.ReadDeployment(p.store)
	if err != nil {
		return err
	}
	p.shards, p.report.Shards = deployment.Shards, deployment.Shards
	return p.eachOf(ctx, row.SpaceMeta, p.check)
}

// check reads the meta row of one shard. Low is the first record that is kept, and Applied the last that this row
// counts: a log that begins after Applied+1 has lost records that no row has.
func (p metaPass) check(key, value []byte) error {
	id, err := row.ParseMetaKey(key)
	if err != nil {
		return err
	}
	if err := p.shardExists(id); err != nil {
		return err
	}
	meta, err := row.ParseMeta(value)
	if err != nil {
		return err
	}
	for _, at := range meta.Positions {
		if int(at.Source) >= p.shards {
			return fmt.Errorf("position in the channel of shard %d of %d", at.Source, p.shards)
		}
		p.took(graph.ShardID(at.Source), id, at.Seq)
	}
	for _, sent := range meta.Sent {
		if int(sent.To) >= p.shards {
			return fmt.Errorf("channel to shard %d of %d", sent.To, p.shards)
		}
	}
	if meta.Low == 0 || meta.Low > meta.Applied+1 {
		return fmt.Errorf("the log is kept from record %d on, and its rows count up to %d", meta.Low, meta.Applied)
	}
	p.metas[id] = meta
	return nil
}
