package api

import (
	"encoding/json"
	"net/http"

	"github.com/kindred-id/kindred/api/document"
)

// getWhy answers GET /v1/profiles/{id}/why?with=ID.
func (s *Server) getWhy(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r, "with"); p != nil {
		return p
	}
	with := r.URL.Query().Get("with")
	if with == "" {
		return newProblem(document.CodeBadParameter, "with: the other id is missing").withHint("ask /v1/profiles/{id}/why?with={other id}")
	}
	a, _, problem := s.name(r.Context(), r.PathValue("id"), true)
	if problem != nil {
		return problem
	}
	b, _, problem := s.name(r.Context(), with, true)
	if problem != nil {
		if problem.code == document.CodeNotFound {
			problem.detail = "it is the id of \"with\" that is not known"
		}
		return problem
	}
	x, ok, err := s.Engine.Why(r.Context(), a.Key, b.Key)
	switch {
	case err != nil:
		return engineProblem(err)
	case !ok:
		return notFound()
	}
	return sendDocument(w, document.NewWhy(a, b, &x))
}

// getHow answers GET /v1/profiles/{id}/how: the evidence that made the identity, in the order in
// which it was admitted.
func (s *Server) getHow(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	profile, problem := s.need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	steps, ok, err := s.Engine.How(r.Context(), profile.ID)
	switch {
	case err != nil:
		return engineProblem(err)
	case !ok: // a merge began in between
		return engineProblem(errInTransit)
	}
	return sendDocument(w, document.How{ID: profile.ID.String(), Steps: document.NewReasons(steps)})
}

// sendDocument answers with a document of this package.
func sendDocument(w http.ResponseWriter, answer any) *problem {
	body, err := json.Marshal(answer)
	if err != nil {
		return &problem{code: document.CodeInternal, detail: "the answer can't be encoded"}
	}
	return sendJSON(w, append(body, '\n'))
}
