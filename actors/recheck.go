package actors

import (
	"context"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// recheckBatch is how many components are rechecked in one delivery.
const recheckBatch = 256

// Recheck lets every component judge again, under the rules in force, what was judged under others
// when it came: generic values, refused claims, and how many identities it counts for. Limits and the
// order of links need none of it: they hold as soon as the engine runs under them. Events may flow
// meanwhile; when it returns, the answers to what it asked are durable. What the change feed has not told
// of identities, or told under other rules, it has told then.
func (e *Engine) Recheck(ctx context.Context) error {
	var roots []graph.NodeKey
	err := e.Each(ctx, func(c *graph.Component) error {
		roots = append(roots, c.Root())
		return nil
	})
	if err != nil {
		return err
	}
	enc := storage.NewEncoder()
	for batch := range slices.Chunk(roots, recheckBatch) {
		d := &Delivery{}
		for _, root := range batch {
			m := &graph.Message{Kind: graph.KindRecheck, To: root}
			d.message(m, enc.Message(nil, m))
		}
		if err := e.submitAndWait(ctx, d); err != nil {
			return err
		}
	}
	if err := e.Settle(ctx); err != nil {
		return err
	}
	return e.endFeedSweep(ctx)
}
