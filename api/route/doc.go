// Package route has what the routes of the HTTP API have in common: how a route is described, how it answers, and how it
// says what went wrong.
//
//	Route ──► Server's router ──► origin? ──► key with the scope? ──► parameters known? ──► Handler ──► Send, SendJSON
//	  │                             └────────────┴───────────────────────┴─────────────────┴──► *Problem ──► RFC 9457
//	  └──► package openapi ──► /openapi.json
//
// A Route is the only description of a route: the router serves it and the OpenAPI document shows it, so they cannot
// disagree about a path, a method, a parameter, or about who may call it.
package route
