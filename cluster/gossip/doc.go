// Package gossip finds out which nodes are alive, and what each says of itself, with hashicorp/memberlist. No other package
// knows that library.
//
//	Join (addresses, DNS) ──► memberlist ──► callbacks: copy, signal ──► builder ──► View, Changes
//	Announce, Leave       ──►     ▲ keys of a file, rotated while it runs
//
// A view decides where shards are placed, and never who may write: the journal does. So a view may be late, wrong, or
// another one on every node, and costs time alone.
//
// Invariants:
//   - V1: a view is whole and never changes. It has this node in it, until it leaves.
//   - V2: callbacks of the library copy and signal; they call nothing and wait for nothing. One goroutine builds views.
//   - V3: nothing is sent or taken in clear text, unless InsecureDev says so.
//   - V4: a node whose name is alive at another address does not come in.
//   - V5: nodes that lost one another find one another again: each asks the addresses of Join for as long as it runs.
package gossip
