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

// postAudiences answers POST /v1/audiences:apply. All of it is defined, as one version, or nothing.
func (a *Admin) postAudiences(w http.ResponseWriter, r *http.Request) *route.Problem {
	var ask document.AudiencesRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	var given []audience.Definition
	for key, text := range ask.Audiences {
		where, err := audiencelang.Parse(text)
		if err != nil {
			return route.NewProblem(document.CodeBadAudience, "audience %s: %v", key, err)
		}
		given = append(given, audience.Definition{Key: key, Where: where})
	}
	state, p := a.define(r, func(now *audiences.State) (*audiences.State, error) {
		list, err := withOthers(given, ask.Prune, now.Parsed, func(d audience.Definition) string { return d.Key })
		if err != nil {
			return nil, err
		}
		next, err := now.Next(list)
		if err != nil {
			return nil, &refusedDefinition{err}
		}
		return next, nil
	})
	if p != nil {
		return p
	}
	a.Logger.Info("audiences defined", "version", state.Version, "audiences", state.Newest.Len())
	d, err := query.AudiencesDocument(state)
	if err != nil {
		return &route.Problem{Code: document.CodeInternal}
	}
	return route.Send(w, d)
}
