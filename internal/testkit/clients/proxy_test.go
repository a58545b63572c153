package clients

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"sync"
	"testing"
)

// fault is what a proxy does to a request instead of passing it on.
type fault int

const (
	unavailable fault = iota // 503
	limited                  // 429 with Retry-After
	cutBefore                // the connection is cut, and the server sees nothing
	cutAfter                 // the connection is cut once the server has answered
	kill                     // kill -9 of the server with the request in its hands, and it starts again; the library never hears of it
)

// proxy stands between a library and a server. Faults meet requests that carry events, in order, and at most perRequest of
// them one request, however often it is sent: some libraries give up after that.
type proxy struct {
	*httptest.Server
	server     *server
	perRequest int

	mu     sync.Mutex // guards the following
	faults []fault
	paths  map[string]int // requests that were passed on, and answered, by path

	// By the first message id of a request, however often it is sent.
	met    map[string]int  // faults
	served map[string]bool // the server took it
	told   map[string]bool // and the library was told so
}

func newProxy(t *testing.T, s *server, perRequest int, faults ...fault) *proxy {
	t.Helper()
	p := &proxy{server: s, faults: faults, perRequest: perRequest, paths: map[string]int{}, met: map[string]int{}, served: map[string]bool{}, told: map[string]bool{}}
	pass := &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		target, err := url.Parse(s.url())
		if err != nil {
			panic(err)
		}
		r.SetURL(target)
		r.Out.Host = r.In.Host // settings name it as the host of events
	}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(pass, w, r) }))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) serve(pass http.Handler, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	message := messageOf(body)
	if r.Method != http.MethodPost || message == "" {
		pass.ServeHTTP(w, r)
		return
	}
	f, met := p.meet(message)
	if !met {
		answer := httptest.NewRecorder()
		pass.ServeHTTP(answer, r)
		p.count(r.URL.Path, message, answer.Code, true)
		give(w, answer)
		return
	}
	switch f {
	case unavailable, limited:
		allowPage(w, r)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(map[fault]int{unavailable: http.StatusServiceUnavailable, limited: http.StatusTooManyRequests}[f])
	case kill:
		served := make(chan int)
		go func() {
			answer := httptest.NewRecorder()
			pass.ServeHTTP(answer, r)
			served <- answer.Code
		}()
		p.server.killAndStart()
		p.count(r.URL.Path, message, <-served, false)
		panic(http.ErrAbortHandler)
	case cutAfter:
		answer := httptest.NewRecorder()
		pass.ServeHTTP(answer, r)
		p.count(r.URL.Path, message, answer.Code, false)
		panic(http.ErrAbortHandler)
	default:
		panic(http.ErrAbortHandler)
	}
}

// meet takes the next fault, for the request with a message.
func (p *proxy) meet(message string) (fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.faults) == 0 || p.met[message] == p.perRequest {
		return 0, false
	}
	p.met[message]++
	f := p.faults[0]
	p.faults = p.faults[1:]
	return f, true
}

func (p *proxy) count(path, message string, status int, told bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if told {
		p.paths[path]++
	}
	if status == http.StatusOK {
		p.served[message] = true
		p.told[message] = p.told[message] || told
	}
}

// seen is what a proxy saw of the requests with events.
type seen struct {
	served int // requests that the server took
	told   int // of those, requests whose library was told so
	lost   int // requests that met a fault and were not taken
	left   int // faults that met no request
}

func (p *proxy) seen() (s seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s = seen{served: len(p.served), left: len(p.faults)}
	for _, told := range p.told {
		if told {
			s.told++
		}
	}
	for message := range p.met {
		if !p.served[message] {
			s.lost++
		}
	}
	return s
}

// passed returns the requests that were passed on, by path.
func (p *proxy) passed() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.paths)
}

func give(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// allowPage lets a page read an answer, as the server's own answers do.
func allowPage(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
	}
}

var messageID = regexp.MustCompile(`"(?:messageId|eid)" *: *"([^"]+)"`)

// messageOf is the first message id of a body; empty if it has none.
func messageOf(body []byte) string {
	if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		if plain, err := io.ReadAll(z); err == nil {
			body = plain
		}
	}
	if m := messageID.FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return ""
}
