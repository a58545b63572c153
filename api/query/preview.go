package query

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/internal/audiencelang"
)

// previewTime bounds how long people who are drawn are looked at.
const previewTime = 30 * time.Second

// previewAudience answers POST /v1/audiences:preview.
func (q *Queries) previewAudience(w http.ResponseWriter, r *http.Request) *route.Problem {
	var ask document.AudiencePreviewRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	where, err := audiencelang.Parse(ask.Text)
	if err != nil {
		return route.NewProblem(document.CodeBadAudience, "%v", err)
	}
	draft, err := q.Engine.Audiences().Draft(where)
	if errors.Is(err, audiences.ErrWaiting) {
		return &route.Problem{Code: document.CodeBusy, Detail: err.Error(), RetryAfter: route.RetryAfterUnavailable}
	}
	if err != nil {
		return route.NewProblem(document.CodeBadAudience, "%v", err)
	}
	if !q.Searches.TryAcquire(1) {
		return &route.Problem{Code: document.CodeBusy, Detail: "as many searches and counts are under way as may be", RetryAfter: route.RetryAfterUnavailable}
	}
	defer q.Searches.Release(1)
	ctx := r.Context()
	if ask.Exact {
		route.Patient(w)
	} else {
		bounded, cancel := context.WithTimeout(ctx, previewTime)
		defer cancel()
		ctx = bounded
	}
	stats, err := q.Engine.Stats(ctx)
	if err != nil {
		return route.EngineProblem(err)
	}
	now, people := q.Engine.Now(), max(stats.Identities, 0)
	share := 1.0
	if !ask.Exact && people > actors.Panel {
		share = actors.Panel / float64(people)
	}
	estimate, err := q.Engine.Estimate(ctx, draft, share)
	if err != nil {
		return route.EngineProblem(err)
	}
	return route.Send(w, previewDocument(&estimate, people, document.AudiencePreview{AsOf: document.NewTime(now), Text: audiencelang.Format(where)}))
}

// previewDocument adds to a document what was counted, of so many people.
func previewDocument(e *actors.Estimate, people int64, d document.AudiencePreview) document.AudiencePreview {
	if e.Whole {
		people = int64(e.Drawn) // those who came meanwhile are left out of both
	}
	of := func(n int) document.PreviewNumber { return projected(n, e.Drawn, people) }
	d.Exact, d.LookedAt = e.Whole, e.Drawn
	d.People = document.PreviewCount{All: document.PreviewNumber{Estimate: people, Low: people, High: people}, Known: of(e.Known)}
	d.Members = document.PreviewCount{All: of(e.In), Known: of(e.InKnown)}
	d.Conditions = []document.PreviewCondition{}
	for i := range e.Conditions {
		c := &e.Conditions[i]
		d.Conditions = append(d.Conditions, document.PreviewCondition{
			ID: c.Condition.ID, Text: audiencelang.Format(c.Condition), Alone: of(c.Alone), Kept: of(c.Kept),
		})
	}
	d.Sample, d.Misses = []string{}, []document.PreviewMiss{}
	for _, id := range e.Members {
		d.Sample = append(d.Sample, id.String())
	}
	for _, m := range e.Misses {
		d.Misses = append(d.Misses, document.PreviewMiss{ID: m.ID.String(), Condition: m.Condition})
	}
	return d
}

// certainty is the number of standard deviations on either side that hold 19 of 20 draws.
const certainty = 1.959964

// projected is the number of people of whom n of those drawn are, by Wilson's interval: unlike the usual one, it keeps within
// its bounds where nobody is, or everybody. Where all people were drawn, it is n.
func projected(n, drawn int, people int64) document.PreviewNumber {
	if int64(drawn) >= people {
		return document.PreviewNumber{Estimate: int64(n), Low: int64(n), High: int64(n)}
	}
	if drawn == 0 {
		return document.PreviewNumber{High: people}
	}
	size, share := float64(drawn), float64(n)/float64(drawn)
	middle := (share + certainty*certainty/(2*size)) / (1 + certainty*certainty/size)
	reach := certainty / (1 + certainty*certainty/size) * math.Sqrt(share*(1-share)/size+certainty*certainty/(4*size*size))
	whole := float64(people)
	return document.PreviewNumber{
		Estimate: int64(math.Round(share * whole)),
		Low:      max(int64(n), int64(math.Floor((middle-reach)*whole))),
		High:     min(people, int64(math.Ceil((middle+reach)*whole))),
	}
}
