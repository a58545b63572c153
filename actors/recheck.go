package actors

import (
	"context"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// recheckBatch is how many components are rechecked in one delivery.
const recheckBatch = 256

// Recheck lets every component judge again, under the rules in force, what was judged under others
// when it came: generic values, refused claims, and how many identities it counts for. Limits and the
// order of links need none of it: they hold as soon as the engine runs under them. When it returns, what
// it asked and what follows from that is durable.
//
// Events may flow meanwhile, so evidence moves. All of it is reached: what was under way when the
// sweep began arrives before the roots are listed, and a Recheck follows on the same channel all evidence that moves
// from then on, wherever it goes. When Recheck returns, the change feed has told of every identity, under these rules.
func (e *Engine) Recheck(ctx context.Context) error {
	if err := e.sweep(ctx, true); err != nil {
		return err
	}
	if err := e.Visible(ctx); err != nil {
		return err
	}
	var roots []graph.NodeKey
	err := e.Each(ctx, func(c *graph.Component) error {
		roots = append(roots, c.Root())
		return nil
	})
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(roots, recheckBatch) {
		d := &Delivery{}
		for _, root := range batch {
			d.message(&graph.Message{Kind: graph.KindRecheck, To: root})
		}
		if err := e.submitAndWait(ctx, d); err != nil {
			return err
		}
	}
	if err := e.Visible(ctx); err != nil {
		return err
	}
	if err := e.sweep(ctx, false); err != nil {
		return err
	}
	if !e.feed.Sweeping() {
		return nil
	}
	if err := e.onShards(ctx, func(id graph.ShardID, _ *shard.Shard) { e.feed.Swept(id) }); err != nil {
		return err
	}
	if err := e.feed.EndSweep(ctx); err != nil {
		return err
	}
	all := make([]graph.ShardID, len(e.runners))
	for id := range all {
		all[id] = graph.ShardID(id)
	}
	return e.trimmer().tidy(ctx, all)
}
