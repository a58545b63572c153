package admin

import (
	"net/http"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/query"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/audiencelang"
)

// postComputedTraits answers POST /v1/traits:apply. All of it is defined, as one version, or nothing.
func (a *Admin) postComputedTraits(w http.ResponseWriter, r *http.Request) *route.Problem {
	var ask document.ComputedTraitsRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	given := map[string]*audience.Expression{}
	for key, text := range ask.Traits {
		of, err := audiencelang.ParseValue(text)
		if err != nil {
			return route.NewProblem(document.CodeBadAudience, "computed trait %s: %v", key, err)
		}
		given[key] = of
	}
	state, p := a.define(r, func(now *audiences.State) (*audiences.State, error) {
		list, err := now.ParsedTraits()
		if err != nil {
			return nil, err
		}
		next, err := now.NextTraits(merged(list, given, ask.Prune))
		if err != nil {
			return nil, &refusedDefinition{err}
		}
		return next, nil
	})
	if p != nil {
		return p
	}
	a.Logger.Info("computed traits defined", "version", state.Version, "traits", state.Newest.Computed())
	d, err := query.ComputedTraitsDocument(state)
	if err != nil {
		return &route.Problem{Code: document.CodeInternal}
	}
	return route.Send(w, d)
}

// merged are given computed traits, and those of other keys that are defined, unless they are to go.
func merged(defined []audience.ComputedTrait, given map[string]*audience.Expression, prune bool) (list []audience.ComputedTrait) {
	for key, of := range given {
		list = append(list, audience.ComputedTrait{Key: key, Of: of})
	}
	for _, t := range defined {
		if _, replaced := given[t.Key]; !replaced && !prune {
			list = append(list, t)
		}
	}
	return list
}
