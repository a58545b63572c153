// Package graph decides who is who. It turns events into components, components into identities
// and identities into profiles. It is pure: no clock, no I/O, no goroutines.
//
//	Event ──► Node ──────────────► Component ──► Resolve ──► Profile ──► scores
//	           └ Join, Absorb, … ┘   evidence      rules       fold
//	                                     │ a step: opening … Close
//	                                     └──────► Diff ──► counters, change feed, news
//
// Hosting, resolving and folding, which are this package, need the standard library, graph/currency, graph/score and graph/signal
// alone.
// The reading of identifiers (graph/identifier) also needs a keyed hash, telephone numbers and Unicode tables, and the fit of
// parameters (graph/score/fit) a numerical optimiser: neither decides who is who.
//
// A node is an identifier. It is a root, which hosts a component, or a forward to a node of
// higher rank (hosting: an unconditional union-find, spread over shards). A component is the
// evidence hosted together: members, links, fragments, assertions. Which of its members are one
// person is computed from that evidence and the rules, and never stored.
//
// Invariants:
//   - H1: a forward points to a node of strictly higher rank, hence no cycles.
//   - H2: every piece of evidence is in exactly one root or in exactly one undelivered Absorb.
//   - H3: when no message is undelivered, identifiers joined by a path of conducting links are in
//     one component. A component may be wider than that: hosting is generous, identities are
//     still computed from links.
//   - H4: a forward never becomes a root again.
//   - H5: when no message is undelivered, the root of a component is its highest-ranked hosted
//     member.
//   - I1: who is who depends on the set of events and assertions, not on their order, duplication,
//     batching or sharding. How large an identity gets is limited in Resolve, in the total order
//     (Rules.MaxIdentity). The one place where order matters is a component that reaches the bound of what is
//     hosted together (Rules.MaxMembers, Rules.MaxLinks): it hosts nothing new, and what came first is in. That is
//     far above any identity, and counted (Outbox.LeftOut).
//   - I2: folding is commutative and associative, and every distinct event folds exactly once (the
//     memory of duplicates and the channels see to that), so a split re-divides a profile exactly.
//   - I3: a member's neighbours are counted where it is hosted, whole, until it is generic; so
//     whether it is generic does not depend on order either. Whether a neighbour counts depends on its class, its
//     namespace and the rules, never on other evidence.
//   - D1: what a step made of identities is one Diff of those before it and those after it. It is not evidence: no message
//     carries it, and a component that is never closed decides the same.
//   - I4: a node that was seen by its value and by its hash is called by the value where it is hosted, when no message is
//     undelivered. A root that learns the value and does not host the node tells the host: with evidence, with the claim,
//     or with the claim again where it was refused.
package graph
