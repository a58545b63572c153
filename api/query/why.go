package query

import (
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// getWhy answers GET /v1/profiles/{id}/why?with=ID. Both ids have to be known: of an identifier that was never seen
// there is nothing to explain. The two are looked up one after the other, and the problem says which of them is not
// there.
func (q *Queries) getWhy(w http.ResponseWriter, r *http.Request) *route.Problem {
	with := r.URL.Query().Get("with")
	if with == "" {
		return route.NewProblem(document.CodeBadParameter, "with: the other id is missing").WithHint("ask /v1/profiles/{id}/why?with={other id}")
	}
	a, _, problem := q.Name(r.Context(), r.PathValue("id"), true)
	if problem != nil {
		return problem
	}
	b, _, problem := q.Name(r.Context(), with, true)
	if problem != nil {
		if problem.Code == document.CodeNotFound {
			problem.Detail = "it is the id of \"with\" that is not known"
		}
		return problem
	}
	x, err := q.Engine.Why(r.Context(), a.Key, b.Key)
	if err != nil {
		return route.EngineProblem(err)
	}
	return route.Send(w, document.NewWhy(a, b, &x))
}

// getHow answers GET /v1/profiles/{id}/how: the evidence that made the identity, in the order in
// which it was admitted.
func (q *Queries) getHow(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, problem := q.Need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	steps, err := q.Engine.How(r.Context(), profile.ID)
	if err != nil {
		return route.EngineProblem(err)
	}
	return route.Send(w, document.How{ID: profile.ID.String(), Steps: document.NewReasons(steps)})
}
