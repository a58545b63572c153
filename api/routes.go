package api

import (
	"net/http"
	"slices"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// Routes are all routes of the server: what the router serves, and what the OpenAPI document shows.
func (s *Server) Routes() []route.Route {
	return slices.Concat(s.collector.Routes(), s.queries.Routes(), s.admin.Routes(), s.collector.LetterRoutes(), s.streams.Routes(), s.debugger.Routes(), s.sessionRoutes(), s.healthRoutes())
}

func (s *Server) healthRoutes() []route.Route {
	live := []route.Answer{{Document: document.Live{}}}
	routes := []route.Route{
		{Path: "/livez", Handler: s.getLive, Summary: "Ask whether the process serves", Answers: live},
		{Path: "/healthz", Handler: s.getLive, Summary: "Ask whether the process serves", Notes: "The same as /livez.", Answers: live},
		{
			Path: "/readyz", Handler: s.getReady, Summary: "Ask whether events and look-ups would be answered",
			Notes:   "The body is the same for both statuses.",
			Answers: []route.Answer{{Document: document.Ready{}}, {Status: http.StatusServiceUnavailable, Text: "Not ready", Document: document.Ready{}}},
		},
		{Path: "/openapi.json", Handler: getOpenAPI, Summary: "Get this document", Answers: []route.Answer{{Text: "An OpenAPI 3.1 document"}}},
		{Path: "/docs", Handler: getReference, Summary: "Read this document as a page", Answers: []route.Answer{{Media: "text/html", Text: "A page without scripts"}}},
		{Path: "/metrics", Scope: keyring.Operate, Handler: s.getMetrics, Summary: "Get metrics for Prometheus", Answers: []route.Answer{{Media: "text/plain", Text: "Metrics in the format of Prometheus"}}},
	}
	for i := range routes {
		rt := &routes[i]
		rt.Method, rt.Audience, rt.OtherParameters = "GET", route.Health, true
		rt.Public = rt.Scope == 0
	}
	return routes
}
