package query

import (
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// getParameters answers GET /v1/scores/parameters: the snapshot that scores are computed with now, and the settings.
func (q *Queries) getParameters(w http.ResponseWriter, r *http.Request) *route.Problem {
	if q.Scores == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	scorer := q.Scores.Scorer()
	return route.Send(w, document.NewParameters(*scorer.Parameters(), scorer.Terms()))
}
