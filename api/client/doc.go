// Package client talks to Kindred's HTTP API: over the network, or to a handler in the same process.
//
//	Client ──► http.RoundTripper ──┬─► network ──► server
//	                               └─► InProcess ──► http.Handler
//
// Invariants:
//   - C1: an answer that is not a success is returned as a *Problem, even if a proxy made it.
//   - C2: only Send retries, because a repeated event changes nothing. A repeated call of another method may take effect
//     twice.
package client
