// Package client talks to Kindred's HTTP API: over the network, or to a handler in the same process.
//
//	Client ──► http.RoundTripper ──┬─► network ──► server
//	                               └─► InProcess ──► http.Handler
//
// Invariants:
//   - C1: an answer that is not a success comes back as a *Problem, whoever made it.
//   - C2: what is asked twice may be done twice; only Send retries, because an event that comes again
//     changes nothing.
package client
