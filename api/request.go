package api

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	r = s.clients.watch(r)
	s.metrics.unanswered.Inc()
	defer s.metrics.unanswered.Dec()
	id := requestID(r)
	w.Header().Set(route.RequestIDHeader, id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	cleanPath(r.URL)
	answer := &answerWriter{ResponseWriter: w}
	defer func() { s.done(answer, r, id, time.Since(start)) }()
	defer func() {
		if cause := recover(); cause != nil {
			s.panicked(answer, r, id, cause) // may panic again, to break the connection
		}
	}()
	if p := route.Refused(s.gates.Access.CheckHost(r)); p != nil {
		p.Write(answer)
		return
	}
	s.handler.ServeHTTP(answer, r)
}

// methods are the handlers of one path, by method.
type methods map[string]route.Handler

// ServeHTTP implements http.Handler: the method decides.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	var p *route.Problem
	switch h, ok := m[method]; {
	case ok:
		p = h(w, r)
	case len(m) == 0:
		p = &route.Problem{Code: document.CodeUnknownRoute}
	default:
		allowed := []string{}
		for known := range m {
			allowed = append(allowed, known)
		}
		slices.Sort(allowed)
		p = &route.Problem{Code: document.CodeMethodNotAllowed, Allow: strings.Join(allowed, ", ")}
	}
	if p != nil {
		p.Write(w)
	}
}

// cleanPath removes doubled and trailing slashes, which misconfigured clients send. The mux would redirect such a path,
// and clients take a redirect for success (P2). The escaped path is cleaned, so that escaped slashes within a value stay.
func cleanPath(u *url.URL) {
	asked := u.EscapedPath()
	if strings.HasPrefix(asked, "/") && path.Clean(asked) == asked {
		return // as nearly every path
	}
	clean := path.Clean("/" + asked)
	if plain, err := url.PathUnescape(clean); err == nil {
		u.Path, u.RawPath = plain, clean
	}
}

// requestID is the client's own id for the request if it is harmless, else the id of the trace that the request is part of, else
// a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get(route.RequestIDHeader)
	odd := func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.'
	}
	if id != "" && len(id) <= 64 && !strings.ContainsFunc(id, odd) {
		return id
	}
	if id := traceID(r.Header.Get("Traceparent")); id != "" {
		return id
	}
	return newRequestID()
}

// traceID is the trace's id in a header of W3C Trace Context, version-trace-parent-flags in hexadecimal; empty where the header
// is no such. Later versions may append to it.
func traceID(header string) string {
	const version, trace, length = len("00-"), len("00-") + 32, len("00-") + 32 + len("-") + 16 + len("-00")
	if len(header) < length || header[:version] == "ff-" || len(header) > length && (header[:version] == "00-" || header[length] != '-') {
		return ""
	}
	zeros := true
	for i, c := range []byte(header[:length]) {
		dash := i == version-1 || i == trace || i == length-len("-00")
		hexadecimal := '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
		if dash && c != '-' || !dash && !hexadecimal {
			return ""
		}
		zeros = zeros && (i < version || i >= trace || c == '0')
	}
	if zeros {
		return ""
	}
	return header[version:trace]
}

// newRequestID makes a random UUID. A request's id is no secret, so it costs no call of the system, which uuid.NewString takes for
// each.
func newRequestID() string {
	var id uuid.UUID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // no secret
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // no secret
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80      // version 4, the variant of RFC 9562
	return id.String()
}

// done counts and logs an answered request, without its path, which may name a person (P5).
func (s *Server) done(w *answerWriter, r *http.Request, id string, took time.Duration) {
	route := r.Pattern
	if route == "" || route == "/" {
		route = "none"
	}
	s.metrics.requests.WithLabelValues(route, strconv.Itoa(w.sent())).Inc()
	level := slog.LevelDebug
	if w.sent() >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	if !s.Logger.Enabled(r.Context(), level) {
		return // before the attributes are made
	}
	s.Logger.Log(r.Context(), level, "request", "request_id", id, "method", methodName(r.Method), "route", route, "status", w.sent(), "seconds", took.Seconds())
}

// methodName makes a method safe to log, because clients may send anything.
func methodName(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// panicked answers for a handler that panicked. The value may hold personal data, so unless it is an error of the runtime
// only its type is logged.
func (s *Server) panicked(w *answerWriter, r *http.Request, id string, cause any) {
	if cause == http.ErrAbortHandler { //nolint:errorlint // it is thrown as it is
		panic(cause)
	}
	what := fmt.Sprintf("%T", cause)
	if err, ok := cause.(runtime.Error); ok {
		what = err.Error()
	}
	s.Logger.Error("a request panicked", "request_id", id, "route", r.Pattern, "panic", what, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // the answer has begun: a broken one must not look whole
	}
	(&route.Problem{Code: document.CodeInternal}).Write(w)
}

// answerWriter remembers the status that was sent.
type answerWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *answerWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *answerWriter) sent() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// discardLog discards the log of net/http, which has addresses of clients and panics that were handled already.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
