package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score/fit"
)

// getParameters answers GET /v1/scores/parameters.
func (s *Server) getParameters(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	if s.Scores == nil {
		return &problem{code: document.CodeUnknownRoute}
	}
	scorer := s.Scores.Scorer()
	return sendDocument(w, document.NewParameters(*scorer.Parameters(), scorer.Terms()))
}

// postFit answers POST /v1/scores/fit, once the fit has ended. A fit that failed is told with 200 as well: the
// parameters before are in use, and kept says why.
func (s *Server) postFit(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	if s.Scores == nil {
		return &problem{code: document.CodeUnknownRoute}
	}
	patient(w)
	parameters, result, err := s.Scores.Fit(r.Context())
	if err != nil && (r.Context().Err() != nil || s.Engine.Err() != nil) {
		return engineProblem(err)
	}
	if err != nil && result == scoring.Failed && !ofSample(err) {
		return engineProblem(err)
	}
	d := document.NewParameters(parameters, s.Scores.Scorer().Terms())
	d.Result = string(result)
	if err != nil {
		d.Kept = err.Error()
	}
	return sendDocument(w, d)
}

// ofSample reports whether an error is about the sample's content.
func ofSample(err error) bool {
	return errors.Is(err, fit.ErrSample) || errors.Is(err, fit.ErrNoOptimum) || errors.Is(err, fit.ErrCell)
}

// needScored is need, with the scores of the identity. They are computed on its shard, for what they read is not copied.
func (s *Server) needScored(ctx context.Context, id string) (graph.Profile, document.Scored, *problem) {
	name, err := parseID(s.Registry, id)
	if err != nil {
		return graph.Profile{}, document.Scored{}, idProblem(err)
	}
	scorer, now := s.Scores.Scorer(), s.Engine.Now()
	var profile graph.Profile
	var scores document.Scored
	found, err := s.see(ctx, name.Key, func(c *graph.Component) (ok bool) {
		if profile, ok = s.copied(c, name.Key); ok {
			scores = document.Score(scorer, &profile, now)
		}
		return ok
	})
	switch {
	case err != nil:
		return graph.Profile{}, document.Scored{}, engineProblem(err)
	case !found:
		return graph.Profile{}, document.Scored{}, notFound()
	}
	return profile, scores, nil
}

// ScoresOf gives the scores of identities as they stand, computed on their shards, in the form that profiles have them in.
func ScoresOf(engine *actors.Engine, keeper *scoring.Keeper) egress.Scores {
	return func(ctx context.Context, ids []graph.NodeKey) ([][]byte, error) {
		scorer, now := keeper.Scorer(), engine.Now()
		documents := make([][]byte, len(ids))
		if err := engine.ViewMany(ctx, ids, func(i int, c *graph.Component) {
			if scoring, ok := c.Scoring(ids[i], engine.Rules()); ok {
				scores := document.ScoreFrom(scorer, &scoring, now)
				documents[i] = scores.Append(nil)
			}
		}); err != nil {
			return nil, fmt.Errorf("scores of identities: %w", err)
		}
		return documents, nil
	}
}
