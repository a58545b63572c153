package route

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/kindred-id/kindred/api/document"
)

// Origins decides what a page of another origin may do: nothing that changes something, except on routes that take events
// (Route.CrossOrigin). There, pages of the listed origins may send whatever a library for browsers sends.
//
// A page is told by the Origin of its request, which a browser sets and a page can't. So the list keeps other sites from
// sending events through their visitors' browsers. It is no authentication: a program sends whatever Origin it likes, or
// none.
type Origins struct {
	same  *http.CrossOriginProtection
	pages atomic.Pointer[originList]
}

// originList is the pages that may send events.
type originList struct {
	any  bool
	list []string
}

// Values of a list of origins that are no origins.
const (
	anyOrigin = "*" // also what an empty list means
	NoOrigin  = "none"
)

// NewOrigins reads a list of origins such as https://shop.example. An empty list allows any, as anyOrigin does; NoOrigin
// alone allows none.
func NewOrigins(list []string) (*Origins, error) {
	pages := &originList{any: len(list) == 0}
	var errs []error
	for _, origin := range list {
		switch {
		case origin == anyOrigin:
			pages.any = true
		case origin == NoOrigin && len(list) == 1:
		default:
			clean, err := cleanOrigin(origin)
			errs = append(errs, err)
			pages.list = append(pages.list, clean)
		}
	}
	o := &Origins{same: http.NewCrossOriginProtection()}
	o.pages.Store(pages)
	return o, errors.Join(errs...)
}

// Replace takes over the list of other, for requests from now on.
func (o *Origins) Replace(other *Origins) { o.pages.Store(other.pages.Load()) }

// cleanOrigin returns an origin as browsers write it: in lower case, without a path and without the port that its scheme
// stands for.
func cleanOrigin(origin string) (string, error) {
	u, err := url.Parse(strings.ToLower(strings.TrimSuffix(origin, "/")))
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("origin %q: want SCHEME://HOST or SCHEME://HOST:PORT, or %s for any, or %s alone", origin, anyOrigin, NoOrigin)
	}
	host := u.Host
	if port := u.Port(); u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host, nil
}

// The answer to a preflight: it allows the headers that libraries for browsers send, as recorded from them, and those of the
// API.
const (
	allowedHeaders = "authorization, content-type, content-encoding, anonymousid, sentat, x-retry-count, x-write-key, x-ip-policy, " +
		"rsa-retry-attempt, rsa-retry-reason, rsa-since-last-attempt, rsa-since-first-attempt, x-request-id"
	exposedHeaders  = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, " + RequestIDHeader // what a library reads of an answer
	preflightMaxAge = "7200"                                                                                   // seconds: browsers keep it no longer
)

// check refuses a request of a page of another origin where the route is for none. That of a route with a scope is refused
// even if it only reads: the page could not read the answer, and has no business there.
func (o *Origins) check(rt *Route, w http.ResponseWriter, r *http.Request) *Problem {
	if rt.CrossOrigin {
		return o.allow(w, r)
	}
	origin := r.Header.Get("Origin")
	foreign := !rt.Public && origin != "" && !isOwn(origin, r)
	if foreign || rt.SameOrigin && o.same.Check(r) != nil {
		return &Problem{Code: document.CodeCrossOrigin}
	}
	return nil
}

// allow lets a page of the request's origin read the answer, or refuses the request. A request without an Origin is not
// from a page of another origin.
func (o *Origins) allow(w http.ResponseWriter, r *http.Request) *Problem {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	pages := o.pages.Load()
	if !pages.any && !slices.Contains(pages.list, origin) && !isOwn(origin, r) {
		return (&Problem{Code: document.CodeCrossOrigin}).WithHint("list the page's origin in --collect-origins")
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
	return nil
}

// isOwn reports whether an origin is that of the server itself, as its client addresses it.
func isOwn(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}

// Preflight answers OPTIONS for a path whose routes take events: what a page may send there.
func (o *Origins) Preflight(methods string) Handler {
	return func(w http.ResponseWriter, r *http.Request) *Problem {
		if p := o.allow(w, r); p != nil {
			return p
		}
		h := w.Header()
		h.Set("Allow", methods)
		if r.Header.Get("Origin") != "" {
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", allowedHeaders)
			h.Set("Access-Control-Max-Age", preflightMaxAge)
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
