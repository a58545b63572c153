package query

import (
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// getRules answers GET /v1/rules: name, version and text. The text is complete YAML, and a rules file by itself.
func (q *Queries) getRules(w http.ResponseWriter, r *http.Request) *route.Problem {
	if q.Rules == "" {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	d := document.NewRules(q.Engine.Rules())
	d.Text = q.Rules
	return route.Send(w, d)
}
