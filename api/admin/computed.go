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
	var given []audience.ComputedTrait
	for key, text := range ask.Traits {
		of, err := audiencelang.ParseValue(text)
		if err != nil {
			return route.NewProblem(document.CodeBadAudience, "computed trait %s: %v", key, err)
		}
		given = append(given, audience.ComputedTrait{Key: key, Of: of})
	}
	state, p := a.define(r, func(now *audiences.State) (*audiences.State, error) {
		list, err := withOthers(given, ask.Prune, now.ParsedTraits, func(t audience.ComputedTrait) string { return t.Key })
		if err != nil {
			return nil, err
		}
		next, err := now.NextTraits(list)
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
