package query

import (
	"context"
	"net/http"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsontext"
	"golang.org/x/sync/errgroup"
)

// Bounds of a batchGet.
const (
	maxBatchIDs    = 1000
	batchGetAtOnce = 32 // profiles in memory
)

// batchGet answers POST /v1/profiles:batchGet {"ids":[…],"fields":[…]}, in the order of the ids:
//
//	{"results":[{"requested":"…","status":"found","profile":{…}},
//	            {"requested":"…","status":"not_found"|"bad_id"|…,"detail"?,"hint"}]}
//
// Once the first profiles are written the status is 200, so what is wrong with one id is reported in its entry.
// Profiles are looked up batchGetAtOnce at a time: the answer may be long, and this bounds what it takes in memory.
func (q *Queries) batchGet(w http.ResponseWriter, r *http.Request) *route.Problem {
	var ask document.BatchGetRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	if len(ask.IDs) > maxBatchIDs {
		return route.NewProblem(document.CodeTooManyIDs, "%d ids: at most %d are answered at once", len(ask.IDs), maxBatchIDs)
	}
	fields, err := document.ParseFields(strings.Join(ask.Fields, ","))
	if err != nil {
		return route.NewProblem(document.CodeInvalidBody, "fields: %v", err)
	}
	if fields.Scores() {
		return route.NewProblem(document.CodeInvalidBody, "fields: scores come for one person at a time, or with an export")
	}
	if fields.Audiences() || fields.Computed() {
		return route.NewProblem(document.CodeInvalidBody, "fields: audiences and computed traits come for one person at a time, or with an export")
	}
	shape := document.Shape{Fields: fields, Detail: true, Control: q.Control}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	body := []byte(`{"results":[`)
	for start := 0; start < len(ask.IDs); start += batchGetAtOnce {
		ids := ask.IDs[start:min(start+batchGetAtOnce, len(ask.IDs))]
		profiles, problems := q.getMany(r.Context(), ids)
		for i, id := range ids {
			if start+i > 0 {
				body = append(body, ',')
			}
			body = jsontext.AppendString(append(body, `{"requested":`...), id)
			body = appendResult(body, &profiles[i], &shape, problems[i])
		}
		if _, err := w.Write(body); err != nil {
			return nil // the client has gone
		}
		body = body[:0]
	}
	_, _ = w.Write(append(body, "]}\n"...))
	return nil
}

// appendResult appends what follows the requested id: the profile, or why there is none, with the code and hint that a
// request for this id alone would get.
func appendResult(dst []byte, p *graph.Profile, shape *document.Shape, failed *route.Problem) []byte {
	if failed == nil {
		dst = shape.Append(append(dst, `,"status":"found","profile":`...), p)
		return append(dst, '}')
	}
	dst = jsontext.AppendString(append(dst, `,"status":`...), string(failed.Code))
	if failed.Detail != "" {
		dst = jsontext.AppendString(append(dst, `,"detail":`...), failed.Detail)
	}
	dst = jsontext.AppendString(append(dst, `,"hint":`...), document.InfoOf(failed.Code).Hint)
	return append(dst, '}')
}

// getMany looks profiles up, several at the same time: each may wait for its shard. profiles[i] and problems[i] are
// those of ids[i]; a problem is nil where the profile was found.
func (q *Queries) getMany(ctx context.Context, ids []string) ([]graph.Profile, []*route.Problem) {
	profiles := make([]graph.Profile, len(ids))
	problems := make([]*route.Problem, len(ids))
	var group errgroup.Group
	group.SetLimit(8)
	for i, id := range ids {
		group.Go(func() error {
			profiles[i], problems[i] = q.Need(ctx, id)
			return nil
		})
	}
	_ = group.Wait() // what failed is in problems
	return profiles, problems
}
