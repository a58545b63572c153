package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/idempotency"
	"github.com/kindred-id/kindred/api/admin"
	"github.com/kindred-id/kindred/api/collect"
	"github.com/kindred-id/kindred/api/debug"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/query"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/api/stream"
	"golang.org/x/sync/semaphore"
)

// Bounds of one connection, and of all.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = time.Minute // to read a request, and again to answer it
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
	otherBodyBytes = 16 << 20 // of bodies that are no events, of all requests
)

// Server serves an engine. It is an http.Handler; Serve and Shutdown run it with timeouts.
type Server struct {
	Config
	handler   http.Handler
	metrics   *metrics
	collector *collect.Collector
	queries   *query.Queries
	admin     *admin.Admin
	streams   *stream.Streams
	debugger  *debug.Debugger
	draining  atomic.Bool
	started   time.Time
	gates     route.Gates
	clients   *connections
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
	origins, err := route.NewOrigins(c.Origins)
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, metrics: m, started: time.Now(), gates: route.Gates{Origins: origins, Access: c.Access, Bodies: route.NewBodies(otherBodyBytes)}}
	s.clients = newConnections(c.MaxConnections)
	if err := errors.Join(m.registry.Register(c.Access.Collector()), m.registry.Register(s.gates.Bodies.Collector()), m.registry.Register(s.clients)); err != nil {
		return nil, err
	}
	if err := s.mount(); err != nil {
		return nil, err
	}
	s.http = http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: discardLog(),
		ConnState: s.clients.follow, ConnContext: s.clients.name,
	}
	return s, nil
}

// mount makes the parts of the API and the router over their routes.
func (s *Server) mount() (err error) {
	find := &lookup.Lookup{Engine: s.Engine, Registry: s.Registry, Unseen: s.metrics.unseen}
	s.collector, err = collect.New(collect.Config{
		Lookup: find, Decode: s.Decode, Admission: s.Admission, MaxBody: s.MaxBody, MaxEvents: s.MaxEvents, BodyBytes: s.BodyBytes,
		Mappings: s.Mappings, Metrics: s.metrics.registry,
		Tap: s.Tap, Settled: s.Settled, Letters: s.Letters,
	})
	if err != nil {
		return err
	}
	s.queries = &query.Queries{Lookup: find, Scores: s.Scores, Control: s.Control, Rules: s.Rules, Searches: semaphore.NewWeighted(query.SearchesAtOnce)}
	s.admin = &admin.Admin{
		Lookup: find, Version: s.Version, Started: s.started, Assumed: s.Assumed, Scores: s.Scores, Control: s.Control, Cluster: s.Cluster, Nodes: s.Nodes, Topics: s.Topics, Backup: s.Backup, BackupDir: s.BackupDir, Keys: s.Keys, Logger: s.Logger,
		Answers: idempotency.New(s.Engine.Catalog(), s.Engine.Now),
	}
	s.streams = stream.New(stream.Config{
		Engine: s.Engine, Scores: s.Scores, Control: s.Control, Logger: s.Logger, Streams: s.MaxStreams, SortBytes: s.SortBytes, TempDir: s.TempDir,
	})
	s.debugger = debug.New(find, s.Tap)
	s.handler, err = s.router()
	return err
}

// Serve answers requests until Shutdown, and then returns nil. It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(s.clients.over(l)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown refuses new connections, answers the requests under way, and returns. The engine is the
// caller's to close, after this. When ctx ends first, connections are cut.
func (s *Server) Shutdown(ctx context.Context) error {
	// Readiness fails first, so that load balancers look elsewhere. Streams end next: http.Server.Shutdown waits for
	// all requests, and a reader that follows the change feed would keep it waiting.
	s.draining.Store(true)
	s.streams.Close()
	s.debugger.Close()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return err
}

// router serves a table of routes. A path of none of them may be one that a library was misconfigured to.
func (s *Server) router() (http.Handler, error) {
	routes := s.Routes()
	var errs []error
	byPath := map[string]methods{}
	for i := range routes {
		rt := &routes[i]
		errs = append(errs, rt.Check())
		for _, path := range append([]string{rt.Path}, rt.Aliases...) {
			if byPath[path] == nil {
				byPath[path] = methods{}
			}
			byPath[path][rt.Method] = func(w http.ResponseWriter, r *http.Request) *route.Problem { return rt.Serve(&s.gates, w, r) }
			if rt.CrossOrigin { // its path has no other method
				byPath[path][http.MethodOptions] = s.gates.Preflight(rt.Method + ", " + http.MethodOptions)
			}
		}
	}
	mux := http.NewServeMux()
	for path, m := range byPath {
		mux.Handle(path, m)
	}
	if s.Console != nil {
		mux.Handle("GET /console", s.Console)
		mux.Handle("GET /console/{page...}", s.Console)
	}
	mux.Handle("/", newMisplaced(mux, routes))
	return mux, errors.Join(errs...)
}

func (s *Server) getMetrics(w http.ResponseWriter, r *http.Request) *route.Problem {
	s.metrics.handler.ServeHTTP(w, r)
	return nil
}
