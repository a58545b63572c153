package stream

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/graph"
)

// ScoresOf gives the scores of identities as they stand, computed on their shards, in the form that profiles have them in.
func ScoresOf(engine *actors.Engine, keeper *scoring.Keeper) egress.Scores {
	return func(ctx context.Context, ids []graph.NodeKey) ([][]byte, error) {
		scorer, now := keeper.Scorer(), engine.Now()
		documents := make([][]byte, len(ids))
		if err := engine.ReadMany(ctx, ids, func(i int, v *actors.View) {
			if scoring, ok := v.Component.Scoring(ids[i], engine.Rules()); ok {
				scores := document.ScoreFrom(scorer, &scoring, now)
				documents[i] = scores.Append(nil)
			}
		}); err != nil {
			return nil, fmt.Errorf("scores of identities: %w", err)
		}
		return documents, nil
	}
}
