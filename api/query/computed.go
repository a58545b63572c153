package query

import (
	"encoding/json"
	"net/http"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/audiencelang"
)

// getComputedTraits answers GET /v1/traits.
func (q *Queries) getComputedTraits(w http.ResponseWriter, _ *http.Request) *route.Problem {
	d, err := ComputedTraitsDocument(q.Engine.Audiences())
	if err != nil {
		return &route.Problem{Code: document.CodeInternal}
	}
	return route.Send(w, d)
}

// ComputedTraitsDocument is the document of the computed traits that are defined.
func ComputedTraitsDocument(s *audiences.State) (document.ComputedTraits, error) {
	d := document.ComputedTraits{Traits: []document.ComputedTrait{}}
	if s == nil {
		return d, nil
	}
	d.Version, d.Filled = s.Version, s.Filled
	for _, t := range s.Definitions.Traits {
		of, err := audience.ParseExpression([]byte(t.Of))
		if err != nil {
			return d, err
		}
		d.Traits = append(d.Traits, document.ComputedTrait{
			Key: t.Key, Text: audiencelang.FormatValue(of), Of: json.RawMessage(t.Of), Serves: s.ServesTrait(&t),
		})
	}
	return d, nil
}
