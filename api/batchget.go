package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/jsontext"
	"golang.org/x/sync/errgroup"
)

// Bounds of a batchGet.
const (
	maxBatchIDs     = 1000
	batchGetAtOnce  = 32 // profiles in memory
	maxRequestBytes = 1 << 20
)

// batchGet answers POST /v1/profiles:batchGet {"ids":[…]}, in the order of the ids:
//
//	{"results":[{"requested":"…","status":"found","profile":{…}},
//	            {"requested":"…","status":"not_found"|"bad_id"|…,"detail"?,"hint"}]}
func (s *Server) batchGet(w http.ResponseWriter, r *http.Request) *problem {
	var ask document.BatchGetRequest
	if p := readJSON(w, r, &ask); p != nil {
		return p
	}
	if len(ask.IDs) > maxBatchIDs {
		return newProblem(document.CodeTooManyIDs, "%d ids: at most %d are answered at once", len(ask.IDs), maxBatchIDs)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	body := []byte(`{"results":[`)
	for start := 0; start < len(ask.IDs); start += batchGetAtOnce {
		ids := ask.IDs[start:min(start+batchGetAtOnce, len(ask.IDs))]
		profiles, problems := s.getMany(r.Context(), ids)
		for i, id := range ids {
			if start+i > 0 {
				body = append(body, ',')
			}
			body = jsontext.AppendString(append(body, `{"requested":`...), id)
			body = appendResult(body, &profiles[i], s.Control, problems[i])
		}
		if _, err := w.Write(body); err != nil {
			return nil // the client has gone
		}
		body = body[:0]
	}
	_, _ = w.Write(append(body, "]}\n"...))
	return nil
}

func appendResult(dst []byte, p *graph.Profile, control score.Control, failed *problem) []byte {
	if failed == nil {
		dst = document.AppendProfile(append(dst, `,"status":"found","profile":`...), p, control)
		return append(dst, '}')
	}
	dst = jsontext.AppendString(append(dst, `,"status":`...), string(failed.code))
	if failed.detail != "" {
		dst = jsontext.AppendString(append(dst, `,"detail":`...), failed.detail)
	}
	dst = jsontext.AppendString(append(dst, `,"hint":`...), document.InfoOf(failed.code).Hint)
	return append(dst, '}')
}

// getMany looks profiles up at the same time.
func (s *Server) getMany(ctx context.Context, ids []string) ([]graph.Profile, []*problem) {
	profiles := make([]graph.Profile, len(ids))
	problems := make([]*problem, len(ids))
	var group errgroup.Group
	group.SetLimit(8)
	for i, id := range ids {
		group.Go(func() error {
			profiles[i], problems[i] = s.need(ctx, id)
			return nil
		})
	}
	_ = group.Wait() // what failed is in problems
	return profiles, problems
}

// readJSON reads the body of a request that is not events: one JSON object with known members only.
func readJSON(w http.ResponseWriter, r *http.Request, into any) *problem {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		return newProblem(document.CodeInvalidBody, "something follows the JSON object")
	}
	var large *http.MaxBytesError
	var typed *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return newProblem(document.CodeBodyTooLarge, "more than %d bytes", large.Limit).withHint("send less in a request")
	case errors.Is(err, io.EOF):
		return newProblem(document.CodeInvalidBody, "the body is empty: want a JSON object")
	case errors.As(err, &typed):
		at := typed.Field
		if at == "" {
			at = "the body"
		}
		return newProblem(document.CodeInvalidBody, "%s: is of type %s, which it can't be", at, typed.Value).withHint("see the documentation of the route")
	default:
		return newProblem(document.CodeInvalidBody, "%v", err)
	}
}
