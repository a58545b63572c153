package audit

import (
	"context"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
)

// duplicatesPass loads the memories of message ids of every shard, which checks what their rows are together: that the
// parts of each description fit. rowPass has checked each row by itself. One memory is held at a time.
type duplicatesPass struct{ *auditor }

func (p duplicatesPass) run(ctx context.Context) error {
	for id := range p.shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, load := range []func(storage.Store, graph.ShardID, dedupe.Limits) *dedupe.Memory{dedupe.New, dedupe.NewIDs} {
			if err := load(p.store, graph.ShardID(id), dedupe.Limits{}).Load(); err != nil {
				p.problem("seen", graph.ShardID(id), nil, err)
			}
		}
	}
	return nil
}
