package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"golang.org/x/sync/semaphore"
)

// Bounds of one connection.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = time.Minute // to read a request, and again to answer it
	answerTimeout  = 30 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

// Server serves an engine. It is an http.Handler; Serve and Shutdown run it with timeouts.
type Server struct {
	Config
	handler   http.Handler
	metrics   *metrics
	intakes   intakes
	bodies    *bodyRoom // of request bodies under way
	exports   *semaphore.Weighted
	streams   *semaphore.Weighted // of changes
	streaming context.Context     // ends with the server
	endStream context.CancelFunc
	backingUp sync.Mutex
	draining  atomic.Bool
	started   time.Time
	origins   *http.CrossOriginProtection
	http      http.Server
}

// New makes a server. It fails with everything that is wrong with the configuration at once.
func New(c Config) (*Server, error) {
	if err := c.setDefaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(c.Metrics, c.Engine, c.Scores, c.Version, c.Collectors)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Config: c, metrics: m, started: time.Now(),
		bodies: newBodyRoom(c.BodyBytes), exports: semaphore.NewWeighted(exportsAtOnce), streams: semaphore.NewWeighted(streamsAtOnce),
		origins: http.NewCrossOriginProtection(),
	}
	s.intakes.most = c.Engine.InputBytes() / 2 // bodies have the other half
	s.intakes.room = semaphore.NewWeighted(s.intakes.most)
	s.streaming, s.endStream = context.WithCancel(context.Background())
	s.handler = s.routes()
	s.http = http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: discardLog(),
	}
	return s, nil
}

// Serve answers requests until Shutdown, and then returns nil. It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown refuses new connections, answers the requests under way, and returns. The engine is the
// caller's to close, after this. When ctx ends first, connections are cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.endStream()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return err
}

// handler answers a request, or says why it can't.
type handler func(w http.ResponseWriter, r *http.Request) *problem

// methods are the handlers of one route.
type methods map[string]handler

// routes are all routes of the server.
func (s *Server) routes() http.Handler {
	table := map[string]methods{
		"/v1/batch":                     {"POST": s.ingesting(0)},
		"/v1/profiles/{id}":             {"GET": timely(s.getProfile)},
		"/v1/profiles/{id}/identifiers": {"GET": timely(s.getIdentifiers)},
		"/v1/profiles/{id}/events":      {"GET": timely(s.getEvents)},
		"/v1/profiles/{id}/orders":      {"GET": timely(s.getOrders)},
		"/v1/profiles/{id}/why":         {"GET": timely(s.getWhy)},
		"/v1/profiles/{id}/how":         {"GET": timely(s.getHow)},
		"/v1/profiles/{id}/assertions":  {"GET": timely(s.getAssertions)},
		"/v1/profiles:batchGet":         {"POST": s.own(timely(s.batchGet))},
		"/v1/assertions":                {"POST": s.own(timely(s.postAssertion))},
		"/v1/export":                    {"GET": s.getExport},
		"/v1/changes":                   {"GET": s.getChanges},
		"/v1/changes/receivers":         {"GET": s.getReceivers},
		"/v1/changes/receivers/{name}":  {"DELETE": s.own(s.deleteReceiver)},
		"/v1/stats":                     {"GET": timely(s.getStats)},
		"/v1/rules":                     {"GET": s.getRules},
		"/v1/scores/parameters":         {"GET": s.getParameters},
		"/v1/scores/fit":                {"POST": s.own(s.postFit)},
		"/v1/scores/report":             {"GET": s.getScoreReport},
		"/v1/admin/backup":              {"POST": s.own(s.postBackup)},
		"/livez":                        {"GET": s.getLive},
		"/healthz":                      {"GET": s.getLive},
		"/readyz":                       {"GET": s.getReady},
		"/metrics":                      {"GET": s.getMetrics},
		"/":                             nil,
	}
	for t := graph.TypeIdentify; int(t) < graph.EventTypes; t++ {
		table["/v1/"+t.String()] = methods{"POST": s.ingesting(t)}
	}
	mux := http.NewServeMux()
	for pattern, m := range table {
		mux.Handle(pattern, m)
	}
	return mux
}

// ingesting is postEvents, timed.
func (s *Server) ingesting(t graph.EventType) handler {
	post := s.postEvents(t)
	return func(w http.ResponseWriter, r *http.Request) *problem {
		start := time.Now()
		p := post(w, r)
		s.metrics.duration.Observe(time.Since(start).Seconds())
		return p
	}
}

// timely bounds how long an answer may take, less than what the connection does: so that the client
// is told.
func timely(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		ctx, cancel := context.WithTimeout(r.Context(), answerTimeout)
		defer cancel()
		return h(w, r.WithContext(ctx))
	}
}

// own refuses requests that a page of another origin makes a browser send: nothing else keeps it
// from changing things on a server that listens on loopback.
func (s *Server) own(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		if err := s.origins.Check(r); err != nil {
			return &problem{code: document.CodeCrossOrigin}
		}
		return h(w, r)
	}
}

func (s *Server) getMetrics(w http.ResponseWriter, r *http.Request) *problem {
	s.metrics.handler.ServeHTTP(w, r)
	return nil
}
