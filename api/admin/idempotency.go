package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/kindred-id/kindred/actors/idempotency"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// maxIdempotencyKey bounds an idempotency key, in bytes.
const maxIdempotencyKey = 255

// Headers of idempotency keys.
const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotency-Replayed"
)

// idempotencyKey reads the key of a request; empty where it has none.
func idempotencyKey(r *http.Request) (string, *route.Problem) {
	key := r.Header.Get(idempotencyHeader)
	if len(key) > maxIdempotencyKey || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return "", route.NewProblem(document.CodeBadParameter, "%s: want at most %d printable characters of ASCII", idempotencyHeader, maxIdempotencyKey)
	}
	return key, nil
}

// assertOnce makes an assertion under an idempotency key: a request that comes again gets the answer that was kept, and
// makes nothing. Two requests are the same if they ask the same, however their JSON is written.
func (ad *Admin) assertOnce(w http.ResponseWriter, r *http.Request, key string, ask *document.AssertionRequest, id string) *route.Problem {
	body, err := json.Marshal(ask)
	if err != nil {
		return &route.Problem{Code: document.CodeInternal}
	}
	request, err := ad.Answers.Begin(r.Context(), key, body, id)
	switch {
	case errors.Is(err, idempotency.ErrOther):
		return &route.Problem{Code: document.CodeKeyReused}
	case errors.Is(err, idempotency.ErrUnderWay):
		return &route.Problem{Code: document.CodeKeyUnderWay, RetryAfter: route.RetryAfterBusy}
	case err != nil:
		return route.EngineProblem(err)
	}
	defer request.End()
	if request.Answer != nil {
		w.Header().Set(replayedHeader, "true")
		return route.SendJSON(w, append(request.Answer, '\n'))
	}
	ctx := context.WithoutCancel(r.Context()) // the row is to say what became of the request, even if its client has gone
	answer, p := ad.assert(r.Context(), ask, mark{request.ID, request.At})
	if p != nil {
		if status := document.InfoOf(p.Code).Status; status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
			ad.noteKept(request.Drop(ctx))
		}
		return p
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return &route.Problem{Code: document.CodeInternal, Detail: "the answer can't be encoded"}
	}
	ad.noteKept(request.Finish(ctx, text))
	return route.SendJSON(w, append(text, '\n'))
}

// noteKept logs that a row could not be written. The request was answered all the same: one that comes again makes the
// same assertion, under the same id.
func (ad *Admin) noteKept(err error) {
	if err != nil {
		ad.Logger.Warn("the answer of a request with an idempotency key was not kept", "error", err)
	}
}
