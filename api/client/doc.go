// Package client talks to Kindred's HTTP API: over the network, or to a handler in the same process.
//
//	Client.Events ─────┐
//	      .Profiles    │
//	      .Assertions  ├─► connection ──► http.RoundTripper ──┬─► network ──► server
//	      .Scores      │                                      └─► InProcess ──► http.Handler
//	      .Feed        │
//	      .Admin ──────┘
//
// The calls are grouped by what they are about:
//
//	c, err := client.New("http://127.0.0.1:8080", nil)
//	…
//	profile, err := c.Profiles.Get(ctx, "user_id:42")
//	why, err := c.Profiles.Why(ctx, "user_id:42", "anonymous_id:tablet")
//	stats, err := c.Admin.Stats(ctx)
//
// Invariants:
//   - C1: an answer that is not a success is returned as a *Problem, even if a proxy made it.
//   - C2: only Send retries, because a repeated event changes nothing. A repeated call of another method may take effect
//     twice, but for MakeOnce.
package client
