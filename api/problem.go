package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph/identifier"
)

// Code says what went wrong with a request. Codes are part of the API: they don't change.
type Code string

// The codes. What is wrong with a single event has codes of its own: ingest.Code, and those below
// that stand in an event's "code".
const (
	CodeUnknownRoute      Code = "unknown_route"
	CodeMethodNotAllowed  Code = "method_not_allowed"
	CodeBadID             Code = "bad_id"
	CodeUnknownNamespace  Code = "unknown_namespace"
	CodeNotFound          Code = "not_found"
	CodeInTransit         Code = "in_transit"
	CodeBadParameter      Code = "bad_parameter"
	CodeEmptyBody         Code = "empty_body"
	CodeBadEncoding       Code = "bad_encoding"
	CodeUnknownEncoding   Code = "unknown_encoding"
	CodeInvalidBody       Code = "invalid_body"
	CodeIncompleteBody    Code = "incomplete_body"
	CodeNoReadableEvent   Code = "no_readable_event"
	CodeBodyTooLarge      Code = "body_too_large"
	CodeBodyTimeout       Code = "body_timeout"
	CodeBusy              Code = "busy"
	CodeShuttingDown      Code = "shutting_down"
	CodeEngineFailed      Code = "engine_failed"
	CodeTimeout           Code = "timeout"
	CodeTooManyIDs        Code = "too_many_ids"
	CodeCrossOrigin       Code = "cross_origin"
	CodeBadAssertion      Code = "bad_assertion"
	CodeSameIdentifier    Code = "same_identifier"
	CodeContradiction     Code = "contradiction"
	CodeUnknownAssertion  Code = "unknown_assertion"
	CodeBackupDisabled    Code = "backup_disabled"
	CodeBackupRunning     Code = "backup_running"
	CodeBackupRefused     Code = "backup_refused"
	CodeBackupFailed      Code = "backup_failed"
	CodeDiskFull          Code = "disk_full"
	CodeExportFailed      Code = "export_failed"
	CodeFeedOff           Code = "feed_off"
	CodeFeedBehind        Code = "feed_behind"
	CodeUnknownReceiver   Code = "unknown_receiver"
	CodeInternal          Code = "internal"
	eventTooMany          Code = "too_many_events"
	eventQuarantined      Code = "quarantined"
	retryAfterBusy             = 1 // seconds
	retryAfterUnavailable      = 5 // seconds
)

// ProblemInfo is what is the same in all problems of one code.
type ProblemInfo struct {
	Code   Code
	Status int
	Title  string
	Hint   string // what to do, where the problem itself has nothing more exact to say
}

var problemTable = []ProblemInfo{
	{CodeUnknownRoute, 404, "There is no such route", "see the list of routes in the documentation; a / inside an id is written %2F"},
	{CodeMethodNotAllowed, 405, "The route has no such method", "use a method of the Allow header"},
	{CodeBadID, 400, "The id can't be read", "give namespace:value, such as email:ann@example.com with reserved characters escaped, or a public id"},
	{CodeUnknownNamespace, 400, "The namespace is not registered", "use one of the namespaces that the detail lists"},
	{CodeNotFound, 404, "Nobody is known by this id", "check the value: it was never seen in an event that was taken"},
	{CodeInTransit, 503, "The profile is on its way between shards", "try again"},
	{CodeBadParameter, 400, "A query parameter can't be used", "see the documentation of the route"},
	{CodeEmptyBody, 400, "The body is empty", "send an event, a list of events, or {\"batch\":[…]}"},
	{CodeBadEncoding, 400, "The body can't be inflated", "send one complete gzip or zstd stream, or no compression"},
	{CodeUnknownEncoding, 415, "The body's encoding is not known", "compress with gzip or zstd, or not at all"},
	{CodeInvalidBody, 400, "The body can't be read", "send valid JSON in UTF-8"},
	{CodeIncompleteBody, 400, "The body ended early", "send the whole body"},
	{CodeNoReadableEvent, 400, "No event of the body can be read", "see the hint of each rejected event"},
	{CodeBodyTooLarge, 413, "The body is too large", "send fewer events in a request"},
	{CodeBodyTimeout, 408, "The body took too long", "send it again"},
	{CodeBusy, 429, "There is no room at the moment", "wait as Retry-After says, then send the same again: nothing was taken"},
	{CodeShuttingDown, 503, "The server is stopping", "send the same again once it is back: what has the same messageId is taken once"},
	{CodeEngineFailed, 503, "The engine has stopped", "see /readyz and the log of the server; send the same again once it is back: what has the same messageId is taken once"},
	{CodeTimeout, 503, "The answer took too long", "try again"},
	{CodeTooManyIDs, 400, "Too many ids in one request", "ask in several requests"},
	{CodeCrossOrigin, 403, "A page of another origin may not do this", "call the API from a server, or from a page of its own origin"},
	{CodeBadAssertion, 400, "The assertion can't be made", "see the documentation of assertions"},
	{CodeSameIdentifier, 400, "Both ids are the same identifier", "name two different identifiers"},
	{CodeContradiction, 409, "The assertion contradicts another one", "withdraw the other one first"},
	{CodeUnknownAssertion, 404, "There is no such assertion to withdraw", "list the assertions of the profile: GET /v1/profiles/{id}/assertions"},
	{CodeBackupDisabled, 403, "Backups over HTTP are switched off", "switch them on in the server's configuration, or run kindred backup"},
	{CodeBackupRunning, 409, "A backup is running", "wait until it has ended"},
	{CodeBackupRefused, 409, "The directory can't take the backup", "give an absolute path of a directory that is empty or does not exist"},
	{CodeBackupFailed, 500, "The backup failed", "see the detail"},
	{CodeDiskFull, 507, "The disk is full", "free some space"},
	{CodeExportFailed, 500, "The export failed", "see the log of the server"},
	{CodeFeedOff, 409, "There is no change feed", "turn it on: kindred serve --feed; from then on every change is kept for its readers"},
	{CodeFeedBehind, 410, "The changes after this cursor were deleted", "ask with cursor=now for a cursor, take an export, and go on from that cursor"},
	{CodeUnknownReceiver, 404, "The change feed has no such receiver", "GET /v1/changes/receivers lists them"},
	{CodeInternal, 500, "A defect of Kindred", "report it with the request id and the log of the server"},
}

