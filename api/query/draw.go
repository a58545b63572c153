package query

import (
	"net/http"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// drawAudience answers POST /v1/audiences/{key}/draw.
func (q *Queries) drawAudience(w http.ResponseWriter, r *http.Request) *route.Problem {
	var ask document.DrawRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	if ask.Limit < 1 || ask.Limit > actors.DrawMax || len(ask.Suppress) > actors.SuppressionsMax {
		return route.NewProblem(document.CodeInvalidBody, "limit: want 1 to %d people, and at most %d keys in suppress", actors.DrawMax, actors.SuppressionsMax)
	}
	state := q.Engine.Audiences()
	d := document.Draw{Key: r.PathValue("key"), AsOf: document.NewTime(q.Engine.Now()), Complete: state.AllTold(), HeldBack: []document.Held{}, IDs: []string{}}
	var numbers []uint32 // the audience, then the suppressions
	for _, key := range append([]string{d.Key}, ask.Suppress...) {
		number, ok := state.Number(key)
		if !ok {
			return route.NewProblem(document.CodeUnknownAudience, "audience %q: no audience of this key serves", key)
		}
		numbers = append(numbers, number)
	}
	if !q.Searches.TryAcquire(1) {
		return &route.Problem{Code: document.CodeBusy, Detail: "as many searches and counts are under way as may be", RetryAfter: route.RetryAfterUnavailable}
	}
	defer q.Searches.Release(1)
	drawn, err := q.Engine.Draw(r.Context(), numbers[0], numbers[1:], ask.Limit, uint64(ask.Seed))
	if err != nil {
		return route.EngineProblem(err)
	}
	d.Members, d.Free = drawn.Members, drawn.Free
	for i, key := range ask.Suppress {
		d.HeldBack = append(d.HeldBack, document.Held{Key: key, People: drawn.HeldBack[i]})
	}
	for _, id := range drawn.IDs {
		d.IDs = append(d.IDs, id.String())
	}
	return route.Send(w, d)
}
