package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// misplaced serves requests for paths that no route has. If such a path ends with the path of a route for libraries, and
// what precedes it consists of parts of such paths, then the address given to the library says too much:
//
//	host https://kindred.example/v1  +  /v1/batch  ──►  /v1/v1/batch  ──►  /v1/batch
//
// The request is served by that route, because a library takes 404 for final and drops its events, and a redirect for
// success (P2). Routes of other audiences are reached by their own paths only.
type misplaced struct {
	mux   *http.ServeMux
	paths map[string]bool // patterns of the routes that libraries call
	parts map[string]bool // segments of these patterns
}

// misplacedMost bounds the segments of a path that is looked at.
const misplacedMost = 8

func newMisplaced(mux *http.ServeMux, routes []route.Route) *misplaced {
	m := &misplaced{mux: mux, paths: map[string]bool{}, parts: map[string]bool{}}
	for i := range routes {
		if !routes[i].CrossOrigin {
			continue
		}
		for _, path := range append([]string{routes[i].Path}, routes[i].Aliases...) {
			m.paths[path] = true
			for part := range strings.SplitSeq(path[1:], "/") {
				m.parts[part] = !strings.HasPrefix(part, "{")
			}
		}
	}
	return m
}

// ServeHTTP implements http.Handler.
func (m *misplaced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if u := m.find(r); u != nil {
		r.URL = u
		m.mux.ServeHTTP(w, r)
		return
	}
	(&route.Problem{Code: document.CodeUnknownRoute}).Write(w)
}

// find is the address that was meant; nil if there is none.
func (m *misplaced) find(r *http.Request) *url.URL {
	rest := r.URL.EscapedPath()
	if strings.Count(rest, "/") > misplacedMost {
		return nil
	}
	for {
		part, tail, more := strings.Cut(rest[1:], "/")
		if !more || !m.parts[part] {
			return nil
		}
		rest = "/" + tail
		plain, err := url.PathUnescape(rest)
		if err != nil {
			return nil
		}
		u := *r.URL
		u.Path, u.RawPath = plain, rest
		if _, pattern := m.mux.Handler(&http.Request{Method: r.Method, Host: r.Host, URL: &u}); m.paths[pattern] {
			return &u
		}
	}
}
