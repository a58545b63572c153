package api

import (
	"net/http"

	"github.com/kindred-id/kindred/api/document"
)

// getRules answers GET /v1/rules.
func (s *Server) getRules(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	if s.Rules == "" {
		return &problem{code: document.CodeUnknownRoute}
	}
	d := document.NewRules(s.Engine.Rules())
	d.Text = s.Rules
	return sendDocument(w, d)
}
