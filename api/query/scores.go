package query

import (
	"context"
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// getParameters answers GET /v1/scores/parameters.
func (q *Queries) getParameters(w http.ResponseWriter, r *http.Request) *route.Problem {
	if q.Scores == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	scorer := q.Scores.Scorer()
	return route.Send(w, document.NewParameters(*scorer.Parameters(), scorer.Terms()))
}

// needScored is need, with the scores of the identity. They are computed on its shard, for what they read is not copied.
func (q *Queries) needScored(ctx context.Context, id string) (graph.Profile, document.Scored, *route.Problem) {
	name, err := lookup.ParseID(q.Registry, id)
	if err != nil {
		return graph.Profile{}, document.Scored{}, route.IDProblem(err)
	}
	scorer, now := q.Scores.Scorer(), q.Engine.Now()
	var profile graph.Profile
	var scores document.Scored
	found, err := q.See(ctx, name.Key, func(c *graph.Component) (ok bool) {
		if profile, ok = q.Copied(c, name.Key); ok {
			scores = document.Score(scorer, &profile, now)
		}
		return ok
	})
	switch {
	case err != nil:
		return graph.Profile{}, document.Scored{}, route.EngineProblem(err)
	case !found:
		return graph.Profile{}, document.Scored{}, route.NotFound()
	}
	return profile, scores, nil
}
