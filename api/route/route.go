package route

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
)

// Route is one method of one path, with all that a client needs to know about it.
type Route struct {
	Method  string
	Path    string   // a pattern of http.ServeMux, such as /v1/profiles/{id}
	Aliases []string // other paths with the same answers: where libraries of other vendors send
	Handler Handler

	Summary    string      // what it does, as an imperative sentence without its full stop
	Notes      string      // more about it; may be empty
	Audience   Audience    // which part of the API it belongs to
	Parameters []Parameter // of the query, and headers
	Bodies     []any       // example values of the documents that a request may have; empty: it has no body
	Media      []string    // media types of its body beside JSON
	Answers    []Answer    // the successes
	Problems   []document.Code

	// OtherParameters lets requests have query parameters that Parameters does not name. Without it they are refused,
	// because a misspelt parameter would be ignored in silence.
	OtherParameters bool
	// OpenBody says that a body may have members that its document does not name.
	OpenBody bool
	// Scope is what the caller's key has to allow. Every route has one, unless it is Public.
	Scope keyring.Scope
	// Public lets everybody in: load balancers, and pages that ask for settings. Such a route tells nothing about anybody.
	Public bool
	// SameOrigin refuses requests that a page of another origin makes a browser send: nothing else keeps it from changing
	// things on a server that listens on loopback.
	SameOrigin bool
	// CrossOrigin lets pages of other origins call the route, as far as Origins allows it (CORS).
	CrossOrigin bool
	// ErrorMember gives problems a member error as well, as Segment's Profile API has it.
	ErrorMember bool
	// Lasting answers go on for as long as their clients read: they end with the key of the caller, too.
	Lasting bool
	// Timely bounds how long the answer may take by answerTimeout.
	Timely bool
}

// Handler answers a request, or says why it can't.
type Handler func(w http.ResponseWriter, r *http.Request) *Problem

// Audience is the part of the API that a route belongs to: who calls it, and what a key for it may do.
type Audience string

// The audiences.
const (
	Collect Audience = "collect" // sources of events
	Query   Audience = "query"   // programs that ask about people
	Admin   Audience = "admin"   // operators
	Stream  Audience = "stream"  // programs that take everything: exports and changes
	Console Audience = "console" // people, with a browser
	Health  Audience = "health"  // load balancers, monitors and tools
)

// Parameter is a parameter of the query, or a header.
type Parameter struct {
	Name     string
	Text     string // what it does
	Type     string // JSON Schema: string, integer or boolean; empty is string
	Enum     []string
	Default  string
	Example  string
	Min, Max int // of an integer, where Max is not 0
	Required bool
	Header   bool
}

// Answer is one way to succeed.
type Answer struct {
	Status   int    // 0 is 200
	Text     string // what it says; empty: the description of the document
	Media    string // empty is application/json
	Document any    // an example value of the document; nil: there is no body, or it is not JSON
	Headers  []Header
}

// Header is a header of an answer.
type Header struct {
	Name, Text string
}

// answerTimeout bounds how long an answer of a timely route may take. It is shorter than what the connection allows, so
// that the client is told.
const answerTimeout = 30 * time.Second

// CheckParameters refuses query parameters that the route does not have.
func (rt *Route) CheckParameters(r *http.Request) *Problem {
	if rt.OtherParameters || r.URL.RawQuery == "" {
		return nil
	}
	var known []string
	for _, p := range rt.Parameters {
		if !p.Header {
			known = append(known, p.Name)
		}
	}
	for name := range r.URL.Query() {
		if slices.Contains(known, name) {
			continue
		}
		p := NewProblem(document.CodeBadParameter, "%.40q: the route has no parameter of this name", name)
		if len(known) > 0 {
			return p.WithHint("it has: " + strings.Join(known, ", "))
		}
		return p.WithHint("leave it out: the route takes no parameters")
	}
	return nil
}

// Gates are what a request passes before a handler sees it.
type Gates struct {
	*Origins
	Access *access.Gate
	Bodies *Bodies // of requests that are no events
}

// Check reports whether the route says who may call it: exactly one of Scope and Public.
func (rt *Route) Check() error {
	if (rt.Scope != 0) == rt.Public {
		return fmt.Errorf("route %s %s: want a scope, or that it is public", rt.Method, rt.Path)
	}
	return nil
}

// AccessProblems are the problems of a request that Serve does not let in.
func (rt *Route) AccessProblems() []document.Code {
	if rt.Public {
		return nil
	}
	return []document.Code{
		document.CodeNoKey, document.CodeUnknownKey, document.CodeKeyExpired, document.CodeKeyRevoked, document.CodeBadToken,
		document.CodeWrongScope, document.CodeNoRole, document.CodeCrossOrigin, document.CodeRateLimited, document.CodeProviderDown,
	}
}

// Serve answers a request for the route, if the gates let it in.
func (rt *Route) Serve(gates *Gates, w http.ResponseWriter, r *http.Request) *Problem {
	p := rt.serve(gates, w, r)
	if p != nil && rt.ErrorMember {
		p.addError()
	}
	return p
}

func (rt *Route) serve(gates *Gates, w http.ResponseWriter, r *http.Request) *Problem {
	if p := gates.check(rt, w, r); p != nil {
		return p
	}
	if !rt.Public {
		admitted, refusal := gates.Access.Admit(w, r, access.Need{Scope: rt.Scope, Events: rt.Scope == keyring.WriteEvents})
		if refusal != nil {
			return Refused(refusal)
		}
		r = admitted
	}
	if rt.Lasting {
		ctx, stop := access.CallerOf(r.Context()).While(r.Context())
		defer stop()
		r = r.WithContext(ctx)
	}
	if p := rt.CheckParameters(r); p != nil {
		return p
	}
	if rt.Timely {
		ctx, cancel := context.WithTimeout(r.Context(), answerTimeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	if len(rt.Bodies) > 0 && !rt.OpenBody { // events have a bound of their own
		body := &boundedBody{ReadCloser: r.Body, of: gates.Bodies}
		defer body.release()
		r.Body = body
	}
	return rt.Handler(w, r)
}
