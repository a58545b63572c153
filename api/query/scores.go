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

// needScored is need, with the scores of the identity. The profile owns its memory, so the shard does not wait for the scores.
func (q *Queries) needScored(ctx context.Context, id string) (graph.Profile, document.Scored, *route.Problem) {
	name, err := lookup.ParseID(q.Registry, id)
	if err != nil {
		return graph.Profile{}, document.Scored{}, route.IDProblem(err)
	}
	scorer, now := q.Scores.Scorer(), q.Engine.Now()
	var profile graph.Profile
	found, err := q.See(ctx, name.Key, func(c *graph.Component) (ok bool) {
		profile, ok = c.Profile(name.Key, q.Engine.Rules())
		return ok
	})
	switch {
	case err != nil:
		return graph.Profile{}, document.Scored{}, route.EngineProblem(err)
	case !found:
		return graph.Profile{}, document.Scored{}, route.NotFound()
	}
	return profile, document.Score(scorer, &profile, now), nil
}
