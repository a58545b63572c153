// Package access decides who may do what over HTTP: which hosts a server answers for, and whom it lets in.
//
//	request ──► host allowed? ──► Route declares a scope ──► key: Basic, X-Write-Key, Bearer ─┐
//	                                                          └─ body, query (events only) ───┴─► keyring.Find
//	                                                                                               │
//	            Caller in the context ◄── rate of the key ◄── scope? ◄─────────────────────────────┘
//
// Bearer may be an ID token as well, whose scopes are those of its roles (People). A browser that signed in with either shows a
// cookie instead (sessions): it counts for a request that shows nothing else, and for no route that takes events, which pages of
// other sites may ask.
//
// It knows no route: package route asks a Gate for each request, and makes a problem of a Refusal.
//
// Invariants:
//   - A1: what a route may do is decided in one place, Gate.Admit, before its handler runs. The exception are events, whose
//     key may stand in the body: their handler can't learn a source without Gate's leave (Caller.SourceOf). Without one it
//     takes no event; at most it keeps them aside (Refusal.Aside).
//   - A2: no part of a key, and nothing that looks like one, is logged, counted, stored or answered.
//   - A3: a server is open as long as its deployment never had a key, and says so when it starts.
//   - A4: memory is bounded, whatever clients send.
package access
