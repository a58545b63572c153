package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph/identifier"
)

// The codes that the intake of events uses.
const (
	CodeBadParameter    = document.CodeBadParameter
	CodeEmptyBody       = document.CodeEmptyBody
	CodeBadEncoding     = document.CodeBadEncoding
	CodeUnknownEncoding = document.CodeUnknownEncoding
	CodeInvalidBody     = document.CodeInvalidBody
	CodeIncompleteBody  = document.CodeIncompleteBody
	CodeNoReadableEvent = document.CodeNoReadableEvent
	CodeBodyTooLarge    = document.CodeBodyTooLarge
	CodeBodyTimeout     = document.CodeBodyTimeout
	CodeBusy            = document.CodeBusy
	eventTooMany        = document.CodeTooManyEvents
	eventQuarantined    = document.CodeQuarantined
)

// Seconds of Retry-After.
const (
	retryAfterBusy        = 1
	retryAfterUnavailable = 5
)

// problem is one answer that says what went wrong.
type problem struct {
	code       document.Code
	detail     string
	hint       string // empty: that of the code
	retryAfter int    // seconds; 0 is no header
	allow      string // header of a 405
	more       []byte // JSON members, each behind a comma
}

func newProblem(code document.Code, format string, args ...any) *problem {
	return &problem{code: code, detail: fmt.Sprintf(format, args...)}
}

func (p *problem) withHint(hint string) *problem {
	p.hint = hint
	return p
}

// write sends the problem. The request's id makes its instance.
func (p *problem) write(w http.ResponseWriter) {
	info := document.InfoOf(p.code)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	hint := p.hint
	if hint == "" {
		hint = info.Hint
	}
	d := document.Problem{
		Type: "urn:kindred:problem:" + string(p.code), Title: info.Title, Status: info.Status, Detail: p.detail, Code: p.code, Hint: hint,
	}
	if id := h.Get(requestIDHeader); id != "" {
		d.Instance = "urn:kindred:request:" + id
	}
	b := append(append(encode(&d), p.more...), "}\n"...)
	w.WriteHeader(info.Status)
	_, _ = w.Write(b) // the client has gone: nobody to tell
}

// encode is a problem without its closing brace, for the members that may follow.
func encode(d *document.Problem) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		panic(err) // texts and a number
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
}

// engineProblem is what an engine's error means to a client. A request whose client has gone gets
// the same, and nobody reads it.
func engineProblem(err error) *problem {
	switch {
	case errors.Is(err, actors.ErrBusy):
		return &problem{code: document.CodeBusy, detail: "the events under way have filled their share of memory", retryAfter: retryAfterBusy}
	case errors.Is(err, actors.ErrClosed):
		return &problem{code: document.CodeShuttingDown, retryAfter: retryAfterUnavailable}
	case errors.Is(err, errInTransit):
		return &problem{code: document.CodeInTransit, retryAfter: retryAfterBusy}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &problem{code: document.CodeTimeout, retryAfter: retryAfterBusy}
	default:
		return &problem{code: document.CodeEngineFailed, retryAfter: retryAfterUnavailable}
	}
}

// idProblem says why an id can't be read. Errors of identifiers never quote values.
func idProblem(err error) *problem {
	code := document.CodeBadID
	if errors.Is(err, identifier.ErrUnknownNamespace) {
		code = document.CodeUnknownNamespace
	}
	return &problem{code: code, detail: err.Error()}
}

func notFound() *problem { return &problem{code: document.CodeNotFound} }
