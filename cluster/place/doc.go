// Package place decides which nodes should have which shards: a pure function of a view of the nodes. It proposes; the journal
// decides who writes.
//
//   - P1: a node that comes takes shards, and one that goes gives them away; nobody else's copies move.
//   - P2: shares are in proportion to weights: with n shards for a node on average, each has n within 6·√n.
//   - P3: the order in which nodes are listed, and their numbering, are irrelevant: only names count.
//   - P4: owner and standby are in different zones if there are two zones.
package place
