package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/storage"
)

// readyTimeout bounds how long a readiness check waits for the shards.
const readyTimeout = 2 * time.Second

// getLive answers GET /livez: the process serves.
func (s *Server) getLive(w http.ResponseWriter, _ *http.Request) *route.Problem {
	return route.Send(w, document.Live{Status: "ok", Version: s.Version})
}

// getReady answers GET /readyz: 200 when events and look-ups would be answered, 503 when not. Both
// have a document.Ready as their body, as load balancers and operators look here and nowhere else.
func (s *Server) getReady(w http.ResponseWriter, r *http.Request) *route.Problem {
	answer := document.Ready{Status: "ready", Checks: s.checks(r.Context())}
	for _, c := range answer.Checks {
		if !c.OK {
			answer.Status = "not_ready"
		}
	}
	if answer.Status == "ready" {
		return route.Send(w, answer)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	return route.Send(w, answer)
}

// checks lists serving, store, engine and shards, in this order; caps if links were left out; then the checks of the
// configuration. caps is a warning and always OK. If the store stopped the engine, both checks fail, and that of the
// store has the cause and its remedy. All of them share readyTimeout.
func (s *Server) checks(ctx context.Context) []document.Check {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	failed := s.Engine.Err()
	var broken *storage.Error
	checks := []document.Check{
		{Name: "serving", OK: !s.draining.Load()},
		{Name: "store", OK: !errors.As(failed, &broken)},
		{Name: "engine", OK: failed == nil},
		{Name: "shards", OK: true},
	}
	if !checks[0].OK {
		checks[0].Detail = "the server is stopping"
	}
	if broken != nil {
		checks[1].Detail, checks[1].Hint = broken.Error(), broken.Remedy
	}
	if failed != nil {
		checks[2].Detail = "the engine stopped"
		checks[2].Hint = "see the log; start again once the cause is gone: nothing that was acknowledged is lost"
	}
	stats, err := s.Engine.Stats(ctx)
	if stats.LeftOut > 0 { // a warning: what comes in is answered all the same
		checks = append(checks, document.Check{
			Name: "caps", OK: true, Detail: fmt.Sprintf("components at caps.hosted have left out %d links since the start", stats.LeftOut),
			Hint: "identities of such a component depend on the order of its events: look for a value that connects people it should not, or raise the cap",
		})
	}
	if stats.Lost > 0 {
		checks[3].OK, checks[3].Detail = false, fmt.Sprintf("%d of %d shards have stopped: events and look-ups of their people are refused", stats.Lost, stats.Shards)
		checks[3].Hint = "see the log; start again once the cause is gone: nothing that was acknowledged is lost"
	}
	if err != nil {
		checks[3].OK = false
		checks[3].Detail = "the shards did not answer"
		if errors.Is(err, context.DeadlineExceeded) {
			checks[3].Detail = "the shards did not answer in " + readyTimeout.String()
		}
	}
	for _, check := range s.Checks {
		checks = append(checks, check(ctx))
	}
	return checks
}
