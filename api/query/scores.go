package query

import (
	"context"
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// getParameters answers GET /v1/scores/parameters: the snapshot that scores are computed with now, and the settings.
func (q *Queries) getParameters(w http.ResponseWriter, r *http.Request) *route.Problem {
	if q.Scores == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	scorer := q.Scores.Scorer()
	return route.Send(w, document.NewParameters(*scorer.Parameters(), scorer.Terms()))
}

// needScored is Need, with the scores of the identity. The profile owns its memory, so the shard does not wait for the scores.
func (q *Queries) needScored(ctx context.Context, id string) (graph.Profile, document.Scored, *route.Problem) {
	scorer, now := q.Scores.Scorer(), q.Engine.Now()
	profile, problem := q.Need(ctx, id)
	if problem != nil {
		return graph.Profile{}, document.Scored{}, problem
	}
	return profile, document.Score(scorer, &profile, now), nil
}
