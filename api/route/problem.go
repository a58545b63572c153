package route

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// Seconds of Retry-After.
const (
	RetryAfterBusy        = 1 // room is given back all the time
	RetryAfterUnavailable = 5 // somebody has to end, or an operator to act
)

// RequestIDHeader has the id of a request in its answer.
const RequestIDHeader = "X-Request-Id"

// Problem is an answer that says what went wrong: a document.Problem to be.
type Problem struct {
	Code       document.Code
	Detail     string
	Hint       string // empty: the hint of the code
	RetryAfter int    // seconds; 0 is no header
	Allow      string // header of a 405
	Challenge  string // header WWW-Authenticate of a 401 or 403
	More       []byte // further JSON members, each after a comma
}

// NewProblem is a problem with a detail.
func NewProblem(code document.Code, format string, args ...any) *Problem {
	return &Problem{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// WithHint sets what to do, where that of the code is not exact enough.
func (p *Problem) WithHint(hint string) *Problem {
	p.Hint = hint
	return p
}

// addError adds the member error of a document.SegmentProblem.
func (p *Problem) addError() {
	message := p.Detail
	if message == "" {
		message = document.InfoOf(p.Code).Title
	}
	p.More = jsontext.AppendString(append(p.More, `,"error":{"code":`...), string(p.Code))
	p.More = append(jsontext.AppendString(append(p.More, `,"message":`...), message), '}')
}

// Refused is the problem of a request that a gate does not let in; nil for nil.
func Refused(r *access.Refusal) *Problem {
	if r == nil {
		return nil
	}
	return &Problem{Code: r.Code, Detail: r.Detail, Hint: r.Hint, RetryAfter: r.RetryAfter, Challenge: r.Challenge}
}

// Write sends the problem. The request's id makes its instance.
func (p *Problem) Write(w http.ResponseWriter) {
	info := document.InfoOf(p.Code)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Allow != "" {
		h.Set("Allow", p.Allow)
	}
	if p.Challenge != "" {
		h.Set("WWW-Authenticate", p.Challenge)
	}
	hint := p.Hint
	if hint == "" {
		hint = info.Hint
	}
	d := document.Problem{
		Type: "urn:kindred:problem:" + string(p.Code), Title: info.Title, Status: info.Status, Detail: p.Detail, Code: p.Code, Hint: hint,
	}
	if id := h.Get(RequestIDHeader); id != "" {
		d.Instance = "urn:kindred:request:" + id
	}
	b := append(append(encode(&d), p.More...), "}\n"...)
	w.WriteHeader(info.Status)
	_, _ = w.Write(b) // the client has gone: nobody to tell
}

// encode is the JSON of a problem without its closing brace, for the members that may follow.
func encode(d *document.Problem) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		panic(err) // texts and a number
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
}

// EngineProblem says what an engine's error means to a client. A request whose client has gone gets an answer too,
// which nobody reads.
func EngineProblem(err error) *Problem {
	switch {
	case errors.Is(err, actors.ErrBacklog):
		return &Problem{Code: document.CodeBusy, Detail: "messages to a shard wait: no node has it, or the one that has it is far behind", RetryAfter: RetryAfterBusy}
	case errors.Is(err, actors.ErrBusy):
		return &Problem{Code: document.CodeBusy, Detail: "the events under way have filled their share of memory", RetryAfter: RetryAfterBusy}
	case errors.Is(err, actors.ErrClosed):
		return &Problem{Code: document.CodeShuttingDown, RetryAfter: RetryAfterUnavailable}
	case errors.Is(err, actors.ErrLost):
		return &Problem{Code: document.CodeShardLost, RetryAfter: RetryAfterUnavailable}
	case errors.Is(err, actors.ErrUnknown):
		return NotFound()
	case errors.Is(err, actors.ErrInTransit):
		return &Problem{Code: document.CodeInTransit, RetryAfter: RetryAfterBusy}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Problem{Code: document.CodeTimeout, RetryAfter: RetryAfterBusy}
	default:
		return &Problem{Code: document.CodeEngineFailed, RetryAfter: RetryAfterUnavailable}
	}
}

// IDProblem says why an id can't be read. Errors of identifiers never quote values.
func IDProblem(err error) *Problem {
	code := document.CodeBadID
	if errors.Is(err, identifier.ErrUnknownNamespace) {
		code = document.CodeUnknownNamespace
	}
	return &Problem{Code: code, Detail: err.Error()}
}

// NotFound says that nobody is known by an id.
func NotFound() *Problem { return &Problem{Code: document.CodeNotFound} }