// Problems lists the codes of all problems that a server may answer with.
func Problems() []ProblemInfo { return slices.Clone(problemTable) }

var problemByCode = func() map[Code]*ProblemInfo {
	m := make(map[Code]*ProblemInfo, len(problemTable))
	for i := range problemTable {
		m[problemTable[i].Code] = &problemTable[i]
	}
	return m
}()

// problem is one answer that says what went wrong.
type problem struct {
	code       Code
	detail     string
	hint       string // empty: that of the code
	retryAfter int    // seconds; 0 is no header
	allow      string // header of a 405
	more       []byte // JSON members, each behind a comma
}

func newProblem(code Code, format string, args ...any) *problem {
	return &problem{code: code, detail: fmt.Sprintf(format, args...)}
}

func (p *problem) withHint(hint string) *problem {
	p.hint = hint
	return p
}

// write sends the problem. The request's id makes its instance.
func (p *problem) write(w http.ResponseWriter) {
	info := problemByCode[p.code]
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
	b := make([]byte, 0, 512+len(p.more))
	b = appendString(append(b, `{"type":`...), "urn:kindred:problem:"+string(p.code))
	b = appendString(append(b, `,"title":`...), info.Title)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(info.Status), 10)
	if p.detail != "" {
		b = appendString(append(b, `,"detail":`...), p.detail)
	}
	b = appendString(append(b, `,"code":`...), string(p.code))
	b = appendString(append(b, `,"hint":`...), hint)
	if id := h.Get(requestIDHeader); id != "" {
		b = appendString(append(b, `,"instance":`...), "urn:kindred:request:"+id)
	}
	b = append(append(b, p.more...), "}\n"...)
	w.WriteHeader(info.Status)
	_, _ = w.Write(b) // the client has gone: nobody to tell
}

// engineProblem is what an engine's error means to a client. A request whose client has gone gets
// the same, and nobody reads it.
func engineProblem(err error) *problem {
	switch {
	case errors.Is(err, actors.ErrBusy):
		return &problem{code: CodeBusy, detail: "the events under way have filled their share of memory", retryAfter: retryAfterBusy}
	case errors.Is(err, actors.ErrClosed):
		return &problem{code: CodeShuttingDown, retryAfter: retryAfterUnavailable}
	case errors.Is(err, errInTransit):
		return &problem{code: CodeInTransit, retryAfter: retryAfterBusy}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &problem{code: CodeTimeout, retryAfter: retryAfterBusy}
	default:
		return &problem{code: CodeEngineFailed, retryAfter: retryAfterUnavailable}
	}
}

// idProblem says why an id can't be read. Errors of identifiers never quote values.
func idProblem(err error) *problem {
	code := CodeBadID
	if errors.Is(err, identifier.ErrUnknownNamespace) {
		code = CodeUnknownNamespace
	}
	return &problem{code: code, detail: err.Error()}
}

func notFound() *problem { return &problem{code: CodeNotFound} }
