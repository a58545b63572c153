package query

import (
	"net/http"
	"slices"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// getAssertions answers GET /v1/profiles/{id}/assertions: those about the identity's identifiers, withdrawn ones
// included. They are read after the profile, in a read of their own: one that is made in between is listed, although
// the profile does not show it yet.
func (q *Queries) getAssertions(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, p := q.Need(r.Context(), r.PathValue("id"))
	if p != nil {
		return p
	}
	held, err := q.Lookup.Assertions(r.Context(), profile.ID)
	if err != nil {
		return route.EngineProblem(err)
	}
	list := []document.Assertion{}
	for i := range held {
		a := &held[i]
		if slices.ContainsFunc(profile.Identifiers, func(id graph.ProfileIdentifier) bool { return id.Key == a.A.Key || id.Key == a.B.Key }) {
			list = append(list, document.NewAssertion(a))
		}
	}
	return route.Send(w, document.Assertions{ID: profile.ID.String(), Assertions: list})
}
